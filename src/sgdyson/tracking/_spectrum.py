"""The spectrum of one weight matrix, and the numbers read off it."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InvalidInputError, require
from ..spectra import mean_ratio, unfold
from ..stats import Estimate, GoodnessOfFit, wigner_ks_test
from ._bulk import Bulk, fit_bulk

Floats = NDArray[np.float64]
_THIN = 4  # times as many rows as columns, from which the Gram matrix is as good and faster
_FOR_BULK, _FOR_SPACINGS = 5, 64


@dataclass(frozen=True)
class Tail:
    """A power law fitted to the tail of the levels of W^T W by the package `powerlaw`.

    Attributes:
        exponent: of the density, with its standard error.
        start: level where the tail begins.
        distance: Kolmogorov and Smirnov's, of the tail and the fit.
    """

    exponent: Estimate
    start: float
    distance: float


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
            row |= {"tail_exponent": tail.exponent.value, "tail_error": tail.exponent.error,
                    "tail_start": tail.start, "tail_distance": tail.distance}  # fmt: skip
        if self.random_spectral is not None:
            row["random_spectral"] = self.random_spectral
        return {key: _finite(value) for key, value in row.items()}


def singular_values(matrix: Floats) -> Floats:
    """All singular values, descending, in float64.

    Of a long thin matrix through its smaller Gram matrix: those below 1e-8 of the largest are
    then lost in rounding.
    """
    n, m = sorted(matrix.shape)
    if m < _THIN * n:
        return np.asarray(np.linalg.svd(matrix, compute_uv=False))
    tall = matrix if matrix.shape[0] == m else matrix.T
    return np.asarray(np.sqrt(np.maximum(np.linalg.eigvalsh(tall.T @ tall)[::-1], 0.0)))


def spectrum(
    name: str,
    matrix: ArrayLike,
    *,
    false_alarm: float = 0.01,
    tail: bool = False,
    randomise: int | None = None,
) -> MatrixSpectrum:
    """Measure one weight matrix.

    Args:
        name: of the matrix.
        matrix: (rows, columns).
        false_alarm: of an outlier, for a matrix of noise.
        tail: also fit a power law to the tail; slow, and needs the package `powerlaw`.
        randomise: a seed: also find the largest singular value with the entries shuffled.

    Raises:
        InvalidInputError: no matrix, NaN or infinity, all zero, or `powerlaw` is missing.
    """
    w = np.asarray(matrix, dtype=np.float64)
    require(
        w.ndim == 2 and w.size > 0 and bool(np.isfinite(w).all()) and bool(w.any()),
        f"{name} of shape {w.shape} must be a matrix of finite numbers, not all zero.",
    )
    found = measure_values(name, singular_values(w), (len(w), w.shape[1]), false_alarm, tail)
    if randomise is None:
        return found
    shuffled = np.random.default_rng(randomise).permuted(w.ravel()).reshape(w.shape)
    return replace(found, random_spectral=float(singular_values(shuffled)[0]))


def measure_values(
    name: str,
    s: Floats,
    shape: tuple[int, int],
    false_alarm: float = 0.01,
    tail: bool = False,
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
        tail=fit_tail(s**2) if tail else None,
    )  # fmt: skip


def _surmise(inner: Floats) -> GoodnessOfFit | None:
    """Neighbours repel, and so do spacings: every second one is nearly independent."""
    if not np.diff(inner).min() > 0:
        return None  # exact multiplicities, of a structured matrix
    spacing = np.diff(unfold(inner, "polynomial", trim=0.05))
    return wigner_ks_test(np.maximum(spacing[::2], 0.0))


def fit_tail(levels: Floats) -> Tail:
    """Fit a power law (A. Clauset, C. Shalizi and M. Newman, SIAM Rev. 51, 661 (2009))."""
    try:
        import powerlaw
    except ImportError as error:
        raise InvalidInputError(
            'the tail exponent needs powerlaw; install it with: pip install "sgdyson[tail]".'
        ) from error
    fit = powerlaw.Fit(levels[levels > 0], verbose=False)
    law = fit.power_law
    return Tail(
        Estimate(float(law.alpha), float(law.sigma), float(np.sum(levels >= law.xmin))),
        float(law.xmin), float(law.D),
    )  # fmt: skip


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
