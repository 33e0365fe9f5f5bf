"""Files that others wrote: opened only where that cannot wait, and believed in nothing."""

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from ._failures import reason_of
from .errors import InvalidInputError, require

_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
_LONGEST, _MOST_PIECES = 100_000_000, 1_600_000  # of two hundred thousand tensors


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    A named pipe would be waited for, and a device may never end: the descriptor is opened without
    waiting and looked at before anything is read.

    Raises:
        InvalidInputError: no such file, no regular one, or one that may not be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        raise InvalidInputError(_closed(path, error)) from error
    try:
        kind = stat.S_IFMT(os.fstat(handle).st_mode)
        require(
            kind == stat.S_IFREG,
            f"{path} is {_KINDS.get(kind, 'no regular file')}, of which no reader reads; give a"
            " regular file.",
        )
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _closed(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return f"{path} is a link to {os.readlink(path)}, which does not exist."  # noqa: PTH115
    if isinstance(error, FileNotFoundError):
        return f"{path} does not exist; give a file that does."
    reason = reason_of(error) if isinstance(error, OSError) else error
    return f"{path} cannot be opened: {reason}."


def size_of(handle: BinaryIO) -> int:
    """Bytes of an open file."""
    return os.fstat(handle.fileno()).st_size


def read_bounded(handle: BinaryIO, length: int, what: str) -> bytes:
    """So many bytes, if that is no more than a header may have.

    Raises:
        InvalidInputError: more than the limit, of which nothing is read.
    """
    require(
        length <= _LONGEST,
        f"{what} has {length} bytes, above the limit of {_LONGEST} that its format sets.",
    )
    return handle.read(length)


def parse_json(text: bytes, what: str) -> tuple[Any, set[str]]:
    """A JSON document of bounded content, and the keys that stand in one of its objects twice.

    The objects of Python take up to twenty times the room of their text, so pieces are counted
    before they are made.

    Args:
        text: UTF-8.
        what: subject of the sentence that refuses it.

    Raises:
        InvalidInputError: too large, or no JSON.
    """
    pieces = sum(text.count(sign) for sign in (b"[", b"{", b","))
    require(
        pieces <= _MOST_PIECES,
        f"{what} has {pieces} brackets and commas, above the limit of {_MOST_PIECES}.",
    )
    twice: set[str] = set()

    def collect(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        known: dict[str, Any] = {}
        for key, value in pairs:
            if key in known:
                twice.add(key)
            known.setdefault(key, value)
        return known

    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=collect), twice
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{what} is no UTF-8 text (byte {error.start}).") from error
    except RecursionError as error:
        raise InvalidInputError(f"{what} is nested too deeply.") from error
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"{what} is no JSON ({error}).") from error
    except ValueError as error:
        raise InvalidInputError(f"{what} holds a number of thousands of digits.") from error


def whole(value: Any, most: int = 2**62) -> bool:
    """Whether a value of a document is a whole number from 0 to `most`."""
    return type(value) is int and 0 <= value <= most
