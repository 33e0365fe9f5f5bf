"""A matrix a block at a time: of one in bfloat16 no copy in float64 is ever made whole."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import blas

from .._types import Flags, Floats

Matrix = np.ndarray[Any, Any]  # (rows, columns) of real numbers of any type
_IN_CACHE = 2**16  # entries that are looked at together: half a megabyte in float64
_IN_MEMORY = 2**22  # entries that are multiplied together


def row_blocks(matrix: Matrix, entries: int = _IN_CACHE) -> Iterator[Floats]:
    """Rows in float64, about so many entries at a time, a view where nothing is to be converted."""
    step = max(1, entries // matrix.shape[1])
    for first in range(0, len(matrix), step):
        yield matrix[first : first + step].astype(np.float64, copy=False)


def tall_of(matrix: Matrix) -> Matrix:
    """The matrix, or its transpose if it has more columns than rows."""
    return matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T


@dataclass(frozen=True)
class Looks:
    """What one look at all entries tells.

    Attributes:
        largest: absolute value; NaN or infinity if one is.
        rows: which of them are not zero.
        columns: which of them are not zero.
        single: whether float32 holds every entry as it is.
    """

    largest: float
    rows: Flags
    columns: Flags
    single: bool


def look_at(matrix: Matrix) -> Looks:
    """Look once at all entries, in blocks that stay in the cache; up to one that is not finite."""
    columns, rows = np.zeros(matrix.shape[1], bool), np.zeros(len(matrix), bool)
    largest, single, done = 0.0, True, 0
    # float32 has 24 bits: whole numbers of 32 may need more
    narrow = matrix.dtype.itemsize <= 4 and matrix.dtype.kind not in "iu"
    for block in row_blocks(matrix):
        top = top_of(block)
        if not math.isfinite(top):
            return Looks(top, rows, columns, False)
        alive = block != 0
        rows[done : done + len(block)] = alive.any(axis=1)
        columns |= alive.any(axis=0)
        with np.errstate(over="ignore"):
            single = narrow or (single and bool((block.astype(np.float32) == block).all()))
        largest, done = max(largest, top), done + len(block)
    return Looks(largest, rows, columns, single)


def largest_entry(matrix: Matrix) -> float:
    """The largest absolute value; infinity or NaN if one is."""
    largest = 0.0
    for block in row_blocks(matrix):
        top = top_of(block)
        if not math.isfinite(top):
            return top
        largest = max(largest, top)
    return largest


def top_of(block: Floats) -> float:
    """The largest absolute value of a block that is not empty."""
    # of both ends: np.abs would make a copy of the block
    return max(float(block.max()), -float(block.min()))


def mean_of(matrix: Matrix) -> float:
    """The mean of all entries."""
    return sum(float(block.sum()) for block in row_blocks(matrix)) / matrix.size


def central_moments(matrix: Matrix, mean: float) -> tuple[float, float]:
    """Means of the second and of the fourth power of what entries are above the mean."""
    # about a mean that is known, in a second pass: raw moments cancel where entries have an offset
    second = fourth = 0.0
    for block in row_blocks(matrix):
        squares = (block - mean).ravel()
        squares *= squares
        second += float(squares.sum())
        fourth += float(squares @ squares)
    return second / matrix.size, fourth / matrix.size


def gram(matrix: Matrix, dtype: type[np.floating] = np.float64) -> Matrix:
    """The smaller of W^T W and W W^T, its lower triangle; above it stands nothing of use.

    One BLAS call for each block adds to the triangle in its place.
    """
    tall = tall_of(matrix)
    size = tall.shape[1]
    total = np.zeros((size, size), dtype, order="F")
    add = blas.dsyrk if dtype is np.float64 else blas.ssyrk
    step = max(1, _IN_MEMORY // size)
    for first in range(0, len(tall), step):
        block = tall[first : first + step].astype(dtype, copy=False)
        # BLAS takes either order of a block as it lies, and would copy any other
        if block.flags.c_contiguous:
            total = add(1.0, block.T, 1.0, total, lower=1, overwrite_c=1)
        else:
            total = add(1.0, np.asfortranarray(block), 1.0, total, trans=1, lower=1, overwrite_c=1)
    return total
