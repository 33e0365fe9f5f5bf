"""Levels grouped by the degeneracy of their targets, and the spacings within a group."""

from dataclasses import dataclass

import numpy as np

from .._checks import finite, reals, shown
from .._types import ArrayLike, Floats
from ..errors import require


@dataclass(frozen=True)
class Multiplet:
    """Levels that share one target.

    Attributes:
        indices: places in the descending order of levels, consecutive.
        target_level: where learning drives all of them.
    """

    indices: tuple[int, ...]
    target_level: float

    @property
    def is_single(self) -> bool:
        """One level: Gaussian."""
        return len(self.indices) == 1

    @property
    def is_pair(self) -> bool:
        """Two levels: Wigner surmise and pair density."""
        return len(self.indices) == 2


def multiplets(target_levels: ArrayLike, tolerance: float = 1e-9) -> list[Multiplet]:
    r"""Group equal targets.

    For the RBM the target of level i is $\mu^2 - \kappa_i$, so that kappa ascends.

    Args:
        target_levels: (level,), descending.
        tolerance: neighbours closer than this times the largest |target| (or 1, should all vanish)
            are one multiplet.

    Returns:
        The multiplets in descending order; together they hold every index once.

    Raises:
        InvalidInputError: targets that are not finite or not descending, a negative tolerance.

    Examples:
        >>> [group.indices for group in multiplets([4.0, 2.0, 2.0, 1.0])]
        [(0,), (1, 2), (3,)]
    """
    targets = reals("target_levels", target_levels)
    require(
        targets.ndim == 1 and targets.size > 0,
        f"target_levels are {shown(targets.tolist())}; give a list of finite numbers.",
    )
    require(finite("tolerance", tolerance) >= 0, f"tolerance = {tolerance} must not be negative.")
    drops = -np.diff(targets)
    # relative to the largest, as the rounding of all eigenvalues of a matrix is
    allowed = tolerance * (float(np.abs(targets).max()) or 1.0)
    require(
        bool(np.all(drops >= -allowed)),
        f"target_levels {shown(targets.tolist())} are not in descending order;"
        " sort them as the levels.",
    )
    groups = np.split(np.arange(targets.size), np.flatnonzero(drops > allowed) + 1)
    return [Multiplet(tuple(map(int, g)), float(targets[g].mean())) for g in groups]


def multiplet_levels(levels: ArrayLike, multiplet: Multiplet) -> Floats:
    """The levels of one multiplet.

    Args:
        levels: (..., level), descending.
        multiplet: of these levels.

    Returns:
        (..., size of the multiplet), descending.

    Raises:
        InvalidInputError: an index outside the levels, or levels not in descending order.

    Examples:
        >>> pair = multiplets([4.0, 2.0, 2.0])[1]
        >>> multiplet_levels([[4.1, 2.3, 1.9]], pair)
        array([[2.3, 1.9]])
    """
    array = reals("levels", levels, "leave such samples out")
    require(
        array.ndim > 0 and max(multiplet.indices) < array.shape[-1],
        f"levels have shape {array.shape} and the multiplet asks for the places "
        f"{multiplet.indices}; give the levels it was made for.",
    )
    chosen = array[..., list(multiplet.indices)]
    require(
        not bool(np.any(np.diff(chosen, axis=-1) > 0)),
        "levels are not in descending order along their last axis; sort them first.",
    )
    return chosen


def spacings(levels: ArrayLike, multiplet: Multiplet) -> Floats:
    """Nearest-neighbour spacings S >= 0 within a multiplet.

    Args:
        levels: (replica, time, level), or any batch shape in front of the level axis, descending.
        multiplet: of two levels or more.

    Returns:
        (replica, time) for a pair, (replica, time, n - 1) for n levels.

    Raises:
        InvalidInputError: a single level, an index outside the levels, levels out of order.

    Examples:
        >>> pair = multiplets([4.0, 2.0, 2.0])[1]
        >>> spacings([[4.1, 2.5, 1.5], [3.9, 2.25, 2.0]], pair)
        array([1.  , 0.25])
    """
    require(
        not multiplet.is_single,
        f"Level {multiplet.indices[0]} is single and has no spacing; use single_levels.",
    )
    gaps = -np.diff(multiplet_levels(levels, multiplet), axis=-1)
    return gaps[..., 0] if multiplet.is_pair else gaps


def unit_spacings(spacing: ArrayLike) -> Floats:
    r"""$s = S/\langle S \rangle$, by the mean of all samples given; same shape.

    A test on s must know that the mean was estimated: `sgdyson.stats.wigner_test` does.

    Raises:
        InvalidInputError: a mean that is not above zero.

    Examples:
        >>> unit_spacings([1.0, 2.0, 3.0])
        array([0.5, 1. , 1.5])
    """
    s = reals("spacings", spacing, "leave such samples out")
    mean = float(s.mean()) if s.size else 0.0
    require(mean > 0, f"The mean spacing is {mean}; unit spacings need one above zero.")
    return np.asarray(s / mean)


def single_levels(levels: ArrayLike, multiplet: Multiplet) -> Floats:
    """The level of a single mode.

    Args:
        levels: (replica, time, level), or any batch shape in front of the level axis.
        multiplet: of one level.

    Returns:
        (replica, time).

    Raises:
        InvalidInputError: a multiplet of more than one level, an index outside the levels.
    """
    require(
        multiplet.is_single,
        f"The multiplet {multiplet.indices} has {len(multiplet.indices)} levels; use "
        "multiplet_levels or spacings.",
    )
    return multiplet_levels(levels, multiplet)[..., 0]
