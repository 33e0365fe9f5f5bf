"""Unfolding: levels in units of their local mean spacing."""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.polynomial import Chebyshev
from scipy.interpolate import LSQUnivariateSpline

from .._checks import finite, reals, shown, whole
from .._types import ArrayLike, Floats
from ..errors import InvalidInputError, require
from ._ordered import ascending

_FEWEST = 8
_ROUNDING = 1e-9  # in mean spacings
_REMEDIES = {
    "law": "check the cdf",
    "polynomial": "ask for a larger trim or a lower degree",
    "spline": "ask for a larger trim or fewer knots",
    "local": "ask for a smaller trim",
}


def unfold(
    levels: ArrayLike,
    method: str = "polynomial",
    *,
    cdf: Callable[[Floats], ArrayLike] | None = None,
    degree: int = 7,
    knots: int = 6,
    neighbours: int = 10,
    trim: float = 0.0,
) -> Floats:
    r"""Map levels to a spectrum of mean spacing one, keeping their fluctuations.

    The smooth part of the staircase N(x), the number of levels below x, is taken from a law, or
    fitted to each spectrum; the unfolded levels are its values. `law` alone leaves long-range
    statistics as they are: a fit of p parameters swallows fluctuations beyond n/p spacings
    (T. Guhr, A. Mueller-Groeling and H. Weidenmueller, Phys. Rep. 299, 189 (1998), section III).

    Args:
        levels: shape (sample, level) or (level,), in any order.
        method: "law" (n times `cdf`), "polynomial", "spline", or "local" (each spacing over the
            mean of those around it).
        cdf: for "law": the distribution function of a level, such as `Semicircle(2).cdf`.
        degree: degree of the polynomial; one or two less for a spectrum at whose edge it falls.
        knots: inner knots of the cubic spline, at quantiles of the levels.
        neighbours: spacings on each side that count as local.
        trim: fraction of the levels left out at each edge after unfolding.

    Returns:
        Unfolded levels, ascending, of mean spacing exactly one over all samples, same shape but
        for the trimmed levels.

    Raises:
        InvalidInputError: too few levels, or complex, NaN, infinite or all equal ones; an unknown
            method, a trim of half or more; levels that do not determine the smooth part, or a
            smooth part that falls (of a polynomial mostly at the edges: trim them).

    Examples:
        >>> import numpy as np
        >>> unfold(np.arange(1, 10) ** 2 / 100, "law", cdf=np.sqrt).round(9)
        array([1., 2., 3., 4., 5., 6., 7., 8., 9.])
    """
    x = np.atleast_2d(ascending(levels))
    n = x.shape[1]
    require(0 <= finite("trim", trim) < 0.5, f"trim = {trim!r} must be at least 0 and below 0.5.")
    cut = int(trim * n)
    require(
        n - 2 * cut >= _FEWEST,
        f"{n} levels, {cut} of them trimmed at each edge, leave fewer than {_FEWEST} to unfold.",
    )
    require(
        bool((x[:, -1] > x[:, 0]).all()), "all levels of a sample are equal; they have no spacings."
    )
    if method == "law":
        smooth = _law(x, cdf)
    elif method == "polynomial":
        smooth = _polynomial(_standard(x), degree, cut)
    elif method == "spline":
        smooth = _spline(_standard(x), knots)
    else:
        require(
            method == "local",
            f"method = {shown(method)} must be law, polynomial, spline or local.",
        )
        smooth = _local(_standard(x), neighbours)
    inner = smooth[:, cut : n - cut]
    spacing = float(np.mean(inner[:, -1] - inner[:, 0])) / (inner.shape[1] - 1)
    require(
        spacing > 0 and bool((np.diff(inner, axis=1) >= -_ROUNDING * spacing).all()),
        f"the smooth part of the staircase by method {method!r} does not rise from level to level;"
        f" {_REMEDIES[method]}.",
    )
    # falls within rounding are taken out: unfolded levels keep their order
    unit = np.maximum.accumulate(inner, axis=1) / spacing
    return np.asarray(unit[0] if np.ndim(levels) == 1 else unit)


def nearest_spacings(unfolded: ArrayLike, order: int = 1) -> Floats:
    """Distances between each level and the `order`-th above it.

    Args:
        unfolded: shape (sample, level) or (level,), in any order.
        order: how many levels up.

    Returns:
        Shape (sample, level - order) or (level - order,), from the lowest level up.

    Raises:
        InvalidInputError: levels that are complex, NaN or infinite; an order out of range.
    """
    x = ascending(unfolded, "levels")
    n = x.shape[-1]
    require(n >= 2, f"{n} levels have no spacings; give at least 2.")
    step = whole("order", order, 1, n - 1)
    return np.asarray(x[..., step:] - x[..., :-step])


