"""Unfolding: levels in units of their local mean spacing."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import LSQUnivariateSpline

from ..errors import InvalidInputError, require

Floats = NDArray[np.float64]
_FEWEST = 8


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
        levels: shape (sample, level) or (level,), in rising or falling order.
        method: "law" (n times `cdf`), "polynomial", "spline", or "local" (each spacing over the
            mean of those around it).
        cdf: for "law": the distribution function of a level, such as `Semicircle(2).cdf`.
        degree: of the polynomial.
        knots: inner knots of the cubic spline, at quantiles of the levels.
        neighbours: spacings on each side that count as local.
        trim: fraction of the levels left out at each edge after unfolding.

    Returns:
        Unfolded levels, ascending, of mean spacing exactly one over all samples, same shape but
        for the trimmed levels.

    Raises:
        InvalidInputError: too few or unsorted levels, an unknown method, a trim of half or more.
    """
    x = _ascending(levels)
    n = x.shape[1]
    require(0 <= trim < 0.5, f"trim = {trim!r} must be at least 0 and below 0.5.")
    cut = int(trim * n)
    require(
        n - 2 * cut >= _FEWEST,
        f"{n} levels, {cut} of them trimmed at each edge, leave fewer than {_FEWEST} to unfold.",
    )
    if method == "law":
        smooth = _law(x, cdf)
    elif method == "polynomial":
        smooth = _polynomial(x, degree)
    elif method == "spline":
        smooth = _spline(x, knots)
    else:
        require(method == "local", f"method = {method!r} must be law, polynomial, spline or local.")
        smooth = _local(x, neighbours)
    kept = smooth[:, cut : n - cut]
    spacing = float(np.mean(kept[:, -1] - kept[:, 0])) / (kept.shape[1] - 1)
    require(spacing > 0, "the smooth part of the staircase does not rise; check the cdf.")
    unit = kept / spacing
    return np.asarray(unit[0] if np.ndim(levels) == 1 else unit)


def nearest_spacings(unfolded: ArrayLike, order: int = 1) -> Floats:
    """Distances between each level and the `order`-th above it, shape (..., level - order)."""
    x = np.asarray(unfolded, dtype=float)
    require(
        isinstance(order, int) and 1 <= order < x.shape[-1],
        f"order = {order!r} must be a whole number from 1 to {x.shape[-1] - 1}.",
    )
    return np.asarray(np.abs(x[..., order:] - x[..., :-order]))


def _ascending(levels: ArrayLike) -> Floats:
    """Levels as (sample, level), in rising order."""
    x = np.asarray(levels, dtype=float)
    require(x.ndim in (1, 2), f"levels have shape {x.shape}; give (sample, level) or (level,).")
    require(bool(np.isfinite(x).all()), "levels hold NaN or infinity; leave such samples out.")
    x = np.atleast_2d(x)
    if x.shape[1] > 1 and x[0, 0] > x[0, -1]:
        x = x[:, ::-1]
    require(bool((np.diff(x, axis=1) >= 0).all()), "levels must be sorted along the last axis.")
    return np.asarray(x)


def _law(x: Floats, cdf: Callable[[Floats], ArrayLike] | None) -> Floats:
    if cdf is None:
        raise InvalidInputError('method "law" needs cdf, the distribution function of a level.')
    return np.asarray(x.shape[1] * np.asarray(cdf(x)))


def _polynomial(x: Floats, degree: int) -> Floats:
    _within("degree", degree, x.shape[1] // 2)
    stairs = np.arange(x.shape[1]) + 0.5
    return np.stack([np.polynomial.Chebyshev.fit(row, stairs, degree)(row) for row in x])


def _spline(x: Floats, knots: int) -> Floats:
    _within("knots", knots, x.shape[1] // 8)
    stairs = np.arange(x.shape[1]) + 0.5
    inner = np.quantile(x, np.linspace(0, 1, knots + 2)[1:-1], axis=1).T
    return np.stack(
        [LSQUnivariateSpline(row, stairs, at)(row) for row, at in zip(x, inner, strict=True)]
    )


def _local(x: Floats, neighbours: int) -> Floats:
    """Each spacing over the mean of those around it, summed up."""
    _within("neighbours", neighbours, x.shape[1] // 2)
    gaps = np.diff(x, axis=1)
    total = np.cumsum(np.pad(gaps, ((0, 0), (1, 0))), axis=1)
    place = np.arange(gaps.shape[1])
    first = np.maximum(place - neighbours, 0)
    last = np.minimum(place + neighbours + 1, gaps.shape[1])
    mean = (total[:, last] - total[:, first]) / (last - first)
    return np.asarray(np.cumsum(np.pad(gaps / mean, ((0, 0), (1, 0))), axis=1))


def _within(name: str, value: int, end: int) -> None:
    require(1 <= value < end, f"{name} = {value!r} must be from 1 to {end - 1}.")
