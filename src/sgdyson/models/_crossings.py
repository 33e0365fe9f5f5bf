"""When functions of time change their sign."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from .._types import Floats

_FIRST = 1e-3  # update, after 0
_TIMES = 600  # looked at, at equal ratios: two changes within 3 % of a time are not seen


def sign_changes(of_times: Callable[[Floats], Floats], last: float) -> list[Floats]:
    """Times of change up to the last, ascending, for each of several functions.

    Args:
        of_times: from (time,) to (time, function).
        last: time looked at.
    """
    grid = np.concatenate([[0.0], np.geomspace(_FIRST, last, _TIMES)])
    positive = of_times(grid) > 0
    return [_changes(of_times, grid, row, at) for at, row in enumerate(positive.T)]


def _changes(
    of_times: Callable[[Floats], Floats], grid: Floats, positive: Floats, at: int
) -> Floats:
    def of_time(time: float) -> float:
        return float(of_times(np.array([time]))[0, at])

    starts = np.flatnonzero(np.diff(positive))
    return np.array([brentq(of_time, grid[i], grid[i + 1]) for i in starts])
