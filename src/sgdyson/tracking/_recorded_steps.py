"""Bursts of single updates, as a tracked run has recorded them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._types import Flags, Floats
from ..errors import require
from ._run import Run

_LONGEST = 8  # updates over which a drift is taken as constant


@dataclass(frozen=True)
class Recorded:
    """Updates of one matrix that were recorded.

    Attributes:
        bursts: (step, level, 2h + 1) each, of consecutive updates, at most eight.
        records: the record after each of these updates, one array a burst.
        known: of these records, which have the levels before the update as the record before.
        levels: (record, level) of the whole run.
        span: updates from the first of them to the last.
    """

    bursts: list[Floats]
    records: list[NDArray[np.intp]]
    known: list[Flags]
    levels: Floats
    span: int


def recorded_steps(run: Run, name: str, start: int = 0) -> Recorded:
    """Those of a matrix from a step on.

    Raises:
        InvalidInputError: no such matrix, nothing recorded, or a matrix that is at rest.
    """
    band = run.level_steps(name)
    require(
        band is not None,
        "the run holds no steps of levels: record with dynamics=True, best with every='burst'.",
    )
    assert band is not None
    half = band.shape[2] // 2
    there = np.isfinite(band[:, :, half]).all(axis=1) & (run.steps >= start)
    require(
        bool(there.any()),
        f"no single update of {name} was recorded from step {start} on: with dynamics=True the"
        " tracker must be called at every step.",
    )
    moving = there & np.where(np.isfinite(band), band, 0.0).any(axis=(1, 2))
    require(
        bool(moving.any()),
        f"{name} is at rest: none of its {there.sum()} recorded updates has moved it.",
    )
    places = np.flatnonzero(moving)
    # - 2: the first record follows none
    follows = np.diff(run.steps, prepend=run.steps[:1] - 2) == 1
    groups = [
        burst
        for together in np.split(places, np.flatnonzero(~follows[places[1:]]
                                                        | (np.diff(places) > 1)) + 1)
        for burst in np.array_split(together, -(-len(together) // _LONGEST))
    ]  # fmt: skip
    return Recorded(
        [band[group] for group in groups], groups, [follows[group] for group in groups],
        run.values(name), int(run.steps[places[-1]] - run.steps[places[0]] + 1),
    )  # fmt: skip
