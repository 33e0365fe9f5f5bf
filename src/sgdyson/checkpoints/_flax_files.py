"""Arrays of a Flax file: MessagePack, in which arrays are an extension of its own.

What `flax.serialization` writes: code 1 is (shape, name of the type, bytes), and arrays beyond a
gigabyte come as dictionaries of flat chunks.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401 # which tells NumPy of bfloat16
import numpy as np

from .._capacity import require_memory
from .._input_files import open_regular, size_of
from .._stored import FACTS, Contents, Stored
from ..errors import InvalidInputError, require
from ._libraries import library, says

_ARRAY, _COMPLEX, _SCALAR = 1, 2, 3
_CHUNKED = "__msgpack_chunked_array__"
_DEEPEST = 50


@contextmanager
def open_flax(path: Path) -> Iterator[Contents]:
    """The arrays of nested dictionaries, in their order; a fault of one is its reason.

    Raises:
        InvalidInputError: msgpack is not installed, or the file is none of its kind.
    """
    msgpack = library("msgpack", path, "a MessagePack file of Flax")
    with open_regular(path) as handle:
        size = size_of(handle)
        require_memory(2 * size, str(path), "read it on a larger machine")
        data = handle.read()
    try:
        content = msgpack.unpackb(
            data, ext_hook=partial(_extension, msgpack), strict_map_key=False, raw=False
        )
    except Exception as error:  # of many kinds, by what is damaged
        raise InvalidInputError(f"{path} was not loaded: {says('msgpack', error)}.") from error
    require(isinstance(content, dict), f"{path} holds no dictionary of arrays.")
    facts = {key: int(content[key]) for key in FACTS if _is_whole(content.get(key))}
    yield Contents(list(_arrays(content)), facts)


def _is_whole(value: Any) -> bool:
    return type(value) is int or (isinstance(value, np.integer) and value.ndim == 0)


def _extension(msgpack: Any, code: int, data: bytes) -> Any:
    """An array as `Stored` without a name, a scalar as a number; others have no meaning here."""
    if code not in (_ARRAY, _SCALAR):
        return None
    shape, kind, numbers = msgpack.unpackb(data, raw=True, strict_map_key=False)
    array = _array(shape, kind, numbers)
    if code == _SCALAR and array.reason is None:
        return array.load()[()]
    return array


def _array(shape: Any, kind: Any, numbers: Any) -> Stored:
    name = kind.decode("ascii", "replace") if isinstance(kind, bytes) else str(kind)
    try:
        dtype = np.dtype(name)
        size = dtype.itemsize * math.prod(shape)
        require(dtype.kind in "biufcV", f"of the type {name}, which is not read")
        require(
            isinstance(numbers, bytes) and len(numbers) == size and all(n >= 0 for n in shape),
            f"of shape {tuple(shape)} and type {name} has {len(numbers)} bytes for {size}",
        )
    except (TypeError, ValueError, AttributeError) as error:
        reason = str(error) if isinstance(error, InvalidInputError) else "of no readable header"
        return Stored("", name, (), reason=reason)
    return Stored("", dtype.name, tuple(shape), partial(_numbers, numbers, dtype, tuple(shape)))


def _numbers(numbers: bytes, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(numbers, dtype).reshape(shape)


def _arrays(content: dict[Any, Any]) -> Iterator[Stored]:
    waiting: list[tuple[str, Any, int]] = [("", content, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if isinstance(value, Stored):
            yield _renamed(value, name)
        elif isinstance(value, dict) and value.get(_CHUNKED) is True:
            yield _of_chunks(name, value)
        elif isinstance(value, dict) and depth < _DEEPEST:
            inner = [(f"{name}.{key}" if name else str(key), item, depth + 1)
                     for key, item in value.items()]  # fmt: skip
            waiting += reversed(inner)


def _renamed(array: Stored, name: str) -> Stored:
    return Stored(name, array.dtype, array.shape, array.read, array.reason)


def _of_chunks(name: str, value: dict[Any, Any]) -> Stored:
    """One array of flat chunks, which are put together when it is read."""
    shape, chunks = value.get("shape"), value.get("chunks")
    try:
        axes = tuple(int(n) for n in shape.values())  # type: ignore[union-attr]
        parts: list[Stored] = list(chunks.values())  # type: ignore[union-attr]
        dtypes = {part.dtype for part in parts}
        count = sum(math.prod(part.shape) for part in parts)
    except (AttributeError, TypeError, ValueError):
        return Stored(name, "", (), reason="chunks of no readable header")
    if count != math.prod(axes) or len(dtypes) != 1:
        return Stored(name, "", (), reason=f"of shape {axes}, with {count} entries in its chunks")
    return Stored(name, dtypes.pop(), axes, partial(_joined, parts, axes))


def _joined(parts: list[Stored], axes: tuple[int, ...]) -> np.ndarray:
    return np.concatenate([part.load().ravel() for part in parts]).reshape(axes)
