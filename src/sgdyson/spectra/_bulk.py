r"""The noise in a weight matrix: Marchenko and Pastur's bulk, its edge, and what stands above.

Of an M x n matrix (n <= M) of independent entries of variance sigma^2, the largest level of
W^T W is $\sigma^2 (\mu + \nu \Lambda)$, $\Lambda$ of Tracy and Widom's law of beta = 1,

$$\mu = \big(\sqrt{M - 1/2} + \sqrt{n - 1/2}\big)^2, \qquad
\nu = \big(\sqrt{M - 1/2} + \sqrt{n - 1/2}\big)
\big((M - 1/2)^{-1/2} + (n - 1/2)^{-1/2}\big)^{1/3}$$

(I. M. Johnstone, Ann. Stat. 29, 295 (2001); Z. Ma, Bernoulli 18, 322 (2012)).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import require
from ..laws import MarchenkoPastur, TracyWidom
from ..stats import Estimate

Floats = NDArray[np.float64]
_FEWEST = 5  # levels, from which the edge has Tracy and Widom's law


@dataclass(frozen=True)
class Bulk:
    """Noise and outliers of one matrix.

    Attributes:
        sigma: standard deviation of an entry of the noise; its error is that of Gaussian entries.
        edge: singular value at which the bulk ends, without fluctuation.
        threshold: singular value above which noise alone rises with the chance `false_alarm`.
        outliers: singular values above the threshold.
        false_alarm: of one outlier or more in a matrix of noise.
        distance: largest distance of the cdf of the bulk's levels from Marchenko and Pastur's.
    """

    sigma: Estimate
    edge: Estimate
    threshold: float
    outliers: int
    false_alarm: float
    distance: float


def fit_bulk(singular_values: ArrayLike, shape: tuple[int, int], false_alarm: float = 0.01) -> Bulk:
    r"""Fit Marchenko and Pastur's law to the bulk and count what rises above it.

    The k outliers known so far are left out, and $\hat\sigma^2 = \sum s_i^2/((M - k)(n - k))$ of
    the rest; begun from the median, which outliers hardly move, until k stays.

    Args:
        singular_values: all of them, descending.
        shape: of the matrix.
        false_alarm: chance to see an outlier in a matrix of noise.

    Returns:
        The bulk.

    Raises:
        InvalidInputError: fewer than five singular values, not descending, not as many as the
            shape says, all zero; a false-alarm rate outside (1e-8, 0.5).
    """
    s = np.asarray(singular_values, dtype=np.float64)
    n, m = sorted(shape)
    require(
        s.shape == (n,) and n >= _FEWEST,
        f"{s.shape} singular values of a matrix of shape {shape}; give all {n}, at least 5.",
    )
    require(
        bool(np.all(np.diff(s) <= 0) and s[-1] >= 0 and s[0] > 0),
        "singular values must be descending, not negative and not all zero.",
    )
    require(1e-8 < false_alarm < 0.5, f"false_alarm = {false_alarm!r} must be in (1e-8, 0.5).")
    levels = s**2
    top = _threshold(n, m, false_alarm)
    variance = float(np.median(levels)) / (m * _median(n / m))
    outliers, seen = int(np.sum(levels > top * variance)), set()
    while outliers not in seen and outliers < n:
        seen.add(outliers)
        variance = float(levels[outliers:].sum()) / ((m - outliers) * (n - outliers))
        outliers = int(np.sum(levels > top * variance))
    sigma = float(np.sqrt(variance))
    entries = (m - outliers) * (n - outliers)
    noise = Estimate(sigma, sigma / float(np.sqrt(2 * entries)), float(entries))
    bulk = levels[outliers:][::-1]
    law = MarchenkoPastur(n / m, sigma) if sigma else None
    places = np.arange(len(bulk) + 1) / max(len(bulk), 1)
    cdf = law.cdf(bulk / m) if law else np.zeros(len(bulk))
    return Bulk(
        sigma=noise,
        edge=noise * float(np.sqrt(m) + np.sqrt(n)),
        threshold=float(np.sqrt(top)) * sigma,
        outliers=outliers,
        false_alarm=false_alarm,
        distance=float(np.maximum(places[1:] - cdf, cdf - places[:-1]).max(initial=0.0)),
    )


@lru_cache
def _threshold(n: int, m: int, false_alarm: float) -> float:
    """Level of W^T W, in units of sigma^2."""
    long, short = np.sqrt(m - 0.5), np.sqrt(n - 0.5)
    scale = (long + short) * (1 / long + 1 / short) ** (1 / 3)
    quantile = float(TracyWidom(1).ppf(1 - false_alarm))
    return float((long + short) ** 2 + scale * quantile)


@lru_cache
def _median(ratio: float) -> float:
    return float(MarchenkoPastur(ratio).ppf(0.5))
