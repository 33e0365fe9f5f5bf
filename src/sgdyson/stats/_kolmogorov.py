r"""Kolmogorov-Smirnov's D of the Wigner surmise when its mean is estimated from the samples.

Under the null $\sqrt n (F_n(u) - u)$ tends to a Gaussian process. The estimate of the mean changes
its covariance (Durbin, Ann. Stat. 1, 279 (1973)), correlation within replicas changes it too, and
the p-value is the share of draws of this process whose largest excursion is above D.
"""

from functools import cache

import numpy as np

from .._types import ArrayLike, Floats
from . import _anderson_darling as ad
from ._goodness import GoodnessOfFit, _samples, _title, largest_distance
from ._samples import dyson_index
from ._surmise import cdf, estimated_process, moved_by_the_mean

_NODES = 128
_DRAWS = 10_000
# draws and data are compared at these nodes: what lies between them is missed in both
GRID: Floats = (np.arange(_NODES) + 0.5) / _NODES


def wigner_ks_test(spacings: ArrayLike, beta: int = 1) -> GoodnessOfFit:
    r"""Kolmogorov-Smirnov test of the surmise, the mean spacing estimated.

    Args:
        spacings: (n,) independent, or (replica, sample) with any correlation within a replica.
        beta: of the surmise: 1, $1 - e^{-\pi s^2/4}$, 2 or 4.

    Returns:
        The largest distance D of the cdfs, and its p-value, in steps of 1e-4.

    Raises:
        InvalidInputError: NaN, or fewer than 50 replicas.
    """
    x, beta = _samples(spacings), dyson_index(beta)
    s = x / x.mean()
    u, independent = cdf(s, beta), _independent(beta)
    if u.ndim == 1:
        covariance, clusters, excursions = independent, float(u.size), _usual_excursions(beta)
    else:
        # a replica counts twice: by its samples, and by its share in the mean, which scales all
        influence = ad.replica_deviations(u, GRID) + np.multiply.outer(
            (s - 1).mean(axis=1), moved_by_the_mean(GRID, beta)[0]
        )
        covariance, clusters = np.cov(influence, rowvar=False), float(len(u))
        excursions = _excursions(covariance)
    pooled = np.searchsorted(np.sort(u, axis=None), GRID, side="right") / u.size - GRID
    reached = np.sum(excursions >= np.sqrt(clusters) * np.abs(pooled).max())
    # the samples that, were they independent, would make the process fluctuate as much
    size = clusters * float(np.trace(independent) / np.trace(covariance))
    return GoodnessOfFit(
        # the data count as one more draw: no p-value is zero, and none too small on average
        largest_distance(u), float((1 + reached) / (1 + _DRAWS)), size,
        f"{_title(beta)}, mean spacing estimated",
    )  # fmt: skip


def _excursions(covariance: Floats) -> Floats:
    """Largest |Z| of draws of the process with this covariance on the grid, (draw,)."""
    values, vectors = np.linalg.eigh(covariance)
    # rounding makes some of the smallest negative; a millionth of the variance moves no excursion
    large = values > 1e-6 * values[-1]
    draws = _normals()[:, : int(large.sum())] * np.sqrt(values[large]) @ vectors[:, large].T
    return np.asarray(np.abs(draws).max(axis=1))


@cache
def _normals() -> Floats:
    """One draw for all tests: the same data have the same p-value."""
    return np.random.default_rng(0).standard_normal((_DRAWS, _NODES))


@cache
def _independent(beta: int) -> Floats:
    """Covariance of the process for independent samples."""
    return estimated_process(GRID, beta)


@cache
def _usual_excursions(beta: int) -> Floats:
    return _excursions(_independent(beta))
