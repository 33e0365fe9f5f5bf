"""The figure of the study `structure`."""

import numpy as np

from ..._types import Floats
from ...figures import Figure, Histogram, HorizontalLine, Line, Mark, Panel, Points
from ...laws import MarchenkoPastur
from ...stats import Estimate, density_histogram
from ._departure import Departure

_RATIO = {"real noise": 0.5307, "independent levels": 0.3863}  # Atas et al. (2013)


def structure_figure(
    departure: Departure, matrix: str, singular_values: Floats, shape: tuple[int, int]
) -> Figure:
    """Loss, one spectrum before and after, and how edge, outliers, <r> and tail change.

    Args:
        departure: the measured departure from noise.
        matrix: the name of the one that is shown.
        singular_values: of it, (replica, [first, last], level).
        shape: of it.
    """
    labels = {
        "edge": "bulk edge / initial",
        "outliers": "outliers a matrix",
        "ratio": r"$\langle r \rangle$ of the bulk",
        "tail": "tail exponent",
    }
    panels = [
        Panel([_points(departure.updates, departure.loss, 0, None)], "updates", "loss / nats"),
        _spectrum(matrix, singular_values, shape),
    ]
    for quantity, label in labels.items():
        marks: list[Mark] = [
            _points(departure.updates, line, colour, kind if quantity == "outliers" else None)
            for colour, (kind, line) in enumerate(departure.measured[quantity].items())
        ]
        if quantity == "ratio":
            marks += [
                HorizontalLine(value, name, colour)
                for (name, value), colour in zip(_RATIO.items(), (None, 6), strict=True)
            ]
        highest = max(e.value for line in departure.measured[quantity].values() for e in line)
        # room for the names
        room = (-0.05 * highest - 0.1, 1.6 * highest + 0.1) if quantity == "outliers" else None
        panels.append(Panel(marks, "updates", label, y_range=room))
    return Figure(
        name="structure",
        title="From Marchenko and Pastur to structure",
        caption="A character transformer learns Python's standard library: means and errors over"
        " replicas. Top right: levels of one matrix before the first update and at the end, beside"
        " Marchenko and Pastur's law of the initial entries, no parameter fitted.",
        panels=panels,
        columns=3,
    )


def _points(x: Floats, line: list[Estimate], colour: int, label: str | None) -> Points:
    values, errors = (np.array([getattr(e, name) for e in line]) for name in ("value", "error"))
    return Points(x, values, errors, label=label, colour=colour)


def _spectrum(matrix: str, s: Floats, shape: tuple[int, int]) -> Panel:
    """Levels in units in which the initial entries have variance 1."""
    long, short = max(shape), min(shape)
    levels = s**2 * shape[0] / long
    law = MarchenkoPastur(short / long)
    top = max(1.6 * law.edges[1], float(np.quantile(levels, 0.98)))
    marks: list[Mark] = []
    for colour, (time, name) in enumerate({0: "initial", 1: "final"}.items()):
        shown = density_histogram(levels[:, time].ravel())
        marks.append(Histogram(shown.edges, shown.density, name, colour))
    grid = np.linspace(0, top, 400)
    marks.append(Line(grid, law.pdf(grid), "Marchenko-Pastur"))
    return Panel(marks, f"levels of {matrix}", "density", x_range=(0, top))
