"""Statistics of unfolded spectra, near and far."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import require
from ..laws import Brody
from ..stats import Estimate, jackknife, mean_over_replicas

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, Floats, float], Floats]  # spectrum, starts of windows, L
_SEGMENTS = 10  # of a single spectrum, in place of samples
_WINDOWS_PER_LENGTH = 4


@dataclass(frozen=True)
class Curve:
    """A statistic at several arguments.

    Attributes:
        x: the arguments.
        estimates: the statistic at each of them, with its error over samples.
    """

    x: Floats
    estimates: list[Estimate]

    @property
    def value(self) -> Floats:
        """The values, shape of x."""
        return np.array([estimate.value for estimate in self.estimates])

    @property
    def error(self) -> Floats:
        """One standard error each, shape of x."""
        return np.array([estimate.error for estimate in self.estimates])


def mean_ratio(levels: ArrayLike) -> Estimate:
    r"""<r>, r the smaller of two successive spacings over the larger; needs no unfolding.

    Of large matrices 0.5307, 0.5996, 0.6744 for beta = 1, 2, 4, of independent levels 0.3863
    (Y. Y. Atas et al., Phys. Rev. Lett. 110, 084101 (2013)).

    Args:
        levels: shape (sample, level), or (level,), which is cut into ten segments for the error.

    Raises:
        InvalidInputError: too few levels.
    """
    gaps = np.abs(np.diff(_samples(levels), axis=1))
    larger = np.maximum(gaps[:, 1:], gaps[:, :-1])
    smaller = np.minimum(gaps[:, 1:], gaps[:, :-1])
    ratio = np.divide(smaller, larger, out=np.zeros_like(larger), where=larger > 0)
    return mean_over_replicas(ratio)


def number_variance(unfolded: ArrayLike, lengths: ArrayLike) -> Curve:
    r"""$\Sigma^2(L)$, the variance of the number of levels in a window of L mean spacings.

    Windows lie inside the spectrum, four of them begin within each L (F. J. Dyson and M. L. Mehta,
    J. Math. Phys. 4, 701 (1963)).

    Args:
        unfolded: shape (sample, level), or (level,), which is cut into ten segments.
        lengths: L, positive, shorter than half of a spectrum.
    """
    x = _samples(unfolded)
    return _curve(x, lengths, _variance)


def rigidity(unfolded: ArrayLike, lengths: ArrayLike) -> Curve:
    r"""$\Delta_3(L)$, mean square distance of the staircase from its best straight line.

    In closed form from the levels (O. Bohigas and M.-J. Giannoni, Ann. Phys. 89, 393 (1975)).
    Arguments as of `number_variance`.
    """
    return _curve(_samples(unfolded), lengths, _distance_from_line)


def form_factor(unfolded: ArrayLike, times: ArrayLike) -> Curve:
    r"""$K(\tau) = \langle |\sum_i w_i e^{2 \pi i \tau x_i}|^2 \rangle/\sum_i w_i^2$.

    The weights w fade out towards the edges as a squared cosine, so that the smooth density does
    not leak beyond $\tau$ of a few over the number of levels; below, K is not defined here.

    Args:
        unfolded: shape (sample, level), or (level,), which is cut into ten segments.
        times: tau, in units of the Heisenberg time, above 4/n.
    """
    x = _samples(unfolded)
    tau = np.atleast_1d(np.asarray(times, dtype=float))
    require(
        bool((tau > 4 / x.shape[1]).all()),
        f"times = {times!r} must exceed 4/{x.shape[1]} = {4 / x.shape[1]:.3g}, four over the number"
        " of levels.",
    )
    span = x[:, -1:] - x[:, :1]
    weights = np.sin(np.pi * (x - x[:, :1]) / span) ** 2
    found = []
    for one in tau:
        amplitude = np.sum(weights * np.exp(2j * np.pi * one * x), axis=1)
        found.append(mean_over_replicas(np.abs(amplitude) ** 2 / np.sum(weights**2, axis=1)))
    return Curve(tau, found)


def brody_fit(spacings: ArrayLike) -> Estimate:
    """Brody's repulsion q by maximum likelihood, its error by a jackknife over samples.

    Args:
        spacings: shape (sample, spacing), or (spacing,), which is cut into ten segments; all of
            them positive.
    """
    return jackknife(lambda part: Brody.fit(part).q, _samples(spacings), groups=10)


def _samples(x: ArrayLike) -> Floats:
    """Shape (sample, level); one spectrum as its segments."""
    found = np.asarray(x, dtype=float)
    require(found.ndim in (1, 2), f"shape {found.shape}; give (sample, level) or (level,).")
    if found.ndim == 1:
        size = len(found) // _SEGMENTS
        require(size >= 3, f"{len(found)} levels of a single spectrum; at least 30 are needed.")
        found = found[: size * _SEGMENTS].reshape(_SEGMENTS, size)
    require(
        found.shape[0] >= 2 and found.shape[1] >= 3 and bool(np.isfinite(found).all()),
        f"{found.shape[0]} samples of {found.shape[1]} levels: give at least 2 of 3, all finite.",
    )
    return found


def _curve(x: Floats, lengths: ArrayLike, statistic: Statistic) -> Curve:
    asked = np.atleast_1d(np.asarray(lengths, dtype=float))
    shortest = float(np.min(np.abs(x[:, -1] - x[:, 0])))
    require(
        bool((asked > 0).all() and (asked <= shortest / 2).all()),
        f"lengths = {lengths!r} must lie between 0 and {shortest / 2:.4g}, half of the shortest"
        " spectrum.",
    )
    ordered = np.sort(x, axis=1)
    found = []
    for length in asked:
        means = np.array([_mean_over_windows(row, float(length), statistic) for row in ordered])
        found.append(mean_over_replicas(means))
    return Curve(asked, found)


def _mean_over_windows(row: Floats, length: float, statistic: Statistic) -> float:
    count = max(int(_WINDOWS_PER_LENGTH * (row[-1] - row[0] - length) / length), 1)
    starts = row[0] + (row[-1] - row[0] - length) * (np.arange(count) + 0.5) / count
    return float(np.mean(statistic(row, starts, length)))


def _variance(row: Floats, starts: Floats, length: float) -> Floats:
    counts = np.searchsorted(row, starts + length) - np.searchsorted(row, starts)
    return np.asarray((counts - length) ** 2)


def _distance_from_line(row: Floats, starts: Floats, length: float) -> Floats:
    """Sums over each window from running sums over the spectrum."""
    first, last = np.searchsorted(row, starts), np.searchsorted(row, starts + length)
    n = (last - first).astype(float)

    def windowed(values: Floats) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(values)])
        return np.asarray(total[last] - total[first])

    middle = starts + length / 2
    one, two = windowed(row), windowed(row**2)
    linear = one - n * middle
    square = two - 2 * middle * one + n * middle**2
    # the i-th level of a window has the place first + i - 1 in the spectrum
    order = np.arange(len(row), dtype=float)
    place = windowed(row * order) - middle * windowed(order)
    ranked = (n - 1 + 2 * first) * linear - 2 * place
    return np.asarray(
        n**2 / 16 - (linear / length) ** 2 + 1.5 * n * square / length**2
        - 3 * square**2 / length**4 + ranked / length
    )  # fmt: skip