def _standard(x: Floats) -> Floats:
    """Each sample on [0, 1], so that a fit knows neither units nor overflow."""
    # halves first: the difference of two large numbers of opposite sign overflows
    half = x / 2
    return (half - half[:, :1]) / (half[:, -1:] - half[:, :1])


def _law(x: Floats, cdf: Callable[[Floats], ArrayLike] | None) -> Floats:
    if cdf is None:
        raise InvalidInputError('method "law" needs cdf, the distribution function of a level.')
    u = reals("values of cdf", cdf(x))
    require(
        u.shape == x.shape and bool((np.diff(u, axis=1) >= 0).all() and (u >= 0).all())
        and bool((u <= 1).all()),
        f"cdf has turned levels of shape {x.shape} into numbers of shape {u.shape} that are not"
        " rising probabilities; give a vectorised distribution function.",
    )  # fmt: skip
    return np.asarray(x.shape[1] * u)


def _polynomial(x: Floats, degree: int, cut: int) -> Floats:
    terms = whole("degree", degree, 1, _room(x, 2, "polynomial")) + 1
    return np.stack([_rising(row, terms, cut) for row in x])


def _rising(row: Floats, terms: int, cut: int) -> Floats:
    """A polynomial overshoots at an edge now and then; a little less of one mostly does not."""
    smooth = first = _fitted(row, terms)
    for fewer in range(terms - 1, max(terms - 3, 1), -1):
        if np.all(np.diff(smooth[cut : len(row) - cut]) >= 0):
            return smooth
        smooth = _fitted(row, fewer)
    return smooth if np.all(np.diff(smooth[cut : len(row) - cut]) >= 0) else first


def _fitted(row: Floats, terms: int) -> Floats:
    # the staircase at a level is half-way up its step
    stairs = np.arange(len(row)) + 0.5
    series, (_, rank, *_) = Chebyshev.fit(row, stairs, terms - 1, full=True)
    require(
        rank == terms,
        f"{len(row)} levels determine {rank} of the {terms} coefficients of a polynomial of degree"
        f" {terms - 1}; ask for a lower degree, or another method.",
    )
    return np.asarray(series(row))


def _spline(x: Floats, knots: int) -> Floats:
    count = whole("knots", knots, 1, _room(x, 8, "spline"))
    stairs = np.arange(x.shape[1]) + 0.5
    # knots with as many levels between any two
    inner = np.quantile(x, np.linspace(0, 1, count + 2)[1:-1], axis=1).T
    try:
        values = [
            LSQUnivariateSpline(row, stairs, at)(row) for row, at in zip(x, inner, strict=True)
        ]
        return reals("values", np.stack(values))
    except ValueError as error:  # no level between some knots: Schoenberg and Whitney
        raise InvalidInputError(
            f"{x.shape[1]} levels do not determine a cubic spline with knots = {count} at their"
            " quantiles; ask for fewer knots, or another method."
        ) from error


def _local(x: Floats, neighbours: int) -> Floats:
    """Each spacing over the mean of those around it, summed up."""
    around = whole("neighbours", neighbours, 1, _room(x, 2, "local"))
    gaps = np.diff(x, axis=1)
    places = np.arange(gaps.shape[1])
    windows = sliding_window_view(np.pad(gaps, ((0, 0), (around, around))), 2 * around + 1, axis=1)
    # of windows that the ends of the spectrum cut short, and zeros pad
    sizes = np.minimum(places + around + 1, gaps.shape[1]) - np.maximum(places - around, 0)
    # summed window by window: of a running sum, an outlier's gap would eat the digits
    mean = windows.sum(axis=2) / sizes
    require(
        bool((mean > 0).all()),
        f"all spacings within neighbours = {around} of a level vanish; ask for more neighbours, or"
        " another method.",
    )
    return np.asarray(np.cumsum(np.pad(gaps / mean, ((0, 0), (1, 0))), axis=1))


def _room(x: Floats, levels_each: int, method: str) -> int:
    """The most parameters that so many levels each leave room for."""
    most = x.shape[1] // levels_each - 1
    require(
        most >= 1,
        f"{x.shape[1]} levels are too few for method {method!r}, which needs"
        f" {2 * levels_each}; ask for another method.",
    )
    return most
