"""The largest learning rate up to which something that grows with it is small enough."""

from collections.abc import Callable

import numpy as np

_HALVINGS = 40  # of an interval of learning rates


def largest_rate(growing: Callable[[float], float], most: float, limit: float) -> float:
    """The largest rate below a limit at which a growing function is at most so much, to two digits.

    It is rounded down, so that it keeps to what was asked.
    """
    low, high = 0.0, limit
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if growing(middle) <= most else (low, middle)
    digits = 1 - int(np.floor(np.log10(low)))
    # down, for what is rounded to the nearest may be above the limit
    return float(np.floor(low * 10.0**digits) / 10.0**digits)
