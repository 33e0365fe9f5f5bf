"""A symmetric teacher by its eigenvalues, and the noise of its labels."""

from __future__ import annotations

import numpy as np
from jaxtyping import Array, PRNGKeyArray

from .._normals import normals
from .._types import ArrayLike
from ..errors import require
from ._numbers import Numbers, dagger


def teacher_eigenvalues(teacher: ArrayLike, beta: int) -> np.ndarray:
    """Eigenvalues of a teacher, descending, or of a list of them.

    Raises:
        InvalidInputError: no finite numbers, a matrix that is not symmetric, or of another shape.
    """
    matrix = np.asarray(teacher)
    hermitian = matrix.dtype.kind == "c" and matrix.ndim == 2 and beta == 2
    require(
        matrix.dtype.kind in "fiu" or hermitian,
        f"teacher of type {matrix.dtype} must hold real numbers; a complex matrix is for beta = 2.",
    )
    matrix = matrix.astype(complex if hermitian else float)
    require(
        matrix.size > 0 and bool(np.isfinite(matrix).all()),
        f"teacher = {teacher!r} must be finite numbers, at least one.",
    )
    if matrix.ndim == 2:
        square = matrix.shape[0] == matrix.shape[1]
        require(
            square and bool(np.allclose(matrix, matrix.conj().T, rtol=1e-10, atol=0)),
            f"teacher of shape {matrix.shape} must be a symmetric matrix; symmetrise it as"
            " (T + T.T)/2, or give its eigenvalues.",
        )
        matrix = np.linalg.eigvalsh(matrix)
    require(matrix.ndim == 1, f"teacher of shape {matrix.shape} must be (N,) or (N, N).")
    return np.sort(matrix)[::-1].copy()


def hermitian_noise(numbers: Numbers, key: PRNGKeyArray, n: int) -> Array:
    """Hermitian noise, of variance 1 in each component off the diagonal and 2 on it."""
    if numbers.beta == 1:
        return _symmetric(key, n)
    # components of variance 1/2: the sum with the adjoint has 1 off the diagonal, 2 on it
    normal = numbers.normals(key, (n, n)) * (numbers.beta / 2) ** 0.5
    return normal + dagger(normal)


def _symmetric(key: PRNGKeyArray, n: int) -> Array:
    """A symmetric matrix of variance 1 off the diagonal and 2 on it (GOE)."""
    rows, columns = np.triu_indices(n)
    entries = normals(key, (n * (n + 1) // 2,)) * np.where(rows == columns, 2**0.5, 1.0)
    place = np.zeros((n, n), dtype=int)
    place[rows, columns] = place[columns, rows] = np.arange(len(rows))
    matrix: Array = entries[place]
    return matrix
