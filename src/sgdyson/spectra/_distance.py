"""Two weight matrices of one shape held against each other: their spectra, and their subspaces."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._types import ArrayLike, Floats
from ..errors import require
from ..stats import Estimate
from ._levels import real_matrices
from ._matrix_spectrum import MatrixSpectrum
from ._spectrum import spectrum


@dataclass(frozen=True)
class MatrixDistance:
    r"""How far a matrix $A$ is from $B$.

    Attributes:
        name: name of the matrix.
        shape: rows and columns.
        distance: $\lVert A - B\rVert_F / \lVert B\rVert_F$, Frobenius norms.
        spectral_distance: $\lVert A - B\rVert / \lVert B\rVert$, largest singular values.
        values_distance: $(\sum_i (s_i(A) - s_i(B))^2)^{1/2} / \lVert B\rVert_F$: what the singular
            values alone have moved, at most `distance` (L. Mirsky, Quart. J. Math. 11, 50, 1960).
        rank: number k of leading singular vectors whose subspaces are compared; of none, the
            overlaps and what is by chance are None.
        left_overlap: $\lVert U_A^T U_B\rVert_F^2 / k$ of the k leading left vectors: 1 of the same
            subspace, and k over the number of rows, with `chance`, of independent ones.
        right_overlap: of the right vectors.
        left_chance: mean of `left_overlap` of independent subspaces, with the standard deviation.
        right_chance: of `right_overlap`.
        change: spectrum of A - B: noise, or outliers above it, directions that were learnt; None
            where nothing has changed.
    """

    name: str
    shape: tuple[int, int]
    distance: float
    spectral_distance: float
    values_distance: float
    rank: int
    left_overlap: float | None
    right_overlap: float | None
    left_chance: Estimate | None
    right_chance: Estimate | None
    change: MatrixSpectrum | None

    def to_row(self) -> dict[str, Any]:
        """Plain values, one row of a table; what the change has is under `change_`."""
        change = self.change.to_row() if self.change else {}
        named = ("sigma", "outliers", "bulk_pvalue", "stable_rank", "rank")
        return {
            "name": self.name, "rows": self.shape[0], "columns": self.shape[1],
            "distance": self.distance, "spectral_distance": self.spectral_distance,
            "values_distance": self.values_distance, "vectors": self.rank,
            "left_overlap": self.left_overlap,
            "left_chance": self.left_chance and self.left_chance.value,
            "left_chance_error": self.left_chance and self.left_chance.error,
            "right_overlap": self.right_overlap,
            "right_chance": self.right_chance and self.right_chance.value,
            "right_chance_error": self.right_chance and self.right_chance.error,
        } | {f"change_{key}": change.get(key) for key in named}  # fmt: skip


def matrix_distance(
    name: str, a: ArrayLike, b: ArrayLike, *, rank: int | None = None, false_alarm: float = 0.01
) -> MatrixDistance:
    """Hold a matrix against another of its shape.

    Args:
        name: name of the matrix.
        a: (rows, columns).
        b: the matrix it is held against, which sets the units.
        rank: number of leading vectors whose subspaces are compared; by default the outliers of
            `b` (vectors of noise have nothing to say), or of a `b` without a bulk of noise the
            whole part of its stable rank.
        false_alarm: see `spectrum`.

    Raises:
        InvalidInputError: of different shapes, not finite, or all zero.

    Examples:
        >>> import numpy as np
        >>> b = np.diag([3.0, 2.0, 1.0])
        >>> moved = matrix_distance("w", 2 * b, b, rank=1)
        >>> round(moved.distance, 12), round(moved.values_distance, 12), moved.left_overlap
        (1.0, 1.0, 1.0)
    """
    one, other = real_matrices(name, a), real_matrices(name, b)
    require(
        one.shape == other.shape,
        f"{name} is of shape {one.shape} here and {other.shape} there; only one shape compares.",
    )
    require(bool(np.isfinite(one).all()), f"{name} holds NaN or infinity; give finite numbers.")
    reference = spectrum(name, other, false_alarm=false_alarm)
    k, unit, difference = _rank(reference, rank), reference.spectral, one - other
    # in units of the largest value: squares of the entries themselves may overflow
    u, s, v = np.linalg.svd(one / unit, full_matrices=False)
    up, sp, vp = np.linalg.svd(other / unit, full_matrices=False)
    change = spectrum(name, difference, false_alarm=false_alarm) if difference.any() else None
    norm = float(np.linalg.norm(sp))
    return MatrixDistance(
        name=name, shape=(one.shape[0], one.shape[1]),
        distance=float(np.linalg.norm(difference / unit)) / norm,
        spectral_distance=change.spectral / unit if change else 0.0,
        values_distance=float(np.linalg.norm(s - sp)) / norm, rank=k,
        left_overlap=_overlap(u[:, :k], up[:, :k]), right_overlap=_overlap(v[:k].T, vp[:k].T),
        left_chance=_chance(k, one.shape[0]), right_chance=_chance(k, one.shape[1]),
        change=change,
    )  # fmt: skip


def _rank(reference: MatrixSpectrum, rank: int | None) -> int:
    few, bulk = min(reference.shape), reference.bulk
    if rank is not None:
        require(1 <= rank <= few, f"rank = {rank} must be from 1 to {few}, the smaller side.")
        return rank
    return min(bulk.outliers if bulk and bulk.is_noise else int(reference.stable_rank), few)


def _overlap(one: Floats, other: Floats) -> float | None:
    if not one.shape[1]:
        return None
    # of two subspaces: neither signs nor the order of vectors within them matter
    return float(np.sum((one.T @ other) ** 2)) / one.shape[1]


def _chance(k: int, n: int) -> Estimate | None:
    r"""Mean and standard deviation of the overlap of independent $k$ of $n$ dimensions.

    With $P$, $Q$ their projectors, $\mathrm{tr}\, P Q$ has the mean $k^2/n$ and the variance
    $2 k^2 (n-k)^2 / (n^2 (n-1)(n+2))$, by the second moments of a Haar matrix.
    """
    if not k:
        return None
    if k >= n:
        return Estimate(1.0, 0.0, 1)
    variance = 2 * k**2 * (n - k) ** 2 / (n**2 * (n - 1) * (n + 2))
    return Estimate(k / n, math.sqrt(variance) / k, 1)
