"""Tensors of a safetensors file, mapped into memory and never executed.

The format is eight bytes of length, a JSON header, and raw numbers. The package `safetensors`
cannot give bfloat16 to NumPy, and is not needed for this.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from ..errors import InvalidInputError, require

_DTYPES: dict[str, Any] = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2, "I64": np.int64,
    "I32": np.int32, "I16": np.int16, "I8": np.int8, "U64": np.uint64, "U32": np.uint32,
    "U16": np.uint16, "U8": np.uint8, "BOOL": np.bool_,
}  # fmt: skip
_LONGEST_HEADER = 100_000_000


def read_safetensors(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Names and arrays, in the order of the file.

    Raises:
        InvalidInputError: a header or a tensor that does not fit the file.
    """
    try:
        data = np.memmap(path, np.uint8, "r")
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path} cannot be read ({error}).") from error
    length = int.from_bytes(data[:8].tobytes(), "little")
    require(
        data.size >= 8 and 2 <= length <= min(_LONGEST_HEADER, data.size - 8),
        f"{path} is no whole safetensors file: its header of {length} bytes does not fit into"
        f" {data.size}.",
    )
    try:
        header = json.loads(data[8 : 8 + length].tobytes())
        tensors = [(name, header[name]) for name in header if name != "__metadata__"]
        tensors.sort(key=lambda part: part[1]["data_offsets"][0])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InvalidInputError(f"{path} has no readable safetensors header ({error}).") from error
    body = data[8 + length :]
    for name, part in tensors:
        yield name, _tensor(path, name, part, body)


def _tensor(path: Path, name: str, part: Any, body: np.ndarray) -> np.ndarray:
    try:
        kind, shape = part["dtype"], tuple(int(size) for size in part["shape"])
        first, last = (int(place) for place in part["data_offsets"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(f"{path}: tensor {name!r} is not described ({error}).") from error
    require(kind in _DTYPES, f"{path}: tensor {name!r} has the unknown type {kind!r}.")
    dtype = np.dtype(_DTYPES[kind])
    require(
        0 <= first <= last <= body.size
        and min(shape, default=0) >= 0
        and last - first == dtype.itemsize * math.prod(shape),
        f"{path}: tensor {name!r} of shape {shape} lies at bytes {first} to {last} of"
        f" {body.size}: the file is cut short or damaged.",
    )
    return np.frombuffer(body[first:last].tobytes(), dtype).reshape(shape)
