"""Figures of histories that were read from files."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..figures import Figure, Histogram, Line, Mark, Panel, Points
from ..laws import WignerSurmise
from ..stats import Estimate, density_histogram
from ._scaling_lines import ScalingLine

Floats = NDArray[np.float64]


def history_spacings(pairs: Sequence[tuple[str, Floats, Estimate]]) -> Figure:
    """Unit spacings of pairs beside the Wigner surmise.

    Args:
        pairs: a name, spacings (replica, record), and their mean, of each.
    """
    panels = []
    grid = np.linspace(0, 4, 200)
    surmise = Line(grid, WignerSurmise(1).pdf(grid), label="Wigner surmise")
    for name, spacing, mean in pairs:
        found = density_histogram(spacing / spacing.mean())
        panels.append(
            Panel(
                [Histogram(found.edges, found.density), surmise],
                r"$s = S/\langle S \rangle$",
                "$P(s)$",
                title=rf"{_plain(name)}: $\langle S \rangle$ = {mean}",
                x_range=(0, 4),
            )
        )
    return Figure(
        name="spacings",
        title="Spacings of degenerate pairs",
        caption="Histogram: spacings in units of their mean; line: the surmise of beta = 1, no"
        " parameter fitted.",
        panels=panels,
        columns=min(len(panels), 3),
    )


def history_scaling(lines: Sequence[ScalingLine]) -> Figure:
    """Mean spacings against sqrt(alpha/|B|), with the line through the origin.

    Args:
        lines: of `sgdyson.analysis.scaling_lines`.
    """
    marks: list[Mark] = []
    for colour, part in enumerate(lines):
        name = f"levels {', '.join(map(str, part.indices))}"
        if part.matrix is not None:
            name = f"{_plain(part.matrix)}, {name}"
        if part.noise is not None:
            name += f", noise {part.noise:g}"
        name += f": slope {part.line.slope}"
        grid = np.array([0.0, float(part.variable.max()) * 1.05])
        marks += [
            Points(part.variable, part.spacing, part.spacing_error, label=name, colour=colour % 7),
            Line(grid, part.line(grid), colour=colour % 7),
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
