"""From named arrays to weight matrices; what is none is listed with the reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FEWEST = 2


@dataclass(frozen=True)
class Skipped:
    """An array without a spectrum.

    Attributes:
        name: of the array.
        reason: one phrase.
    """

    name: str
    reason: str


def weight_matrices(
    arrays: Iterable[tuple[str, Any]], split: int | dict[str, int] = 1
) -> Iterator[tuple[str, Floats] | Skipped]:
    """Matrices in float64, in the order of the arrays.

    A convolution of shape (out, in, *kernel) becomes (out, in times kernel), what the layer does to
    one patch. Fused matrices, such as query, key and value in one, are split along their longer
    axis.

    Args:
        arrays: names, and anything NumPy takes as an array; or a `Skipped`, which is passed on.
        split: parts of every matrix with "qkv", "query_key_value" or "c_attn" in its name, or the
            number of parts by full name.
    """
    for name, value in arrays:
        if isinstance(value, Skipped):
            yield value
            continue
        array = np.asarray(value)
        reason = _unfit(array)
        if reason:
            yield Skipped(name, reason)
            continue
        matrix = array.astype(np.float64).reshape(len(array), -1)
        if min(matrix.shape) < _FEWEST:
            yield Skipped(name, f"shape {array.shape}: a single row or column")
            continue
        if not np.isfinite(matrix).all():
            yield Skipped(name, "holds NaN or infinity")
            continue
        if not matrix.any():
            yield Skipped(name, "all zero")
            continue
        yield from _parts(name, matrix, split)


def _unfit(array: np.ndarray) -> str | None:
    if array.dtype.kind not in "f" and array.dtype.name not in (
        "bfloat16",
        "float8_e4m3fn",
        "float8_e5m2",
    ):
        return f"{array.dtype}, no real floating-point numbers"
    if array.ndim < 2:
        return "a vector" if array.ndim else "a single number"
    if array.ndim > 5:
        return f"{array.ndim} axes are neither a matrix nor a convolution"
    return None if array.size else "empty"


def _parts(
    name: str, matrix: Floats, split: int | dict[str, int]
) -> Iterator[tuple[str, Floats] | Skipped]:
    fused = any(word in name.lower() for word in ("qkv", "query_key_value", "c_attn"))
    parts = split.get(name, 1) if isinstance(split, dict) else (split if fused else 1)
    axis = int(np.argmax(matrix.shape))
    if parts == 1:
        yield name, matrix
    elif matrix.shape[axis] % parts:
        yield Skipped(name, f"{matrix.shape[axis]} rows do not split into {parts} equal parts")
    else:
        for number, part in enumerate(np.split(matrix, parts, axis=axis)):
            yield f"{name}[{number}]", part
