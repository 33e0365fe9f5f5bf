"""From named arrays to weight matrices; what is none is listed with the reason."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._types import Floats
from ._blocks import largest_entry
from ._layouts import Layout, Shape, is_vectors, layout_of
from ._roles import is_optimiser_state

_FEWEST = 2
_FUSED = ("qkv", "query_key_value", "c_attn")


@dataclass(frozen=True)
class Skipped:
    """An array without a spectrum.

    Attributes:
        name: name of the array.
        reason: one phrase.
    """

    name: str
    reason: str


def weight_matrices(
    arrays: Iterable[tuple[str, Any] | Skipped],
    split: int | Mapping[str, int] = 1,
    layout: str | Mapping[str, str] = "auto",
    shapes: Mapping[str, Shape] | None = None,
    *,
    as_stored: bool = False,
) -> Iterator[tuple[str, Any] | Skipped]:
    """Matrices in float64, in the order of the arrays.

    A convolution becomes (out, in times kernel), what the layer does to one patch. PyTorch's
    are `(out, in, *kernel)`; an array called `kernel`, of Flax or Keras, is
    `(*kernel, in, out)`, one of attention (in, heads, size) or (heads, size, out). Experts and
    scanned layers, (number, rows, columns), are as many matrices, `name[0]`, `name[1]`, ... Fused
    matrices, such as query, key and value in one, are split along their longer axis.

    Args:
        arrays: names, and anything NumPy takes as an array; or a `Skipped`, which is passed on, as
            the second of a pair or alone.
        split: parts of every matrix with "qkv", "query_key_value" or "c_attn" in its name, or the
            number of parts by full name.
        layout: of arrays with three axes or more: "torch" takes the first axis as rows,
            "channels_last" the last, "stack" the last two axes as matrices, "auto" goes by name and
            shape; or one of these by full name, "auto" for the others.
        shapes: shapes of all arrays, by which a stack is told by the shape of its biases; those of
            `arrays`, where it is a sequence, if None.
        as_stored: give matrices in the type of their array, which takes a quarter of the room in
            bfloat16, where that is no wider than float64.

    Raises:
        InvalidInputError: another layout.
    """
    if shapes is None and isinstance(arrays, Sequence):
        shapes = {name: np.shape(value) for name, value in _pairs(arrays)}
    for item in arrays:
        name, value = (item.name, item) if isinstance(item, Skipped) else item
        if isinstance(value, Skipped):
            yield value
            continue
        if is_optimiser_state(name, shapes or ()):
            yield Skipped(name, "state of the optimiser")
            continue
        yield from _matrices_of(name, value, split, _kind(layout, name), shapes, as_stored)


def _kind(layout: str | Mapping[str, str], name: str) -> str:
    return layout if isinstance(layout, str) else layout.get(name, "auto")


def _pairs(arrays: Iterable[tuple[str, Any] | Skipped]) -> Iterator[tuple[str, Any]]:
    for item in arrays:
        if not isinstance(item, Skipped) and hasattr(item[1], "shape"):
            yield item


def _matrices_of(
    name: str,
    value: Any,
    split: int | Mapping[str, int],
    layout: str,
    shapes: Mapping[str, Shape] | None,
    as_stored: bool,
) -> Iterator[tuple[str, Any] | Skipped]:
    try:
        array = np.asarray(value)
    except Exception as error:  # of any kind: a key of JAX, a tensor without numbers
        yield Skipped(name, f"a {type(value).__name__} that NumPy does not take ({error})")
        return
    reason = _unfit(name, array)
    if reason:
        yield Skipped(name, reason)
        return
    for own, taken in _taken(name, array, layout_of(name, array.shape, layout, shapes)):
        matrix = taken if as_stored and array.dtype.itemsize <= 8 else _in_float64(taken)
        reason = _without_spectrum(array, matrix)
        yield from [Skipped(own, reason)] if reason else _parts(own, matrix, split)


def _in_float64(array: np.ndarray) -> Floats:
    if array.dtype.itemsize <= np.dtype(np.float64).itemsize:
        return array.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # too large: told as infinity
        return array.astype(np.float64)


def parts_of(
    name: str,
    array: Any,
    split: int | Mapping[str, int] = 1,
    layout: str | Mapping[str, str] = "auto",
    shapes: Mapping[str, Shape] | None = None,
) -> Iterator[tuple[str, Any]]:
    """What `weight_matrices` makes matrices of, as it is: of a gradient the parts as of its weight.

    Args:
        name: of the array.
        array: with two axes or more, of NumPy or a tensor of PyTorch.
        split: parts of fused matrices, see `weight_matrices`.
        layout: which axes are rows, see `weight_matrices`.
        shapes: of all arrays.

    Returns:
        Names and matrices, as many as there are; none of an array that does not split.
    """
    taken = layout_of(name, tuple(array.shape), _kind(layout, name), shapes)
    for stack in _taken(name, array, taken):
        for matrix in _parts(*stack, split):
            if not isinstance(matrix, Skipped):
                yield matrix


def _unfit(name: str, array: np.ndarray) -> str | None:
    if array.dtype.kind == "c":
        return f"{array.dtype}, complex numbers: spectra are of real matrices"
    if not is_real(array.dtype):
        return f"{array.dtype}, no real floating-point numbers"
    if array.ndim < 2:
        return "a vector" if array.ndim else "a single number"
    if array.ndim > 5:
        return f"{array.ndim} axes are neither a matrix nor a convolution"
    if not array.size:
        return "empty"
    return "biases or scales by its name, each a vector" if is_vectors(name) else None


def is_real(dtype: np.dtype) -> bool:
    """Whether numbers of this type can be weights; e8m0 is of scales, powers of two, alone."""
    if dtype.kind == "f":
        return True
    return dtype.name.startswith(("bfloat", "float")) and "e8m0" not in dtype.name


def _taken(name: str, array: Any, layout: Layout) -> Iterator[tuple[str, Any]]:
    """The matrices of an array, each made when it is asked for."""
    stack, core = array.shape[: layout.stack], array.shape[layout.stack :]
    if len(core) == 2 and not stack and layout.rows == (0,):  # by far the most
        yield name, array
        return
    columns = [axis for axis in range(len(core)) if axis not in layout.rows]
    order = (*layout.rows, *columns)
    height = math.prod(core[axis] for axis in layout.rows)
    for place in np.ndindex(*stack):
        inner = array[place]
        # NumPy's transpose is called otherwise by PyTorch
        turned = inner.permute(order) if hasattr(inner, "permute") else inner.transpose(order)
        number = ",".join(str(index) for index in place)
        own = f"{name}[{number}]" if math.prod(stack) > 1 else name
        yield own, turned.reshape(height, -1)


def _without_spectrum(array: np.ndarray, matrix: Any) -> str | None:
    if min(matrix.shape) < _FEWEST:
        return f"shape {array.shape}: a single row or column"
    largest = largest_entry(matrix)
    if not math.isfinite(largest):
        return "holds NaN or infinity"
    return None if largest else "all zero"


def _parts(
    name: str, matrix: Any, split: int | Mapping[str, int]
) -> Iterator[tuple[str, Any] | Skipped]:
    parts = _count(name, split)
    axis = 0 if matrix.shape[0] >= matrix.shape[1] else 1
    size, left = divmod(matrix.shape[axis], max(parts, 1))
    if parts == 1:
        yield name, matrix
    elif parts < 1 or left:
        yield Skipped(name, f"{matrix.shape[axis]} rows do not split into {parts} equal parts")
    else:
        for number in range(parts):
            chosen = slice(number * size, (number + 1) * size)
            yield f"{name}[{number}]", matrix[chosen] if axis == 0 else matrix[:, chosen]


def _count(name: str, split: int | Mapping[str, int]) -> int:
    if isinstance(split, Mapping):
        return split.get(name, 1)
    return split if split != 1 and any(word in name.lower() for word in _FUSED) else 1
