"""The few singular values that a Gram matrix loses in rounding, by the matrix itself."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from .._types import Floats
from ._blocks import Matrix, row_blocks

_LEAST_SIZE = 512  # singular values, from which a whole decomposition takes longer
_SHARE = 16  # a sixteenth of all singular values are few
_GUARDS = 8  # vectors beside twice as many as are wanted
_MOST_STEPS = 60
_SETTLED = 1e-8  # of a value, in a step that leaves a fraction of the error


def with_small_values(tall: Matrix, s: Floats, exact: float) -> Floats:
    """All singular values, where those above `exact` times the largest are known.

    The triangle R of a QR decomposition has the singular values of the matrix. Inverse iteration of
    a block, $R^{-1} R^{-T}$, turns to the smallest of them, and Rayleigh and Ritz's values of R
    there have an error of rounding of the largest, 1e-16 of it (G. H. Golub and C. F. Van Loan,
    Matrix Computations, 4th ed., section 8.2.4): as those of the whole decomposition, which takes
    several times as long, and is made where they are many.

    Args:
        tall: with at least as many rows as columns.
        s: singular values, descending, of its Gram matrix.
        exact: see above.
    """
    count = int(np.sum(s <= exact * s[0]))
    if s.size < _LEAST_SIZE or count * _SHARE > s.size:
        return decomposed(tall)
    root = triangle(tall)
    small = _smallest(root, count, float(s[0]))
    # Ritz values are never below the singular values: none is missing, if all are this small
    if small is None or small[0] > 1.001 * exact * s[0]:
        return np.asarray(np.linalg.svd(root, compute_uv=False))
    return np.sort(np.concatenate([s[: s.size - count], small]))[::-1]


def decomposed(tall: Matrix) -> Floats:
    """By the matrix itself; of a long one by the triangle of its QR decomposition."""
    rows, columns = tall.shape
    matrix = triangle(tall) if rows >= 2 * columns else tall.astype(np.float64, copy=False)
    return np.asarray(np.linalg.svd(matrix, compute_uv=False))


def triangle(tall: Matrix) -> Floats:
    """R of its QR decomposition, that of a long matrix a block of rows at a time."""
    rows, columns = tall.shape
    upper = np.zeros((0, columns))
    for block in row_blocks(tall, columns**2 if rows >= 2 * columns else tall.size):
        together = np.concatenate([upper, block])
        (upper,) = linalg.qr(together, mode="r", overwrite_a=True, check_finite=False)
        upper = upper[:columns]
    return upper


def _smallest(root: Floats, count: int, largest: float) -> Floats | None:
    """So many singular values of a triangle, descending; None where they do not settle."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((len(root), 2 * count + _GUARDS))
    before = np.full(count, np.inf)
    for _ in range(_MOST_STEPS):
        # in two halves: the whole inverse at once would square what the vectors differ by
        for transposed in ("T", "N"):
            try:
                vectors = linalg.solve_triangular(root, vectors, trans=transposed)
            except (linalg.LinAlgError, ValueError):  # a zero on its diagonal, or nearly one
                return None
            vectors = np.linalg.qr(vectors)[0]
        _, values, turned = np.linalg.svd(root @ vectors, full_matrices=False)
        vectors, small = vectors @ turned[::-1].T, values[-count:]
        if (np.abs(small - before) <= _SETTLED * small + np.finfo(float).eps * largest).all():
            return np.asarray(small)
        before = small
    return None
