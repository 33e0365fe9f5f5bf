"""The figure of the study `linear-scaling`."""

from collections.abc import Sequence

import numpy as np

from ...figures import Figure, Line, Mark, Panel, Points
from ._scan import Scan


def scaling_rule(scans: Sequence[Scan]) -> Figure:
    r"""$\sigma^2$ against alpha, and against |B|, each alone, of all architectures.

    Args:
        scans: of every architecture under one optimiser.
    """
    optimizer = scans[0].optimizer
    panels = [
        _panel(scans, "learning_rate", r"$\alpha$ / middle", [1.0]),
        _panel(scans, "batch_size", r"$|B|$ / middle", [-1.0, -0.5]),
    ]
    return Figure(
        name=f"scaling_{optimizer}",
        title=f"Width of the levels under {optimizer}",
        caption=r"$\sigma^2$ in units of its value in the middle of both scans, one of $\alpha$ at"
        r" a fixed $|B|$ and one of $|B|$ at a fixed $\alpha$. Lines have the slopes given, and are"
        " not fitted.",
        panels=panels,
        columns=2,
    )


def _panel(scans: Sequence[Scan], varied: str, label: str, slopes: list[float]) -> Panel:
    marks: list[Mark] = []
    ends = []
    for colour, scan in enumerate(scans):
        middle = scan.varied.index("both")
        unit = scan.width2[middle]
        if unit is None:  # every replica diverged
            continue
        chosen = np.flatnonzero(scan.chosen(varied, up_to_middle=False))
        x = getattr(scan, varied)[chosen] / getattr(scan, varied)[middle]
        order = np.argsort(x)
        ends += [x.min(), x.max()]
        values = np.array([scan.width2[i].value for i in chosen[order]]) / unit.value
        errors = np.array([scan.width2[i].error for i in chosen[order]]) / unit.value
        # the symbols are the same in both panels
        name = scan.architecture.replace("_", " ") if varied == "learning_rate" else ""
        marks.append(Points(x[order], values, errors, label=name, colour=colour))
    grid = np.array([min(ends, default=1.0), max(ends, default=1.0)])
    for slope in slopes:
        name = {1.0: "slope 1", -1.0: "slope -1", -0.5: "slope -1/2"}[slope]
        marks.append(Line(grid, grid**slope, label=name, dashed=slope == -0.5))
    return Panel(marks, label, r"$\sigma^2$ / middle", x_log=True, y_log=True)
