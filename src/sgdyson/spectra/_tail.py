r"""A power law fitted to the tail of the levels, and how good it is.

The method of A. Clauset, C. Shalizi and M. Newman, SIAM Rev. 51, 661 (2009), as in the package
`powerlaw`, whose numbers these are: of the n levels from $x_\mathrm{min}$ up the exponent is
$\hat\alpha = 1 + n/\sum\ln(x_i/x_\mathrm{min})$ (their eq. 3.1), and of all $x_\mathrm{min}$ the
one with the smallest distance of Kolmogorov and Smirnov is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .._types import ArrayLike, Flags, Floats
from ..errors import require
from ..stats import Estimate
from ._truncated import TruncatedTail, fit_truncated

Places = NDArray[np.intp]
FEWEST = 3
_BLOCK = 32  # starts at once


@dataclass(frozen=True)
class Tail:
    """A power law fitted to the tail of the levels of W^T W.

    Attributes:
        exponent: exponent of the density, with its standard error.
        start: level where the tail begins.
        distance: Kolmogorov and Smirnov's, of the tail and the fit.
        pvalue: share of samples of the fitted law that lie as far from their own fit, below 0.1
            there is no power law (section 4.1 of Clauset et al.); None where no samples were drawn.
        truncated: the same levels under a power law with a cut-off; None where no samples were
            drawn, of levels so near to each other that the two parameters are one, and of levels
            too far apart for a float.
    """

    exponent: Estimate
    start: float
    distance: float
    pvalue: float | None
    truncated: TruncatedTail | None = None

    def in_units(self, unit: float) -> Tail:
        """The same tail of levels that are larger by a factor."""
        with np.errstate(over="ignore", under="ignore"):
            start = float(np.float64(self.start) * unit)
        truncated = self.truncated and self.truncated.in_units(unit)
        return replace(self, start=start, truncated=truncated)

    def to_row(self) -> dict[str, float | None]:
        """Plain values, as they stand in a row of a table of matrices."""
        cut = self.truncated
        rate = cut.rate if cut else None
        return {
            "tail_exponent": self.exponent.value, "tail_exponent_error": self.exponent.error,
            "tail_start": self.start, "tail_distance": self.distance, "tail_pvalue": self.pvalue,
            "cutoff_exponent": cut.exponent.value if cut else None,
            "cutoff_exponent_error": cut.exponent.error if cut else None,
            "cutoff_rate": rate.value if rate else None,
            "cutoff_rate_error": rate.error if rate else None,
            "cutoff_log_ratio": cut.log_ratio if cut else None,
            "cutoff_pvalue": cut.pvalue if cut else None,
        }  # fmt: skip


def fit_tail(levels: ArrayLike, draws: int = 100, seed: int = 0) -> Tail:
    """Fit a power law to the tail.

    Args:
        levels: positive ones are used, in any order; three or more different ones.
        draws: samples behind the p-value, whose error is at most half of 1/sqrt(draws), and ten
            times as many behind that of the cut-off; 0 for no p-value and no cut-off.
        seed: seed of the samples.

    Raises:
        InvalidInputError: fewer than three different positive levels.
    """
    x = np.asarray(levels, dtype=np.float64)
    x = np.sort(x[x > 0])
    different = _different(x)
    require(
        different >= FEWEST and bool(np.isfinite(x[-1])),
        f"{different} different positive levels have no tail; give three or more, all finite.",
    )
    first, exponent, distance = _best(x)
    size = len(x) - first
    pvalue = None
    if draws:
        random = np.random.default_rng(seed)
        drawn = (_draw(random, x, first, exponent) for _ in range(draws))
        pvalue = float(np.mean([_best(sample)[2] >= distance for sample in drawn]))
    # eq. (3.2) of Clauset et al.
    error = (exponent - 1) / size**0.5
    return Tail(
        Estimate(exponent, error, float(size)), float(x[first]), distance, pvalue,
        fit_truncated(x[first:] / x[first], exponent, 10 * draws, seed) if draws else None,
    )  # fmt: skip


def _different(x: Floats) -> int:
    """Levels that differ by more than the rounding of their logarithms, of ascending ones."""
    return int(np.sum(np.diff(np.log(x)) > 0)) + (x.size > 0)


def _best(x: Floats) -> tuple[int, float, float]:
    """Place of the start, exponent and distance, of ascending x."""
    logs = np.log(x)
    count = np.arange(len(x), 0, -1)
    means = np.cumsum(logs[::-1])[::-1] / count - logs  # of ln(x/start), above each start
    repeated = np.diff(logs, prepend=-np.inf) <= 0
    starts = np.flatnonzero(~repeated)
    starts = starts[logs[starts] < logs[-1]]  # the largest alone has no exponent
    distances = np.concatenate([
        _distances(logs, means, count, repeated, starts[i : i + _BLOCK])
        for i in range(0, len(starts), _BLOCK)
    ])  # fmt: skip
    best = int(np.argmin(distances))
    return int(starts[best]), float(1 + 1 / means[starts[best]]), float(distances[best])


def _distances(
    logs: Floats, means: Floats, count: Places, repeated: Flags, starts: Places
) -> Floats:
    """The largest |fitted cdf - share of the tail below| over the tail, for each start."""
    lowest = starts[0]
    place = np.arange(lowest, len(logs)) - starts[:, None]
    off = logs[lowest:] - logs[starts, None]
    off *= -1 / means[starts, None]
    np.exp(np.minimum(off, 0.0, out=off), out=off)
    off += place / count[starts, None] - 1
    np.abs(off, out=off)
    off[(place < 0) | repeated[lowest:]] = 0.0
    return np.asarray(off.max(axis=1))


def _draw(random: np.random.Generator, x: Floats, first: int, exponent: float) -> Floats:
    """Draw as many levels: below the start from the levels themselves, above it from the law.

    A sample with fewer than three different levels, which has no tail, is drawn again, as levels
    like these would not have been fitted.
    """
    while True:
        sample = _draw_once(random, x, first, exponent)
        if _different(sample) >= FEWEST:
            return sample


def _draw_once(random: np.random.Generator, x: Floats, first: int, exponent: float) -> Floats:
    above = random.binomial(len(x), 1 - first / len(x))
    # 1 - u: a generator may draw 0, and never 1
    tail = x[first] * (1 - random.random(above)) ** (-1 / (exponent - 1))
    body = random.choice(x[:first], len(x) - above) if first else np.empty(0)
    return np.sort(np.concatenate([body, tail]))
