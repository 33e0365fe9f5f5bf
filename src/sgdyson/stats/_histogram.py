"""Histograms, for the eye only: no number is fitted to one."""

from dataclasses import dataclass

import numpy as np

from .._types import ArrayLike, Floats
from ..errors import require
from ._clusters import clustered_variances
from ._samples import finite

_MOST_BINS = 1000


@dataclass(frozen=True)
class Histogram:
    """An estimated density.

    Attributes:
        edges: (bin + 1,), from the smallest sample to the largest: no tail is cut.
        density: (bin,), of integral one.
        error: (bin,), one standard error; an empty bin has none.
    """

    edges: Floats
    density: Floats
    error: Floats

    @property
    def centres(self) -> Floats:
        """Midpoints of the bins, (bin,)."""
        return np.asarray((self.edges[1:] + self.edges[:-1]) / 2)


def density_histogram(samples: ArrayLike, edges: ArrayLike | None = None) -> Histogram:
    r"""Histogram with bins of width $2\,\mathrm{IQR}\,n^{-1/3}$.

    The rule is that of Freedman and Diaconis, Z. Wahrscheinlichkeitstheorie 57, 453 (1981); at
    most 1000 bins. Errors are binomial for independent samples, clustered by replica otherwise.

    Args:
        samples: (n,) independent, or (replica, ...) with samples that hang together in a replica.
        edges: edges of the bins, instead of the rule; samples outside still count in the integral.

    Returns:
        The histogram.

    Raises:
        InvalidInputError: NaN, samples that are all equal, edges that do not rise.

    Examples:
        >>> histogram = density_histogram([0.1, 0.2, 0.3, 0.9], edges=[0.0, 0.5, 1.0])
        >>> histogram.density
        array([1.5, 0.5])
    """
    x = finite(samples, "samples")
    require(bool(np.ptp(x) > 0), "samples are all equal; a histogram needs some that differ.")
    bounds = _edges(x) if edges is None else finite(edges, "edges")
    require(
        bounds.ndim == 1 and bounds.size >= 2 and bool(np.all(np.diff(bounds) > 0)),
        f"The edges of the bins are {bounds.tolist()}; they must rise.",
    )
    widths = np.diff(bounds)
    fraction = np.histogram(x, bounds)[0] / x.size
    if x.ndim == 1 or len(x) < 2:
        variance = fraction * (1.0 - fraction) / x.size
    else:
        variance = clustered_variances(_replica_fractions(x.reshape(len(x), -1), bounds))
    return Histogram(bounds, fraction / widths, np.sqrt(variance) / widths)


def _edges(x: Floats) -> Floats:
    quarter, three_quarters = np.quantile(x, [0.25, 0.75])
    width = 2.0 * float(three_quarters - quarter) * x.size ** (-1 / 3)
    span = float(np.ptp(x))
    # where quartiles coincide the rule's width is zero
    bins = int(np.ceil(span / width)) if width > span / _MOST_BINS else _MOST_BINS
    return np.linspace(x.min(), x.max(), max(bins, 1) + 1)


def _replica_fractions(x: Floats, edges: Floats) -> Floats:
    """(replica, bin), the last edge belonging to the last bin as in `numpy.histogram`."""
    place = np.searchsorted(edges, x, side="right")
    place[x == edges[-1]] = len(edges) - 1
    slots = len(edges) + 1
    flat = (place + slots * np.arange(len(x))[:, None]).ravel()
    counts = np.bincount(flat, minlength=slots * len(x)).reshape(len(x), slots)
    return np.asarray(counts[:, 1:-1] / x.shape[1])
