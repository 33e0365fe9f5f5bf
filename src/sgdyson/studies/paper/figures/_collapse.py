"""Spacings at many settings, their collapse on the Wigner surmise, densities with their fits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....analysis import MeasuredRun
from ....figures import Figure, Histogram, Line, Mark, Panel, Points
from ....laws import WignerSurmise
from ....stats import Histogram as Density
from ....stats import density_histogram
from ._teacher import fitted_density, the_pair

Families = Sequence[tuple[str, Sequence[tuple[str, MeasuredRun]]]]
_EDGES = np.linspace(0, 3.5, 29)


def teacher_wigner(families: Families) -> Figure:
    """Spacings of the teacher-student model against noise, alpha and |B|, S above and s below.

    Args:
        families: what is varied, and its runs by name.
    """
    above = [_spacings(name, runs) for name, runs in families]
    below = [_collapse(name, runs) for name, runs in families]
    return Figure(
        name="teacher_wigner",
        title="Spacings of the teacher-student model, and their collapse",
        caption="Fresh data; the noise of the labels, alpha and |B| varied alone."
        " Above: S, lines: the surmise with the predicted mean, no free parameter. Below:"
        " s = S/<S>.",
        panels=above + below,
        columns=len(families),
    )


def rbm_collapse(runs: Sequence[tuple[str, MeasuredRun]]) -> Figure:
    """Unit spacings of all pairs of the RBM at several alpha.

    Args:
        runs: by name.
    """
    return Figure(
        name="rbm_collapse",
        title="The RBM's spacings at every alpha",
        caption="Unit spacings of all degenerate pairs together, each in units of its own mean,"
        f" |B| = {runs[0][1].batch_size:g}. Line: Wigner surmise.",
        panels=[_collapse("alpha", runs)],
        columns=1,
    )


def teacher_densities(families: Families) -> Figure:
    """Densities of both levels of the teacher-student model with their fits.

    Args:
        families: what is varied, and its runs by name.
    """
    panels = []
    for name, runs in families:
        marks: list[Mark] = []
        for colour, (label, run) in enumerate(runs):
            multiplet = the_pair(run)
            histogram, grid, fitted = fitted_density(multiplet)
            marks.append(Histogram(histogram.edges, histogram.density, label=label, colour=colour))
            marks.append(Line(grid, fitted, colour=colour))
        panels.append(Panel(marks, r"level $x$", r"$\rho(x)$", title=f"{name} varied"))
    return Figure(
        name="teacher_densities",
        title="Densities of the teacher-student model",
        caption="Fresh data; density of both levels at several strengths of the noise, alpha and"
        " |B|, with the pair density of maximum likelihood.",
        panels=panels,
        columns=len(families),
    )


def _spacings(name: str, runs: Sequence[tuple[str, MeasuredRun]]) -> Panel:
    marks: list[Mark] = []
    for colour, (label, run) in enumerate(runs):
        multiplet = the_pair(run)
        assert multiplet.pair
        histogram = density_histogram(multiplet.pair.spacing)
        grid = np.linspace(0, multiplet.pair.spacing.max(), 200)
        mean = multiplet.predicted_spacing
        marks.append(_points(histogram, label, colour))
        marks.append(Line(grid, WignerSurmise(1).pdf(grid / mean) / mean, colour=colour))
    return Panel(marks, r"spacing $S$", r"$P(S)$", title=f"{name} varied")


def _collapse(name: str, runs: Sequence[tuple[str, MeasuredRun]]) -> Panel:
    marks: list[Mark] = []
    for colour, (label, run) in enumerate(runs):
        units = [
            multiplet.pair.spacing / multiplet.pair.mean.value
            for multiplet in run.pairs
            if multiplet.pair
        ]
        histogram = density_histogram(np.concatenate(units, axis=1), edges=_EDGES)
        marks.append(_points(histogram, label, colour))
    grid = np.linspace(0, 3.5, 200)
    marks.append(Line(grid, WignerSurmise(1).pdf(grid), label="Wigner surmise"))
    return Panel(marks, r"$s=S/\langle S\rangle$", r"$P(s)$", title=f"{name} varied")


def _points(histogram: Density, label: str, colour: int) -> Points:
    """A density in bins, with its errors."""
    return Points(histogram.centres, histogram.density, histogram.error, label=label, colour=colour)
