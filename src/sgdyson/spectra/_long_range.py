"""Statistics of unfolded spectra, near and far."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._checks import reals, shown
from .._types import ArrayLike, Floats
from ..errors import require
from ..laws import Brody
from ..stats import Estimate, jackknife, mean_over_replicas
from ._ordered import ascending, in_segments, samples

Statistic = Callable[[Floats, Floats, float], Floats]  # spectrum, starts of windows, L
_WINDOWS_PER_LENGTH = 4
_NEAR_ONE = 10.0  # within which a mean spacing is taken for that of an unfolded spectrum


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
        levels: shape (sample, level), or (level,), which is cut into ten segments for the error;
            in any order. r is 0 where both spacings vanish, between levels of one multiplet.

    Raises:
        InvalidInputError: too few levels, or levels that are complex, NaN or infinite.

    Examples:
        Of levels that are as even as can be, r = 1:

        >>> mean_ratio(range(100)).value
        1.0
    """
    return mean_over_replicas(spacing_ratios(samples(levels)))


def spacing_ratios(levels: ArrayLike) -> Floats:
    """R of every two successive spacings, the smaller over the larger; see `mean_ratio`.

    Args:
        levels: (..., level), three or more, in any order.

    Returns:
        (..., level - 2), from the lowest level up.

    Raises:
        InvalidInputError: levels that are complex, NaN or infinite.
    """
    x = ascending(levels, "levels")
    gaps = np.diff(x * _exact_scale(x), axis=-1)
    larger = np.maximum(gaps[..., 1:], gaps[..., :-1])
    smaller = np.minimum(gaps[..., 1:], gaps[..., :-1])
    return np.divide(smaller, larger, out=np.zeros_like(larger), where=larger > 0)


def number_variance(unfolded: ArrayLike, lengths: ArrayLike) -> Curve:
    r"""$\Sigma^2(L)$, the variance of the number of levels in a window of L mean spacings.

    Windows lie inside the spectrum, four of them begin within each L (F. J. Dyson and M. L. Mehta,
    J. Math. Phys. 4, 701 (1963)).

    Args:
        unfolded: shape (sample, level), or (level,), which is cut into ten segments; in any order.
        lengths: L, positive, shorter than half of a spectrum.

    Raises:
        InvalidInputError: too few levels, levels that are complex, NaN, infinite or not unfolded,
            lengths out of range.

    Examples:
        Of levels at equal distances a window of 2.5 holds 2 or 3, as often:

        >>> import numpy as np
        >>> number_variance(np.arange(200.0), [2.5]).estimates[0].value
        0.25
    """
    return _curve(_unfolded(unfolded), lengths, _variance)


def rigidity(unfolded: ArrayLike, lengths: ArrayLike) -> Curve:
    r"""$\Delta_3(L)$, mean square distance of the staircase from its best straight line.

    In closed form from the levels (O. Bohigas and M.-J. Giannoni, Ann. Phys. 89, 393 (1975)).
    Arguments and what is refused as of `number_variance`.
    """
    return _curve(_unfolded(unfolded), lengths, _distance_from_line)


def form_factor(unfolded: ArrayLike, times: ArrayLike) -> Curve:
    r"""$K(\tau) = \langle |\sum_i w_i e^{2 \pi i \tau x_i}|^2 \rangle/\sum_i w_i^2$.

    The weights w fade out towards the edges as a squared cosine, so that the smooth density does
    not leak beyond $\tau$ of a few over the number of levels; below, K is not defined here.

    Args:
        unfolded: shape (sample, level), or (level,), which is cut into ten segments; in any order.
        times: tau, in units of the Heisenberg time, above 4/n.

    Raises:
        InvalidInputError: levels as of `number_variance`, times out of range.
    """
    x = _unfolded(unfolded)
    tau = np.atleast_1d(reals("times", times))
    require(
        bool((tau > 4 / x.shape[1]).all()),
        f"times = {shown(times)} must exceed 4/{x.shape[1]} = {4 / x.shape[1]:.3g}, four over the"
        " number of levels.",
    )
    span = x[:, -1:] - x[:, :1]
    # vanishes smoothly at both ends: a sharp end has a form factor of its own at every time
    weights = np.sin(np.pi * (x - x[:, :1]) / span) ** 2
    estimates = []
    for time in tau:
        amplitude = np.sum(weights * np.exp(2j * np.pi * time * x), axis=1)
        estimates.append(mean_over_replicas(np.abs(amplitude) ** 2 / np.sum(weights**2, axis=1)))
    return Curve(tau, estimates)


def brody_fit(spacings: ArrayLike) -> Estimate:
    """Brody's repulsion q by maximum likelihood, its error by a jackknife over samples.

    Args:
        spacings: shape (sample, spacing), or (spacing,), which is cut into ten segments; all of
            them positive.

    Raises:
        InvalidInputError: too few spacings, or one that is not positive and finite.
    """
    rows = in_segments(spacings, "spacings")
    return jackknife(lambda some: Brody.fit(some).q, rows, groups=10)


def _exact_scale(x: Floats) -> float:
    """A power of two that loses no digit, and with which no difference overflows."""
    return 0.5 if np.abs(x).max() > np.finfo(float).max / 4 else 1.0


def _unfolded(levels: ArrayLike) -> Floats:
    """Samples about their middles, in which running sums of squares keep their digits."""
    x = samples(levels, "levels")
    with np.errstate(over="ignore"):
        spans = x[:, -1] - x[:, 0]
        spacing = float(np.mean(spans / (x.shape[1] - 1)))
    require(
        1 / _NEAR_ONE <= spacing <= _NEAR_ONE and bool((spans > 0).all()),
        f"unfolded levels have a mean spacing of {spacing:.3g}, the shortest spectrum a length of"
        f" {float(spans.min()):.3g}; unfold them to a mean spacing of one.",
    )
    return np.asarray(x - (x[:, :1] + spans[:, None] / 2))


def _curve(x: Floats, lengths: ArrayLike, statistic: Statistic) -> Curve:
    asked = np.atleast_1d(reals("lengths", lengths))
    shortest = float(np.min(x[:, -1] - x[:, 0]))
    require(
        bool((asked > 0).all() and (asked <= shortest / 2).all()),
        f"lengths = {shown(lengths)} must lie between 0 and {shortest / 2:.4g}, half of the"
        " shortest spectrum.",
    )
    estimates = []
    for length in asked:
        means = np.array([_mean_over_windows(row, float(length), statistic) for row in x])
        estimates.append(mean_over_replicas(means))
    return Curve(asked, estimates)


def _mean_over_windows(row: Floats, length: float, statistic: Statistic) -> float:
    count = max(int(_WINDOWS_PER_LENGTH * (row[-1] - row[0] - length) / length), 1)
    starts = row[0] + (row[-1] - row[0] - length) * (np.arange(count) + 0.5) / count
    return float(np.mean(statistic(row, starts, length)))


def _variance(row: Floats, starts: Floats, length: float) -> Floats:
    # about L, the mean of unfolded levels: the mean of overlapping windows would take its share
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
    sums, squares = windowed(row), windowed(row**2)
    linear = sums - n * middle
    square = squares - 2 * middle * sums + n * middle**2
    # the i-th level of a window has the place first + i - 1 in the spectrum
    order = np.arange(len(row), dtype=float)
    place = windowed(row * order) - middle * windowed(order)
    ranked = (n - 1 + 2 * first) * linear - 2 * place
    return np.asarray(
        n**2 / 16 - (linear / length) ** 2 + 1.5 * n * square / length**2
        - 3 * square**2 / length**4 + ranked / length
    )  # fmt: skip
