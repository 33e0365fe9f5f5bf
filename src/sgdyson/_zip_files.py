"""Zip archives: opened where their directory is of bounded size, unpacked where that is bounded."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from ._capacity import in_words
from ._input_files import size_of
from .errors import InvalidInputError, require

_DIRECTORY, _LARGEST_DIRECTORY = b"PK\x05\x06", 2**22  # bytes, of some fifty thousand members
_FOLD, _SMALL = 200, 2**27  # numbers of a training run do not shrink two hundred-fold


def open_zip(path: Path, handle: BinaryIO) -> zipfile.ZipFile:
    """A zip archive of a bounded number of members.

    Raises:
        InvalidInputError: no readable directory of members, or a very large one.
    """
    handle.seek(max(size_of(handle) - 65_557, 0))  # 22 bytes, and the longest comment behind them
    tail = handle.read()
    place = tail.rfind(_DIRECTORY)
    size = int.from_bytes(tail[place + 12 : place + 16], "little") if place >= 0 else 0
    if size == 0xFFFFFFFF:  # told in the record of 64-bit numbers
        wide = tail.rfind(b"PK\x06\x06")
        size = int.from_bytes(tail[wide + 40 : wide + 48], "little")
    require(
        size <= _LARGEST_DIRECTORY,
        f"{path} is not unpacked: a directory of {in_words(size)} is above the limit of"
        f" {in_words(_LARGEST_DIRECTORY)}.",
    )
    handle.seek(0)
    try:
        return zipfile.ZipFile(handle)
    except Exception as error:  # of many kinds, by which of its numbers is wrong
        raise InvalidInputError(
            f"{path} is no whole NumPy file or archive: its directory cannot be read"
            f" ({type(error).__name__}: {error})."
        ) from error


def member_fault(info: zipfile.ZipInfo, size: int) -> str | None:
    """Why a member of an archive of `size` bytes is not unpacked."""
    if info.flag_bits & 0x1:
        return "encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"compressed by method {info.compress_type}, which NumPy does not write"
    if info.compress_size > size:
        return f"claims {in_words(info.compress_size)} of a file of {in_words(size)}"
    if info.file_size > max(_SMALL, _FOLD * info.compress_size):
        return f"{in_words(info.compress_size)} that would unpack to {in_words(info.file_size)}"
    return None


def archive_fault(infos: Sequence[zipfile.ZipInfo], size: int) -> str | None:
    """Why nothing of an archive of `size` bytes is unpacked."""
    total = sum(info.file_size for info in infos)
    if total > max(8 * _SMALL, _FOLD * size):
        return f"in an archive of {in_words(size)} that would unpack to {in_words(total)}"
    return None
