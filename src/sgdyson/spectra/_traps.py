"""What the entries of a matrix do without their places: levels of the shuffled matrix.

Shuffled, entries are independent of each other, but for their sum, and their levels are those of
noise, unless a few entries are so large that each makes a level of its own, or all have a mean.
WeightWatcher calls such levels correlation traps (C. H. Martin and C. Hinrichs, SETOL, 2025).
"""

import numpy as np

from .._types import Floats
from ._blocks import Matrix, row_blocks
from ._bulk import FEWEST_LEVELS, highest_noise
from ._shuffled import shuffled
from ._singular_values import largest_levels


def traps_of(matrix: Matrix, seed: int, false_alarm: float) -> tuple[float, int | None]:
    """Largest singular value of the shuffled entries, and how many rise above their noise."""
    other = shuffled(matrix, seed)
    few, size = min(other.shape), 1
    levels = largest_levels(other, size)
    largest = float(np.sqrt(levels[0]))
    if few < FEWEST_LEVELS:
        return largest, None
    total = sum(float(np.vdot(block, block)) for block in row_blocks(other))
    while (count := _risen(levels, total, other.shape, false_alarm)) == size < few // 2:
        size = min(4 * size, few // 2)
        levels = largest_levels(other, size)
    return largest, count


def _risen(levels: Floats, total: float, shape: tuple[int, int], false_alarm: float) -> int:
    """Number of levels that rise, each above the noise of those below it: the rest of the total."""
    few, many = sorted(shape)
    top, left = highest_noise(few, many, false_alarm), total
    for count, level in enumerate(levels):
        if level <= top * left / ((many - count) * (few - count)):
            return count
        left -= level
    return len(levels)
