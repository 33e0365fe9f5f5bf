"""Figures of the study `emergence`."""

from collections.abc import Sequence

import numpy as np

from ..._types import Floats
from ...figures import Figure, Line, Mark, Panel, Points, Regions
from ._phases import PHASES, Diagram
from ._runs import SIDES, Learning, Rest

_COLOURS = (6, 3, 4, 5)  # grey, pink, blue, orange


def paths(learning: Learning) -> Figure:
    """Levels and overlaps of every mode against time, beside their prediction."""
    times = learning.path.times
    return Figure(
        name="paths",
        title="Modes step out of the noise",
        caption="Singular values and squared overlaps of left and right singular vectors with the"
        " teacher's, means over replicas; lines: prediction without a free parameter; dashed: edge"
        " of the bulk.",
        panels=[_levels(learning, times), *(_overlaps(learning, times, side) for side in (0, 1))],
    )


def what_is_learnt(series: Sequence[tuple[str, list[Rest]]]) -> Figure:
    """Final overlap against alpha/|B|, each of alpha and |B| varied alone.

    Args:
        series: label, and the modes at rest.
    """
    marks: list[Mark] = []
    for colour, (label, points) in enumerate(series):
        ratio = np.array([point.ratio for point in points])
        left = [point.measured[0] for point in points]
        value = np.array([overlap.value for overlap in left])
        error = np.array([overlap.error for overlap in left])
        marks.append(Points(ratio, value, error, label=label, colour=colour))
        predicted = np.array([point.predicted[0] for point in points])
        marks.append(Line(ratio, predicted, colour=colour))
    return Figure(
        name="what_is_learnt",
        title="What can be learnt depends on alpha/|B|",
        caption="Squared overlap of the student's first left singular vector with the teacher's, at"
        " rest; lines: prediction.",
        panels=[Panel(marks, r"$\alpha/|B|$", "left overlap", y_range=(0, 1.05))],
    )


def phases(diagrams: Sequence[Diagram]) -> Figure:
    """Shares of the phases, a panel for each plane, with the predicted boundaries."""
    panels = []
    for number, drawn in enumerate(diagrams):
        plane, names = drawn.plane, PHASES if number == 0 else ()
        x_label, y_label, title = plane.labels
        border, ends = drawn.boundaries[:, 0], np.array([plane.y[0], plane.y[-1]])
        inside = np.isfinite(border) & (plane.x < plane.stability)
        marks: list[Mark] = [
            Regions(plane.x, plane.y, drawn.shares, names, _COLOURS),
            Line(plane.x[inside], border[inside], "predicted" if names else None),
            Line(np.full(2, plane.stability), ends, "stability" if names else None, dashed=True),
        ]
        panels.append(Panel(marks, x_label, y_label, title=title, x_log=True, y_log=True,
                            legend_below=True))  # fmt: skip
    return Figure(
        name="phases",
        title="What noise lets a student learn",
        caption="Each cell is the mixture of the colours of its replicas' phases: a level never out"
        " of the bulk, out for a while, out at the end, or diverged. Lines: predicted boundaries.",
        panels=panels,
        columns=2,
    )


def _levels(learning: Learning, times: np.ndarray) -> Panel:
    modes = learning.overlaps.shape[2]
    marks: list[Mark] = []
    for mode in range(modes):
        values = learning.levels[:, :, mode]
        marks.append(mean_points(times, values, f"mode {mode + 1}", mode))
        marks.append(Line(times, learning.path.levels[:, mode], colour=mode))
    marks.append(Line(times, learning.path.edge, "edge", dashed=True))
    return Panel(marks, "updates", "singular value", legend_below=True)


def _overlaps(learning: Learning, times: np.ndarray, side: int) -> Panel:
    predicted = (learning.path.left_overlaps, learning.path.right_overlaps)[side]
    marks: list[Mark] = []
    for mode in range(learning.overlaps.shape[2]):
        marks.append(mean_points(times, learning.overlaps[:, :, mode, side], None, mode))
        marks.append(Line(times, predicted[:, mode], colour=mode))
    return Panel(marks, "updates", f"{SIDES[side]} overlap", y_range=(0, 1.05))


def mean_points(times: Floats, values: Floats, label: str | None, colour: int) -> Points:
    """Means and errors over replicas, of (replica, time)."""
    error = values.std(0, ddof=1) / np.sqrt(len(values))
    return Points(times, values.mean(0), error, label=label, colour=colour)
