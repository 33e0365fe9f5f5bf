r"""The noise in a weight matrix: Marchenko and Pastur's bulk, its edge, and what stands above.

The largest level of noise has the law `sgdyson.laws.LargestLevel`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .._types import ArrayLike, Floats
from ..errors import require
from ..laws import LargestLevel, MarchenkoPastur, MarchenkoPasturSingular
from ..stats import Estimate
from ._sphericity import LEAST_KURTOSIS, sphericity_of_sums, sphericity_pvalue

FEWEST_LEVELS = 5
"""Singular values, from which `fit_bulk` fits: the edge of fewer has not Tracy and Widom's law."""


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
        pvalue: chance that independent entries of one variance, beside the outliers, have levels
            as far from Marchenko and Pastur's law; 0 where outliers are the majority.
        shape: shape of the matrix.

    Examples:
        >>> import numpy as np
        >>> from sgdyson.spectra import spectrum
        >>> bulk = spectrum("w", 0.1 * np.random.default_rng(0).standard_normal((300, 200))).bulk
        >>> bulk.is_noise, bulk.outliers, round(bulk.sigma.value, 2)
        (True, 0, 0.1)
    """

    sigma: Estimate
    edge: Estimate
    threshold: float
    outliers: int
    false_alarm: float
    distance: float
    pvalue: float
    shape: tuple[int, int]

    @property
    def is_noise(self) -> bool:
        """Whether there is a bulk at all: noise is refused with the chance `false_alarm`.

        If not, sigma, edge, threshold and outliers are those of a law that does not hold.
        """
        return self.pvalue >= self.false_alarm

    @property
    def law(self) -> MarchenkoPasturSingular:
        """The law of the singular values in the bulk."""
        n, m = sorted(self.shape)
        return MarchenkoPasturSingular(n / m, self.sigma.value * float(np.sqrt(m)))


def fit_bulk(
    singular_values: ArrayLike,
    shape: tuple[int, int],
    false_alarm: float = 0.01,
    kurtosis: float | None = None,
) -> Bulk:
    r"""Fit Marchenko and Pastur's law to the bulk and count what rises above it.

    The k outliers known so far are left out, and $\hat\sigma^2 = \sum s_i^2/((M - k)(n - k))$ of
    the rest; begun from the median, which outliers hardly move, until k stays. Whether the rest is
    noise is tested by `Bulk.pvalue`.

    Args:
        singular_values: all of them, descending.
        shape: shape of the matrix.
        false_alarm: chance to see an outlier in a matrix of noise; and to find noise none.
        kurtosis: excess kurtosis of all entries, for the test; -1.2 of uniform ones. Where it is
            not known, or outliers have a part in it, levels may be as narrow as those of any
            entries, and as wide as those of Gaussian ones.

    Returns:
        The bulk.

    Raises:
        InvalidInputError: fewer than five singular values, not descending, not as many as the
            shape says, all zero; a false-alarm rate outside (1e-8, 0.5).

    Examples:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).standard_normal((200, 100))
        >>> fit_bulk(np.linalg.svd(noise, compute_uv=False), noise.shape).outliers
        0
    """
    s = np.asarray(singular_values, dtype=np.float64)
    n, m = sorted(shape)
    require(
        s.shape == (n,) and n >= FEWEST_LEVELS,
        f"{s.shape} singular values of a matrix of shape {shape}; give all {n}, at least 5.",
    )
    require(
        bool(np.all(np.diff(s) <= 0) and s[-1] >= 0 and 0 < s[0] < np.inf),
        "singular values must be descending, finite, not negative and not all zero.",
    )
    require(1e-8 < false_alarm < 0.5, f"false_alarm = {false_alarm!r} must be in (1e-8, 0.5).")
    # in units of the largest, whose square may be too large or too small for a float
    unit = float(s[0])
    levels = (s / unit) ** 2
    variance, outliers = _without_outliers(levels, m, highest_noise(n, m, false_alarm))
    bulk = levels[outliers:]
    return _bulk(
        shape, false_alarm, unit * float(np.sqrt(variance)), outliers,
        _distance(bulk[::-1] / (m * variance), n / m) if variance else 1.0,
        _pvalue(bulk, (m - outliers, n - outliers), n, kurtosis),
    )  # fmt: skip


def bulk_of_sums(
    shape: tuple[int, int],
    false_alarm: float,
    outliers: int,
    sums: tuple[float, Estimate],
    kurtosis: float | None,
) -> Bulk:
    """The bulk of a matrix of which only sums over its levels are known, and the outliers.

    Args:
        shape: of the matrix.
        false_alarm: see `fit_bulk`.
        outliers: how many.
        sums: of the other levels, exact, and of their squares.
        kurtosis: see `fit_bulk`.

    Returns:
        The bulk, its distance NaN.
    """
    n, m = sorted(shape)
    total, squares = sums
    entries = (m - outliers) * (n - outliers)
    # an outlier has its part in the kurtosis of all entries, which is then not that of the noise
    known = None if outliers else kurtosis
    range_of_it = (LEAST_KURTOSIS, 0.0) if known is None else (known, known)
    pvalue = 0.0
    if n - outliers >= max(2, n / 2) and total > 0:
        ratio = squares / total**2
        pvalue = sphericity_of_sums(ratio, (m - outliers, n - outliers), range_of_it)
    sigma = float(np.sqrt(total / entries))
    return _bulk(shape, false_alarm, sigma, outliers, float("nan"), pvalue)


def _bulk(
    shape: tuple[int, int], false_alarm: float, sigma: float, outliers: int, distance: float,
    pvalue: float,
) -> Bulk:  # fmt: skip
    n, m = sorted(shape)
    entries = (m - outliers) * (n - outliers)
    # of N Gaussian entries sigma^2 varies by 2 sigma^4/N, sigma by sigma^2/2N
    noise = Estimate(sigma, sigma / float(np.sqrt(2 * entries)), float(entries))
    return Bulk(
        sigma=noise,
        edge=noise * float(np.sqrt(m) + np.sqrt(n)),
        threshold=float(np.sqrt(highest_noise(n, m, false_alarm))) * sigma,
        outliers=outliers,
        false_alarm=false_alarm,
        distance=distance,
        pvalue=pvalue,
        shape=(shape[0], shape[1]),
    )


def _without_outliers(levels: Floats, m: int, top: float) -> tuple[float, int]:
    """Variance of an entry of the noise, and the number of levels above `top` times it."""
    n = len(levels)
    variance = float(np.median(levels)) / (m * median_level(n / m))
    # two counts may lead to each other: the first that comes again ends it
    outliers, seen = int(np.sum(levels > top * variance)), set()
    while outliers not in seen and outliers < n:
        seen.add(outliers)
        variance = float(levels[outliers:].sum()) / ((m - outliers) * (n - outliers))
        outliers = int(np.sum(levels > top * variance))
    return variance, outliers


def _distance(levels: Floats, ratio: float) -> float:
    places = np.arange(len(levels) + 1) / max(len(levels), 1)
    cdf = MarchenkoPastur(ratio).cdf(levels)
    return float(np.maximum(places[1:] - cdf, cdf - places[:-1]).max(initial=0.0))


def _pvalue(levels: Floats, shape: tuple[int, int], n: int, kurtosis: float | None) -> float:
    """Noise has one outlier at the most, and never a majority of them."""
    if len(levels) < max(2, n / 2) or not levels.any():
        return 0.0
    if kurtosis is None or len(levels) < n:
        return sphericity_pvalue(levels, shape, (LEAST_KURTOSIS, 0.0))
    return sphericity_pvalue(levels, shape, (kurtosis, kurtosis))


@lru_cache
def highest_noise(n: int, m: int, false_alarm: float) -> float:
    """Level of W^T W that noise reaches with this chance, in units of sigma^2."""
    return float(LargestLevel.of_singular_values((m, n)).ppf(1 - false_alarm)) ** 2


@lru_cache
def median_level(ratio: float) -> float:
    return float(MarchenkoPastur(ratio).ppf(0.5))
