"""Tensors of a safetensors file, read one at a time and never executed.

The format is eight bytes of length, a JSON header, and raw numbers. The package `safetensors`
cannot give bfloat16 to NumPy, refuses a file for one tensor, and is not needed for this.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from .._input_files import open_regular, parse_json, read_bounded, size_of, whole
from .._stored import FACTS, Contents, Stored
from ..errors import InvalidInputError, require

_DTYPES: dict[str, Any] = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu, "C64": np.complex64, "C128": np.complex128,
    "I64": np.int64, "I32": np.int32, "I16": np.int16, "I8": np.int8, "U64": np.uint64,
    "U32": np.uint32, "U16": np.uint16, "U8": np.uint8, "BOOL": np.bool_,
}  # fmt: skip


@contextmanager
def open_safetensors(path: Path) -> Iterator[Contents]:
    """The tensors in the order of the file; a fault of one is its reason.

    Raises:
        InvalidInputError: no readable header.
    """
    with open_regular(path) as handle:
        size = size_of(handle)
        length = int.from_bytes(handle.read(8), "little")
        require(
            # the shortest header is {}
            size >= 8 and 2 <= length <= size - 8,
            f"{path} is no whole safetensors file: its header of {length} bytes does not fit into"
            f" {size}.",
        )
        what = f"{path}: its safetensors header"
        header, twice = parse_json(read_bounded(handle, length, what), what)
        require(
            isinstance(header, dict),
            f"{path}: its safetensors header is a {type(header).__name__}, no object of tensors.",
        )
        facts = _facts(header.pop("__metadata__", None))
        yield Contents(list(_tensors(header, twice, handle, 8 + length)), facts)


def _facts(metadata: Any) -> dict[str, int]:
    pairs = metadata.items() if isinstance(metadata, dict) else ()
    return {
        name: int(text)
        for name, text in pairs
        if name in FACTS and isinstance(text, str) and text.isdecimal() and len(text) < 18
    }


def _tensors(
    header: dict[str, Any], twice: set[str], handle: BinaryIO, start: int
) -> Iterator[Stored]:
    size, end, owner = size_of(handle) - start, 0, ""
    for name, entry in sorted(header.items(), key=lambda item: _first(item[1])):
        try:
            require(name not in twice, "named twice in the header")
            dtype, shape, first, last = _entry(entry)
            require(
                0 <= first <= last <= size,
                f"at bytes {first} to {last} of a body of {size}",
            )
            require(
                # of no bytes it takes no part of another
                first >= end or first == last,
                f"at bytes {first} to {last}, of which {owner!r} takes a part",
            )
            end, owner = (last, name) if last > end else (end, owner)
            yield _stored(name, dtype, shape, (first, last), handle, start)
        except InvalidInputError as error:
            yield Stored(name, "", (), reason=str(error))


def _first(entry: Any) -> int:
    """Where a tensor begins; -1 where its header does not tell, which puts it first."""
    try:
        first = entry["data_offsets"][0]
    except (KeyError, TypeError, IndexError):
        return -1
    return first if whole(first) else -1


def _entry(entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    fields = entry if isinstance(entry, dict) else {}
    dtype, shape, place = (fields.get(key) for key in ("dtype", "shape", "data_offsets"))
    require(isinstance(dtype, str), "without a type in the header")
    require(
        isinstance(shape, list) and len(shape) <= 64 and all(whole(n) for n in shape),
        f"of a shape that is not of whole numbers: {_brief(shape)}",
    )
    require(
        isinstance(place, list) and len(place) == 2 and all(whole(n) for n in place),
        f"at a place that is not two whole numbers: {_brief(place)}",
    )
    return str(dtype), tuple(shape or ()), *(place or (0, 0))


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _stored(
    name: str,
    kind: str,
    shape: tuple[int, ...],
    place: tuple[int, int],
    handle: BinaryIO,
    start: int,
) -> Stored:
    require(kind in _DTYPES, f"of the type {_brief(kind)}, which is not read")
    dtype, (first, last) = np.dtype(_DTYPES[kind]), place
    require(
        last - first == dtype.itemsize * math.prod(shape),
        f"of shape {shape} and type {kind} does not fill bytes {first} to {last}",
    )
    return Stored(name, dtype.name, shape, partial(_read, handle, start, place, dtype, shape))


def _read(
    handle: BinaryIO,
    start: int,
    place: tuple[int, int],
    dtype: np.dtype,
    shape: tuple[int, ...],
) -> np.ndarray:
    """Read an array: a map into memory would end the process if a training wrote the file anew."""
    first, last = place
    handle.seek(start + first)
    data = handle.read(last - first)
    require(len(data) == last - first, "cut short while it was read")
    return np.frombuffer(data, dtype).reshape(shape)
