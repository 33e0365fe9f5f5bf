"""Numbers read off a sample of levels, and how far quasi-random sampling leaves them uncertain."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ._leading import Levels, degenerate

Samples = Float[np.ndarray, "sample level"]
_BLOCKS = 8  # each fills the space evenly by itself; all together they are better than eight


class LevelNumbers(NamedTuple):
    """Mean of each level, width of its gas and mean gap; or the errors of these.

    Attributes:
        mean_level: of the sorted levels.
        width: sigma, of the Coulomb gas with the variance of the levels of the multiplet.
        mean_shift: mean of the multiplet less its fixed point.
        mean_spacing: mean gap below the level within its multiplet, of the lowest one above it;
            NaN of a level that is alone.
    """

    mean_level: Levels
    width: Levels
    mean_shift: Levels
    mean_spacing: Levels


def level_numbers(
    samples: Samples, fixed_point: Levels, beta: int = 1
) -> tuple[LevelNumbers, LevelNumbers]:
    """The numbers, and their standard errors (an upper bound) from the scatter of blocks."""
    numbers = _numbers(samples, fixed_point, beta)
    parts = [_numbers(block, fixed_point, beta) for block in np.array_split(samples, _BLOCKS)]
    errors = [np.std(values, axis=0, ddof=1) / _BLOCKS**0.5 for values in zip(*parts, strict=True)]
    return numbers, LevelNumbers(*errors)


def _numbers(samples: Samples, fixed_point: Levels, beta: int) -> LevelNumbers:
    together = degenerate(fixed_point)
    size = together.sum(axis=1)
    mean = samples.mean(axis=0)
    centre = together @ mean / size
    spread = together @ ((samples - centre) ** 2).mean(axis=0) / size
    # of n levels of a gas of width sigma each has, in the mean, the variance that divides here
    width = np.sqrt(spread / (1 + beta * (size - 1) / 2))
    return LevelNumbers(mean, width, centre - fixed_point, _gaps(mean, together))


def _gaps(mean: Levels, together: np.ndarray) -> Levels:
    gaps = np.append(mean[:-1] - mean[1:], np.nan)
    gaps[:-1][~np.diag(together, 1)] = np.nan
    last_of_several = np.isnan(gaps) & (together.sum(axis=1) > 1)
    return np.where(last_of_several, np.roll(gaps, 1), gaps)
