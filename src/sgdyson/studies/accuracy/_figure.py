"""The figure of the study `accuracy`."""

from typing import Any

import numpy as np

from ...figures import Figure, HorizontalLine, Line, Mark, Panel, Points

_NATS, _SQUARE = r"$\langle KL \rangle$, nats", r"$\langle |W - W_t|^2 \rangle$"
_ERRORS = {"machine": _NATS, "student": _SQUARE}


def accuracy_figure(parts: dict[str, list[Any]]) -> Figure:
    """Floors, the way to them, and generalisation."""
    return Figure(
        name="accuracy",
        title="The limit of accuracy",
        caption="First row: the error that no length of training lowers, against alpha/|B|; lines:"
        " the predicted limit, dashed: its leading order. Second: the error against samples seen,"
        " |B| = 8; horizontal: predicted floors. A rate that falls as 1/t passes below all of them."
        " Third: learning from D samples, the error against the true target over that of learning"
        " without noise, less one. Last: that error without noise against D, with its prediction"
        " by Wishart's law; and the loss of a network on digits that it has not seen, less that of"
        " the whole gradient.",
        panels=[
            *(_floor(parts[f"{name} floors"], f"{name}: {error}")
              for name, error in _ERRORS.items()),
            *(_curves(parts[f"{name} curves"], error, name) for name, error in _ERRORS.items()),
            *(_generalised(parts[f"{name} generalisation"], f"{name} of D samples")
              for name in _ERRORS),
            _without_noise({name: parts[f"{name} generalisation"] for name in _ERRORS}),
            _floor(parts["network floors"], "network: excess test loss"),
        ],
        columns=2,
    )  # fmt: skip


def _floor(floors: list[Any], title: str) -> Panel:
    ratio = np.array([floor.ratio for floor in floors])
    marks: list[Mark] = [
        Points(ratio, np.array([floor.measured.value for floor in floors]),
               y_error=np.array([floor.measured.error for floor in floors]), label="measured")
    ]  # fmt: skip
    if np.isfinite(floors[0].predicted):
        marks += [
            Line(ratio, np.array([floor.predicted for floor in floors]), label="predicted"),
            Line(ratio, np.array([floor.leading for floor in floors]), "leading", dashed=True),
        ]
    return Panel(marks, r"$\alpha/|B|$", "error", title=title)


def _curves(curves: list[Any], error: str, title: str) -> Panel:
    marks: list[Mark] = []
    for colour, curve in enumerate(curves):
        marks.append(
            Points(curve.samples, np.array([e.value for e in curve.error]),
                   y_error=np.array([e.error for e in curve.error]), label=curve.name,
                   colour=colour)
        )  # fmt: skip
        if curve.floor is not None:
            marks.append(HorizontalLine(curve.floor))
        if curve.predicted is not None and np.ndim(curve.predicted):
            marks.append(Line(curve.samples, curve.predicted, colour=colour))
    return Panel(marks, "samples seen", error, title=title, x_log=True, y_log=True)  # fmt: skip


def _generalised(sizes: list[Any], title: str) -> Panel:
    """Excess of each D over learning without noise, in units of the error without noise."""
    marks: list[Mark] = [HorizontalLine(0.0)]
    for colour, each in enumerate(sizes):
        unit = each.error[0].value
        ratio, excess = np.array(each.ratio[1:]), np.array([e.value / unit for e in each.excess])
        error = np.array([e.error / unit for e in each.excess])
        marks.append(
            Points(ratio, excess, y_error=error, label=f"D = {each.samples}", colour=colour)
        )
        marks.append(Line(np.append(0.0, ratio), np.append(0.0, excess), colour=colour))
    return Panel(marks, r"$\alpha/|B|$", "excess, relative", title=title)


def _without_noise(models: dict[str, list[Any]]) -> Panel:
    """What D samples alone leave of an error, measured and predicted."""
    marks: list[Mark] = []
    for colour, (name, sizes) in enumerate(models.items()):
        samples = np.array([float(each.samples) for each in sizes])
        error = [each.error[0] for each in sizes]
        marks += [
            Points(samples, np.array([e.value for e in error]),
                   y_error=np.array([e.error for e in error]), label=name, colour=colour),
            Line(samples, np.array([each.overfit for each in sizes]), colour=colour),
        ]  # fmt: skip
    return Panel(marks, "samples, D", "error", title="without noise", x_log=True, y_log=True)
