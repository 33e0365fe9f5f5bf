"""NumPy files, `.npy` and `.npz`: described by their headers, read one array at a time.

NumPy's own reader evaluates the header as Python, unpickles, and believes any size. Here a header
is matched by a pattern, and its size is held against the bytes that are there.
"""

import math
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from ._input_files import open_regular, size_of
from ._stored import FACTS, Contents, Stored
from ._zip_files import archive_fault, member_fault, open_zip
from .errors import InvalidInputError, require

_MAGIC = b"\x93NUMPY"
_LENGTHS = {1: 2, 2: 4, 3: 4}  # bytes that hold the length of the header, by version
_LONGEST_HEADER = 10_000  # NumPy's own bound
_ENTRY = re.compile(r"'(\w+)'\s*:\s*('[^']*'|True|False|\([\d\sL,]*\)|\[.*\])\s*,?\s*", re.DOTALL)
_DTYPE = re.compile(r"[<>|=]?([A-Za-z?])(\d{0,4})(\[\w{1,8}\])?")


@contextmanager
def open_numpy(path: Path) -> Iterator[Contents]:
    """The arrays of an `.npz`, or the one of an `.npy`, whatever the ending; nothing is unpickled.

    Raises:
        InvalidInputError: neither of the two.
    """
    with open_regular(path) as handle:
        start = handle.read(len(_MAGIC))
        handle.seek(0)
        if start == _MAGIC:
            yield Contents([_of_file(path, handle)])
            return
        require(
            start[:2] == b"PK",
            f"{path} is no whole NumPy file: it begins with neither a NumPy header nor that of a"
            " zip archive.",
        )
        with open_zip(path, handle) as archive:
            arrays = list(_of_archive(archive, size_of(handle)))
            yield Contents(arrays, facts_of(arrays))


def facts_of(arrays: list[Stored]) -> dict[str, int]:
    """Single whole numbers with the name of a step."""
    facts: dict[str, int] = {}
    for array in arrays:
        if array.name in FACTS and array.reason is None and math.prod(array.shape) == 1:
            with suppress(InvalidInputError):
                value = array.load()
                if value.dtype.kind in "iu":
                    facts[array.name] = int(value.item())
    return facts


def _of_archive(archive: zipfile.ZipFile, size: int) -> Iterator[Stored]:
    # is_dir() fails for a member without a name
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    fault, known = archive_fault(infos, size), set[str]()
    for info in infos:
        name = info.filename.removesuffix(".npy")
        reason = fault or member_fault(info, size)
        if name in known:
            reason = "a second array of this name in one file"
        known.add(name)
        yield Stored(name, "", (), reason=reason) if reason else _of_member(archive, info, name)


def _of_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Stored:
    try:
        with archive.open(info) as member:
            return _described(name, member, info.file_size, partial(archive.open, info))
    except InvalidInputError as error:
        return Stored(name, "", (), reason=str(error))
    except Exception as error:  # of many kinds: zlib, zipfile and struct have their own
        return Stored(name, "", (), reason=_unpacked(error))


def _of_file(path: Path, handle: BinaryIO) -> Stored:
    try:
        return _described(path.stem, handle, size_of(handle), partial(open_regular, path))
    except InvalidInputError as error:
        raise InvalidInputError(f"{path} is no whole NumPy file: {error}.") from error


def _described(name: str, file: IO[bytes], size: int, again: Callable[[], IO[bytes]]) -> Stored:
    """An array by its header, which is read; `again` opens the file anew for its numbers."""
    start, order, dtype, shape = _header(file)
    if isinstance(dtype, str):
        return Stored(name, dtype, shape, reason=_unread(dtype))
    wanted = math.prod(shape) * dtype.itemsize
    require(
        wanted <= size - start,
        f"shape {shape} of {dtype} takes {wanted} bytes, and {size - start} are there",
    )
    return Stored(name, dtype.name, shape, partial(_numbers, again, start, order, dtype, shape))


def _header(file: IO[bytes]) -> tuple[int, str, np.dtype | str, tuple[int, ...]]:
    """Where the numbers begin, their order, their type (its text, if it is none), their shape."""
    start = file.read(8)
    require(start[:6] == _MAGIC, "no array: it does not begin with a NumPy header")
    require(len(start) == 8 and start[6] in _LENGTHS, "a NumPy header of an unknown version")
    width = _LENGTHS[start[6]]
    length = int.from_bytes(file.read(width), "little")
    require(length <= _LONGEST_HEADER, f"a NumPy header of {length} bytes, above {_LONGEST_HEADER}")
    raw = file.read(length)
    require(len(raw) == length, "cut short within its header")
    text = raw.decode("latin1").strip()
    entries = dict(_ENTRY.findall(text[1:-1]))
    require(
        not _ENTRY.sub("", text[1:-1]).strip()
        and set(entries) == {"descr", "fortran_order", "shape"}
        and entries["shape"][0] == "(" and entries["fortran_order"] in ("True", "False"),
        "a NumPy header that is not descr, fortran_order and shape",
    )  # fmt: skip
    order = "F" if entries["fortran_order"] == "True" else "C"
    return 8 + width + length, order, _dtype(entries["descr"]), _shape(entries["shape"])


def _shape(text: str) -> tuple[int, ...]:
    sizes = [size.strip().rstrip("L") for size in text[1:-1].split(",")]
    if sizes[-1] == "":
        sizes.pop()
    require(
        len(sizes) <= 64 and all(size.isdecimal() and len(size) < 19 for size in sizes),
        "a NumPy header whose shape is not of whole numbers",
    )
    return tuple(int(size) for size in sizes)


def _dtype(text: str) -> np.dtype | str:
    """The type, or its text where it is none of numbers."""
    text = text.strip("'")
    match = _DTYPE.fullmatch(text)
    if match and match[1] in "fiubc" and match[2]:
        with suppress(TypeError):
            return np.dtype(text)
    return "a structure of named fields" if text.startswith("[") else text


def _unread(dtype: str) -> str:
    kind = dtype.lstrip("<>|=")[:1]
    if kind == "O":
        return "Python objects, pickled, which are never unpickled"
    if kind == "V":
        return f"raw bytes ({dtype}), as NumPy writes the types of other packages"
    if dtype.startswith("a "):
        return f"{dtype}, no plain numbers"
    return f"of the type {dtype!r}, no real numbers"


def _numbers(
    again: Callable[[], IO[bytes]], start: int, order: str, dtype: np.dtype, shape: tuple[int, ...]
) -> np.ndarray:
    wanted = math.prod(shape) * dtype.itemsize
    try:
        with again() as file:
            file.read(start)
            data = file.read(wanted)
            file.read(1)  # the end of a member, where its checksum is looked at
    except Exception as error:  # of many kinds: zlib, zipfile and struct have their own
        raise InvalidInputError(_unpacked(error)) from error
    require(len(data) == wanted, f"cut short: {len(data)} of {wanted} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if order == "F" else "C")


def _unpacked(error: Exception) -> str:
    if isinstance(error, zlib.error):
        return "compressed data that cannot be unpacked"
    if isinstance(error, zipfile.BadZipFile) and "CRC" in str(error):
        return "its checksum (CRC-32) does not fit its bytes"
    return f"cannot be unpacked ({type(error).__name__}: {error})"
