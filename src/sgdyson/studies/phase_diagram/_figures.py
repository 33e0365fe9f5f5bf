"""Figures of phase diagrams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...analysis import PHASES, PhaseDiagram, StabilityLimit
from ...figures import Figure, Heatmap, Line, Mark, Panel, Points, Regions

RATIO, WIDTH = r"$\alpha/|B|$", r"initial $\sigma_W$"
COLOURS = (4, 5, 3, 6)  # of the phases: blue, orange, pink, grey
SYMBOLS = {
    "unrest": "unrest $U$",
    "persistence": "persistence $C$",
    "settling_time": r"settling time $\tau$, updates",
    "distance": "remaining distance $R$",
}
RANGES = {"unrest": (0.0, 0.5), "persistence": (-1.0, 1.0), "distance": (0.0, 1.5)}


def phases(diagrams: Sequence[PhaseDiagram], width: float = 1.0) -> Figure:
    """Above the shares of the phases, below them the order parameters along a cut, with errors.

    Args:
        diagrams: a column each.
        width: sigma_W of the cut, or the nearest in the grid.
    """
    panels = [
        _map(diagram, named=number == 1 % len(diagrams)) for number, diagram in enumerate(diagrams)
    ]
    panels += [_cut(diagram, width, named=number == 0) for number, diagram in enumerate(diagrams)]
    limits = ", ".join(dict.fromkeys(name for each in diagrams for name in each.limits))
    return Figure(
        name="phase_diagram",
        title="Phases of learning, told by the motion of levels",
        caption="Above: each cell is the mixture of the colours of its replicas' phases. Below:"
        f" order parameters near sigma_W = {width:g}. Vertical lines of the identity network:"
        f" predicted boundaries of stability ({limits}).",
        panels=panels,
        columns=len(diagrams),
    )


def order_parameters(diagrams: Sequence[PhaseDiagram]) -> Figure:
    """A map of every order parameter, a row for each diagram."""
    panels = [
        Panel(
            [_heat(diagram, name, label)], RATIO, WIDTH, title=diagram.name, x_log=True, y_log=True,
        )
        for diagram in diagrams
        for name, label in SYMBOLS.items()
    ]  # fmt: skip
    return Figure(
        name="order_parameters",
        title="Order parameters over the plane",
        caption="Means over the replicas that did not diverge; white where there are none.",
        panels=panels,
        columns=len(SYMBOLS),
    )


def stability(limits: Sequence[StabilityLimit]) -> Figure:
    """Measured boundaries of the identity network against their predictions.

    Args:
        limits: mean-square and typical limits, at several batch sizes.
    """
    marks: list[Mark] = []
    for colour, kind in enumerate(dict.fromkeys(limit.kind for limit in limits)):
        chosen = sorted((p for p in limits if p.kind == kind), key=lambda limit: limit.batch_size)
        sizes = np.array([limit.batch_size for limit in chosen])
        values = np.array([limit.measured.value for limit in chosen])
        errors = np.array([limit.measured.error for limit in chosen])
        predicted = np.array([limit.predicted for limit in chosen])
        marks.append(
            Points(sizes, values, y_error=errors, label=f"{kind}, measured", colour=colour)
        )
        marks.append(Line(sizes, predicted, label=f"{kind}, predicted", colour=colour))
    mean = np.full(len(sizes), limits[0].mean_dynamics)
    marks.append(Line(sizes, mean, label=r"mean dynamics, $2/g_1$", dashed=True))
    return Figure(
        name="stability",
        title="Where the identity network stops being stable",
        caption="Learning rate beyond which the mean square, and beyond which a typical replica,"
        " grows, against the batch size; lines: predictions without a free parameter.",
        panels=[
            Panel(marks, r"$|B|$", r"$\alpha_{\mathrm{max}}$", x_log=True, y_range=(0, None))  # type: ignore[arg-type]
        ],
    )


def _heat(diagram: PhaseDiagram, name: str, label: str) -> Heatmap:
    value = diagram.parameters[name].value
    return Heatmap(diagram.ratios, diagram.widths, value, label, RANGES.get(name))


def _map(diagram: PhaseDiagram, *, named: bool) -> Panel:
    names = PHASES if named else ()
    shares = np.stack([diagram.shares[phase].value for phase in PHASES])
    marks: list[Mark] = [Regions(diagram.ratios, diagram.widths, shares, names, COLOURS)]
    ends = np.array([diagram.widths[0], diagram.widths[-1]])
    for number, (name, limit) in enumerate(diagram.limits.items()):
        marks.append(Line(np.full(2, limit), ends, label=name, dashed=number > 0))
    return Panel(marks, RATIO, WIDTH, title=diagram.name, x_log=True, y_log=True, legend_below=True)


def _cut(diagram: PhaseDiagram, width: float, *, named: bool) -> Panel:
    row = int(np.abs(np.log(diagram.widths / width)).argmin())
    shown = {
        "diverged": "share diverged",
        "unrest": "unrest $U$",
        "persistence": "persistence $C$",
        "distance": "distance $R$",
    }
    marks: list[Mark] = []
    for colour, (name, label) in enumerate(shown.items()):
        parameter = diagram.parameters[name]
        marks.append(
            Points(
                diagram.ratios, parameter.value[row], y_error=parameter.error[row],
                label=label if named else None, colour=colour,
            )
        )  # fmt: skip
    title = rf"$\sigma_W$ = {diagram.widths[row]:g}"
    return Panel(
        marks, RATIO, "order parameter", title=title, x_log=True, y_range=(-0.6, 1.3),
        legend_below=True,
    )  # fmt: skip
