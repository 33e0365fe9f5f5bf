"""The spectrum of one weight matrix, and the numbers read off it."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import eigsh

from ..errors import require
from ..stats import Estimate, GoodnessOfFit, wigner_ks_test
from ._bulk import Bulk, fit_bulk
from ._long_range import mean_ratio
from ._tail import Tail, fit_tail
from ._unfolding import unfold

Floats = NDArray[np.float64]
_SMALL = 64  # singular values, up to which there is no time to be won
_EXACT = 1e-5  # of the largest: a smaller one is not exact to six digits through a Gram matrix
_FOR_BULK, _FOR_SPACINGS = 5, 64


@dataclass(frozen=True)
class MatrixSpectrum:
    """One weight matrix.

    Attributes:
        name: of the matrix.
        shape: rows and columns.
        singular_values: descending.
        bulk: noise, edge and outliers; None below five singular values.
        mean_ratio: <r> of the bulk: 0.5307 of real noise, 0.3863 of independent levels.
        ks_wigner: the surmise, tested on every second spacing of the unfolded bulk.
        stable_rank: Frobenius norm squared over spectral norm squared.
        effective_rank: exp of the entropy of s/sum(s) (O. Roy and M. Vetterli, EUSIPCO 2007).
        frobenius: norm.
        spectral: norm, the largest singular value.
        tail: where it was asked for.
        random_spectral: largest singular value with the entries shuffled, where it was asked for:
            what the same entries do without correlations.
    """

    name: str
    shape: tuple[int, int]
    singular_values: Floats = field(repr=False)
    bulk: Bulk | None
    mean_ratio: Estimate | None
    ks_wigner: GoodnessOfFit | None
    stable_rank: float
    effective_rank: float
    frobenius: float
    spectral: float
    tail: Tail | None = None
    random_spectral: float | None = None

    def to_row(self) -> dict[str, Any]:
        """Plain values, one row of a table."""
        bulk, ratio, test, tail = self.bulk, self.mean_ratio, self.ks_wigner, self.tail
        row: dict[str, Any] = {
            "name": self.name, "rows": self.shape[0], "columns": self.shape[1],
            "sigma": bulk and bulk.sigma.value, "sigma_error": bulk and bulk.sigma.error,
            "edge": bulk and bulk.edge.value, "threshold": bulk and bulk.threshold,
            "outliers": bulk and bulk.outliers, "mp_distance": bulk and bulk.distance,
            "mean_ratio": ratio and ratio.value, "mean_ratio_error": ratio and ratio.error,
            "ks_wigner": test and test.statistic, "ks_pvalue": test and test.pvalue,
            "stable_rank": self.stable_rank, "effective_rank": self.effective_rank,
            "frobenius": self.frobenius, "spectral": self.spectral,
        }  # fmt: skip
        if tail:
            row |= {"tail_exponent": tail.exponent.value,
                    "tail_exponent_error": tail.exponent.error, "tail_start": tail.start,
                    "tail_distance": tail.distance, "tail_pvalue": tail.pvalue}  # fmt: skip
        if self.random_spectral is not None:
            row["random_spectral"] = self.random_spectral
        return {key: _finite(value) for key, value in row.items()}


def singular_values(matrix: Floats) -> Floats:
    """All singular values, descending, in float64.

    Through the smaller Gram matrix, and by a decomposition of the matrix itself where one is below
    1e-5 of the largest, which the Gram matrix would lose in rounding.
    """
    if min(matrix.shape) > _SMALL:
        tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
        s = np.sqrt(np.maximum(np.linalg.eigvalsh(tall.T @ tall)[::-1], 0.0))
        if gram_suffices(s):
            return np.asarray(s)
    return np.asarray(np.linalg.svd(matrix, compute_uv=False))


def gram_suffices(s: Floats) -> bool:
    """Whether singular values of a Gram matrix, descending, have lost nothing in rounding."""
    return bool(s[-1] > _EXACT * s[0])


def _largest(matrix: Floats) -> float:
    """The largest singular value, to six digits."""
    if min(matrix.shape) <= _SMALL:
        return float(singular_values(matrix)[0])
    short = matrix.astype(np.float32)
    gram = short.T @ short if len(short) > short.shape[1] else short @ short.T
    found = eigsh(gram.astype(np.float64), 1, tol=1e-4, v0=np.ones(len(gram)),
                  return_eigenvectors=False)  # fmt: skip
    return float(np.sqrt(found[0]))


def spectrum(
    name: str,
    matrix: ArrayLike,
    *,
    false_alarm: float = 0.01,
    tail: bool = False,
    tail_draws: int = 100,
    randomise: int | None = None,
) -> MatrixSpectrum:
    """Measure one weight matrix.

    Args:
        name: of the matrix.
        matrix: (rows, columns).
        false_alarm: of an outlier, for a matrix of noise.
        tail: also fit a power law to the tail of the levels.
        tail_draws: samples behind its p-value, which take most of the time; 0 for none.
        randomise: a seed: also find the largest singular value with the entries shuffled.

    Raises:
        InvalidInputError: no matrix, NaN or infinity, all zero.
    """
    w = np.asarray(matrix, dtype=np.float64)
    require(
        w.ndim == 2 and w.size > 0 and bool(np.isfinite(w).all()) and bool(w.any()),
        f"{name} of shape {w.shape} must be a matrix of finite numbers, not all zero.",
    )
    found = measure_values(name, singular_values(w), (len(w), w.shape[1]), false_alarm)
    if tail:
        found = replace(found, tail=fit_tail(found.singular_values**2, tail_draws))
    if randomise is None:
        return found
    entries = w.flatten()
    np.random.Generator(np.random.MT19937(randomise)).shuffle(entries)  # the fastest at this
    return replace(found, random_spectral=_largest(entries.reshape(w.shape)))


def measure_values(
    name: str,
    s: Floats,
    shape: tuple[int, int],
    false_alarm: float = 0.01,
) -> MatrixSpectrum:
    """The same from all singular values, descending, of a matrix of this shape."""
    bulk = fit_bulk(s, shape, false_alarm) if s.size >= _FOR_BULK else None
    inner = s[bulk.outliers if bulk else 0 :][::-1]
    inner = inner[inner > 1e-7 * s[0]]
    weights = s[s > 0] / s.sum()
    return MatrixSpectrum(
        name=name, shape=shape, singular_values=s, bulk=bulk,
        mean_ratio=mean_ratio(inner) if inner.size >= _FOR_SPACINGS else None,
        ks_wigner=_surmise(inner) if inner.size >= _FOR_SPACINGS else None,
        stable_rank=float(np.sum((s / s[0]) ** 2)),
        effective_rank=float(np.exp(-np.sum(weights * np.log(weights)))),
        frobenius=float(np.linalg.norm(s)), spectral=float(s[0]),
    )  # fmt: skip


def _surmise(inner: Floats) -> GoodnessOfFit | None:
    """Neighbours repel, and so do spacings: every second one is nearly independent."""
    if not np.diff(inner).min() > 0:
        return None  # exact multiplicities, of a structured matrix
    spacing = np.diff(unfold(inner, "polynomial", trim=0.05))
    return wigner_ks_test(np.maximum(spacing[::2], 0.0))


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
