"""Figures of histories that were read from files."""

from collections.abc import Sequence

import numpy as np

from ..figures import Figure, Histogram, Line, Mark, Panel, Points
from ..stats import density_histogram
from ._multiplet import MeasuredPair
from ._scaling import HistoryScaling


def history_spacings(pairs: Sequence[tuple[str, MeasuredPair]]) -> Figure:
    """Unit spacings of pairs beside the Wigner surmise.

    Args:
        pairs: a name and the pair of each.
    """
    panels = []
    grid = np.linspace(0, 4, 200)
    for name, pair in pairs:
        surmise = Line(grid, pair.surmise.pdf(grid), label=f"Wigner surmise, beta = {pair.beta}")
        unit = density_histogram(pair.spacing / pair.spacing.mean())
        panels.append(
            Panel(
                [Histogram(unit.edges, unit.density), surmise],
                r"$s = S/\langle S \rangle$",
                "$P(s)$",
                title=rf"{_plain(name)}: $\langle S \rangle$ = {pair.mean}",
                x_range=(0, 4),
            )
        )
    return Figure(
        name="spacings",
        title="Spacings of degenerate pairs",
        caption="Histogram: spacings in units of their mean; line: the surmise, no parameter"
        " fitted.",
        panels=panels,
        columns=min(len(panels), 3),
    )


def history_scaling(lines: Sequence[HistoryScaling]) -> Figure:
    """Mean spacings against sqrt(alpha/|B|), with the line through the origin.

    Args:
        lines: of `sgdyson.analysis.scaling_lines`.
    """
    marks: list[Mark] = []
    for colour, each in enumerate(lines):
        name = f"levels {', '.join(map(str, each.indices))}"
        if each.matrix is not None:
            name = f"{_plain(each.matrix)}, {name}"
        if each.label_noise is not None:
            name += f", noise {each.label_noise:g}"
        name += f": slope {each.line.slope}"
        grid = np.array([0.0, float(each.variable.max()) * 1.05])
        marks += [
            Points(each.variable, each.spacing, each.spacing_error, label=name, colour=colour % 7),
            Line(grid, each.line(grid), colour=colour % 7),
        ]
    panel = Panel(marks, r"$\sqrt{\alpha/|B|}$", r"$\langle S \rangle$")
    return Figure(
        name="scaling",
        title="The linear scaling rule",
        caption="Mean spacings with errors over replicas, and straight lines through the origin.",
        panels=[panel],
        columns=1,
    )


def _plain(name: str) -> str:
    """Text without what a label would take as mathematics."""
    return name.replace("$", "").replace("_", " ")
