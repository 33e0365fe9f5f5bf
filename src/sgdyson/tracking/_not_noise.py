"""Which steps of levels are no noise: those that go on smoothly, and those that alternate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from .._types import Flags, Floats

_LEFT_OUT, _TOLD = -0.5, -0.1  # correlation of a step with the next
_FALSE_ALARM = 0.01
# of the second differences of steps, relative to their variance: 6 if they are independent, and
# 2 (1 - phi)(3 - phi) if they remember by phi; this is phi = 0.995
_SMOOTH = 0.02


@dataclass(frozen=True)
class Alternation:
    """Share of steps that change their sign from update to update.

    Attributes:
        levels: (level,) flags: more than half of the square of their steps alternates.
        correlation: of a step with the next, of all levels, where it is so far below zero that it
            must be told; else None.
    """

    levels: Flags
    correlation: float | None


def alternation(bursts: Sequence[Floats]) -> Alternation:
    """From the steps of levels, alone and mixed, (step, level, kind) each.

    The mean of a burst is taken off, which makes the correlation of n independent steps -1/n.
    """
    count = sum(len(burst) - 1 for burst in bursts if len(burst) > 2)
    levels = bursts[0].shape[1]
    if not count:
        return Alternation(np.zeros(levels, bool), None)
    product, square = np.zeros(levels), np.zeros(levels)
    for burst in (burst for burst in bursts if len(burst) > 2):
        steps = burst - burst.mean(axis=0)
        squares = np.sum(np.abs(steps) ** 2, axis=(0, 2))
        neighbours = np.sum((steps[1:] * steps[:-1].conj()).real, axis=(0, 2))
        # of independent steps less their mean neighbours are correlated by -1/n, which is put back
        product += neighbours + squares / len(burst)
        square += squares
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.nan_to_num(product / square)
        unit = float(np.sum(product[square > 0] / square[square > 0]) / levels)
    reach = norm.isf(_FALSE_ALARM / levels) / count**0.5
    loud = unit < min(_TOLD, -norm.isf(_FALSE_ALARM) / count**0.5)
    return Alternation(correlation < min(_LEFT_OUT, -reach), unit if loud else None)


def is_smooth(bursts: Sequence[Floats], moving: Flags) -> bool:
    """Whether steps (step, level) go on so smoothly that a law without noise makes them.

    Second differences of noise are no smaller than it is, with whatever memory of an optimiser.
    """
    long = [burst[:, moving] for burst in bursts if len(burst) > 2]
    if not long:
        return False
    rough = sum(np.sum(np.diff(burst, 2, axis=0) ** 2, axis=0) / (len(burst) - 2) for burst in long)
    spread = sum(burst.var(axis=0, ddof=1) for burst in long)
    return bool(np.median(rough / spread) < _SMOOTH)
