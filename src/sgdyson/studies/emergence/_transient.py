"""A mode that is seen for a while: one data set, learnt from again and again, beside fresh data."""

from dataclasses import dataclass

import numpy as np

from ..._types import Floats
from ...analysis import Check
from ...figures import Figure, Line, Mark, Panel
from ...models import LowRankTeacher
from ...stats import Estimate, jackknife_of_means, mean_over_replicas
from ._figures import mean_points
from ._runs import Learning, crossings, learn

INPUTS = np.repeat([1.0, 0.1], 40)  # slow ones fit the noise of their labels late


def _student(samples: int | None) -> LowRankTeacher:
    return LowRankTeacher(
        [3.0], (160, 80), label_noise=1.0, input_variances=INPUTS, mode_inputs=(0,), samples=samples
    )


DATA_SET, FRESH = _student(200), _student(None)
_RATE, _BATCH, _UPDATES, _EVERY = 0.05, 200, 600, 10
_HALF = 0.5  # of an overlap, at which a mode counts as seen


@dataclass(frozen=True)
class Transient:
    """One teacher, learnt from a data set and from fresh data with as large a mini-batch.

    Attributes:
        data_set: all of it at every update.
        fresh: drawn anew.
    """

    data_set: Learning
    fresh: Learning

    @classmethod
    def run(cls, replicas: int, seed: int) -> "Transient":
        """Both students."""

        def taught(model: LowRankTeacher, batch_size: float) -> Learning:
            return learn(model, _RATE, batch_size, replicas, _UPDATES, _EVERY, seed)

        return cls(taught(DATA_SET, np.inf), taught(FRESH, _BATCH))


def transient_checks(transient: Transient) -> list[Check]:
    """Both times of the data set's mode, its best overlap, and what is left of each in the end."""
    learning = transient.data_set
    path, small = learning.path, min(learning.model.shape)
    best = int(path.left_overlaps[:, 0].argmax())
    points = [
        ("data set, best", learning, best),
        ("data set, end", learning, len(path.times) - 1),
        ("fresh data, end", transient.fresh, len(path.times) - 1),
    ]
    checks = [
        Check(
            name=f"left overlap/{name}", figure="transient", quantity="left overlap",
            setting={"update": float(path.times[at])},
            measured=mean_over_replicas(part.overlaps[:, at, 0, 0]),
            predicted=float(part.path.left_overlaps[at, 0]), theory_error=2 / small,
        )
        for name, part, at in points
    ]  # fmt: skip
    times = [_time_check(learning, "comes out"), _time_check(learning, "drowns", backward=True)]
    return checks + times


def transient_figure(transient: Transient) -> Figure:
    """Level and overlap of the mode, with data of both kinds, beside prediction."""
    parts = {"a data set": transient.data_set, "fresh data": transient.fresh}
    level: list[Mark] = []
    overlap: list[Mark] = []
    for colour, (label, data) in enumerate(parts.items()):
        times, path = data.path.times, data.path
        level.append(mean_points(times[::3], data.levels[:, ::3, 0], label, colour))
        level.append(Line(times, path.levels[:, 0], colour=colour))
        level.append(Line(times, path.edge, f"edge, {label}", dashed=True, colour=colour))
        overlap.append(mean_points(times[::3], data.overlaps[:, ::3, 0, 0], None, colour))
        overlap.append(Line(times, path.left_overlaps[:, 0], colour=colour))
    return Figure(
        name="transient",
        title="Noise that is learnt drowns a mode again",
        caption="Largest singular value and the squared overlap of its left vector with the"
        " teacher's, means over replicas, of a student of inputs of two variances that learns from"
        " one data set, and from fresh data; lines: prediction without a free parameter; dashed:"
        " edge of the bulk.",
        panels=[
            Panel(level, "updates", "singular value", legend_below=True),
            Panel(overlap, "updates", "left overlap", y_range=(0, 1.05)),
        ],
    )


def _time_check(learning: Learning, name: str, *, backward: bool = False) -> Check:
    """The update at which the mean overlap passes one half, first or last.

    What is neglected is that of an overlap, 2/N, by the slope; and, where the mode drowns, the
    width of the transition, within which the overlap of large matrices falls to nothing.
    """
    path, small = learning.path, min(learning.model.shape)
    times, overlap, measured = path.times, path.left_overlaps[:, 0], learning.overlaps[:, :, 0, 0]
    if backward:
        times, overlap, measured = times[::-1], overlap[::-1], measured[:, ::-1]
    at = int((overlap >= _HALF).argmax())
    slope = (overlap[at] - overlap[at - 1]) / abs(times[at] - times[at - 1])
    return Check(
        name=f"time/{name}", figure="transient", quantity="update of half the overlap",
        setting={}, measured=_half_time(times, measured),
        predicted=float(crossings(times, overlap, _HALF)),
        theory_error=float(2 / small / slope),
    )  # fmt: skip


def _half_time(times: Floats, overlaps: Floats) -> Estimate:
    return jackknife_of_means(lambda mean: crossings(times, mean, _HALF), overlaps)
