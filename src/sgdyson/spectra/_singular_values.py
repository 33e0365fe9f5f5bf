"""All singular values of a matrix, through the smaller Gram matrix where that is exact."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from scipy.linalg import blas
from scipy.sparse.linalg import LinearOperator, eigsh

from .._types import Floats
from ._blocks import Matrix, gram, largest_entry, tall_of
from ._small_values import with_small_values

_SMALL = 64  # singular values, up to which there is no time to be won
_EXACT = 1e-5  # of the largest: a smaller one is not exact to six digits through a Gram matrix


def singular_values(matrix: Matrix) -> Floats:
    """All singular values, descending, in float64.

    Through the smaller Gram matrix; those below 1e-5 of the largest, which it would lose in
    rounding, by the matrix itself. Beside the matrix, of any type of real numbers, there is room
    for one Gram matrix.
    """
    unit = unit_of(largest_entry(matrix))
    return values_in_unit(matrix, unit)


def values_in_unit(matrix: Matrix, unit: float) -> Floats:
    """The same, of a matrix whose `unit_of` is known."""
    w = matrix if unit == 1.0 else matrix.astype(np.float64) / unit
    if min(w.shape) > _SMALL:
        levels = linalg.eigh(
            gram(w), lower=True, eigvals_only=True, overwrite_a=True, check_finite=False,
            driver="evd",
        )  # fmt: skip
        s = np.sqrt(np.maximum(levels[::-1], 0.0))
        if not gram_suffices(s):
            s = with_small_values(tall_of(w), s, _EXACT)
        return times(s, unit)
    tall = tall_of(w).astype(np.float64, copy=False)
    return times(np.linalg.svd(tall, compute_uv=False), unit)


def singular_values_of(matrices: Sequence[Floats]) -> list[Floats]:
    """Singular values of finite matrices; small ones of one shape are decomposed in one call."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for place, matrix in enumerate(matrices):
        alike.setdefault(matrix.shape, []).append(place)
    values: list[Floats] = [np.zeros(0)] * len(matrices)
    for shape, places in alike.items():
        stack = np.array([matrices[p] for p in places]) if min(shape) <= _SMALL else np.zeros(0)
        if stack.size and unit_of(float(np.abs(stack).max())) == 1.0:
            together = list(np.linalg.svd(stack, compute_uv=False))
        else:
            together = [singular_values(matrices[place]) for place in places]
        for place, s in zip(places, together, strict=True):
            values[place] = s
    return values


def gram_suffices(s: Floats) -> bool:
    """Whether singular values of a Gram matrix, descending, have lost nothing in rounding."""
    return bool(s[-1] > _EXACT * s[0])


def unit_of(largest: float) -> float:
    """1, or a power of two near the largest entry where its square is too large or too small."""
    if largest == 0.0 or 1e-15 < largest < 1e15:  # where squares are exact in float32 too
        return 1.0
    return math.ldexp(1.0, max(math.frexp(largest)[1], -1022))


def times(s: ArrayLike, unit: float) -> Floats:
    """Values in another unit, as they are where it is 1."""
    return np.asarray(s) if unit == 1.0 else np.asarray(s) * unit


def largest_levels(matrix: Matrix, count: int) -> Floats:
    """Squares of the largest singular values, descending, to five digits."""
    size = min(matrix.shape)
    if size <= _SMALL or 8 * count > size:
        return singular_values(matrix.astype(np.float64))[:count] ** 2
    triangle = gram(matrix, np.float32)
    product = LinearOperator(
        (size, size), lambda x: blas.ssymv(1.0, triangle, x, lower=1), dtype=np.float32
    )
    # ARPACK would begin at random, and the last digits change from call to call
    start = np.ones(size, np.float32)
    squares = eigsh(product, count, tol=1e-4, v0=start, return_eigenvectors=False)
    return np.sort(squares.astype(np.float64))[::-1]
