"""Figures of the teacher-student model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...._types import Floats
from ....analysis import ComparedMultiplet, MeasuredRun
from ....errors import require
from ....figures import Figure, Histogram, Line, Mark, Panel, Points, VerticalLines
from ....laws import GaussianEnsembleDensity, PairDensity, Semicircle
from ....stats import Histogram as Density
from ....stats import density_histogram


def the_pair(run: MeasuredRun) -> ComparedMultiplet:
    """The one pair of a student's run."""
    require(
        len(run.pairs) == 1,
        f"{run.name}: {len(run.pairs)} degenerate pairs, where this figure shows students of one;"
        " take a teacher such as [2.0, 2.0].",
    )
    return run.pairs[0]


def fitted_density(pair: ComparedMultiplet) -> tuple[Density, Floats, Floats]:
    """Density of the levels of a pair; a grid over it, and the fitted pair density on the grid."""
    assert pair.fit
    histogram = density_histogram(pair.levels)
    grid = np.linspace(histogram.edges[0], histogram.edges[-1], 200)
    law = PairDensity(pair.fit.centre.value, pair.fit.width.value)
    return histogram, grid, law.pdf(grid)


def teacher_levels(runs: Sequence[tuple[float, MeasuredRun]]) -> Figure:
    """Figure 7: distributions of the levels at several noise strengths.

    Args:
        runs: label noise epsilon, and the run.
    """
    panels = []
    for colour, (noise, run) in enumerate(runs):
        multiplet = the_pair(run)
        assert multiplet.fit
        histogram, grid, fitted = fitted_density(multiplet)
        panels.append(
            Panel(
                [
                    Histogram(histogram.edges, histogram.density, colour=colour),
                    Line(grid, fitted, label="pair density"),
                    VerticalLines(np.array([multiplet.multiplet.target_level])),
                ],
                r"level $x$",
                r"$\rho(x)$",
                title=rf"$\epsilon$ = {noise:g}, $\sigma$ = {multiplet.fit.width}",
            )
        )
    run = runs[0][1]
    return Figure(
        name="teacher_levels",
        title="Teacher and student: levels at three noise strengths",
        caption=f"Density of both levels around the teacher's (dashed), quenched data as in the"
        f" paper, alpha = {run.learning_rate:g}, |B| = {run.batch_size:g},"
        f" {run.replicas} replicas; lines: pair density of maximum likelihood.",
        panels=panels,
    )


def teacher_scaling(
    quenched: Sequence[tuple[float, MeasuredRun]], online: Sequence[tuple[float, MeasuredRun]]
) -> Figure:
    """Figure 8: <S> and sqrt(pi) sigma against sqrt((alpha/|B|) A), and against each other.

    Args:
        quenched: label noise epsilon, and the run on quenched data.
        online: label noise epsilon, and the run on fresh data.
    """
    panels: list[list[Mark]] = [[], []]
    equal: list[Mark] = []
    largest = 0.0
    for colour, (name, runs) in enumerate([("quenched", quenched), ("online", online)]):
        u = np.array([np.sqrt(run.ratio) * noise for noise, run in runs])
        pairs = [multiplet.pair for _, run in runs for multiplet in run.pairs if multiplet.pair]
        fits = [multiplet.fit for _, run in runs for multiplet in run.pairs if multiplet.fit]
        panels[0].append(
            Points(
                u,
                np.array([pair.mean.value for pair in pairs]),
                y_error=np.array([pair.mean.error for pair in pairs]),
                label=name,
                colour=colour,
            )
        )
        panels[1].append(
            Points(
                u,
                np.sqrt(np.pi) * np.array([fit.width.value for fit in fits]),
                y_error=np.sqrt(np.pi) * np.array([fit.width.error for fit in fits]),
                label=name,
                colour=colour,
            )
        )
        equal.append(_against_width(name, [run for _, run in runs], colour))
        predicted = np.array(
            [multiplet.predicted_spacing for _, run in runs for multiplet in run.pairs]
        )
        largest = max(largest, u.max())
    ends = np.array([0.0, 1.05 * largest])
    for panel in panels:
        panel.append(Line(ends, np.sqrt(np.pi) * ends, label=r"$\sqrt{\pi}\,u$", dashed=True))
        panel.append(Points(u, predicted, label=r"predicted at this $\alpha$", colour=2))
    equal.append(Line(np.sqrt(np.pi) * ends, np.sqrt(np.pi) * ends, label="equal", dashed=True))
    variable = r"$u=\sqrt{(\alpha/|B|)\,A}$"
    return Figure(
        name="teacher_scaling",
        title="Linear scaling in the teacher-student model",
        caption="Mean spacing and fitted width against the scaling variable: quenched data with"
        " inputs shared among replicas, as in the paper, and fresh data beside it. The dashed"
        " line is the limit of small alpha; the predicted points hold at any alpha.",
        panels=[
            Panel(panels[0], variable, r"$\langle S\rangle$"),
            Panel(panels[1], variable, r"$\sqrt{\pi}\,\sigma$"),
            Panel(equal, r"$\sqrt{\pi}\,\sigma$", r"$\langle S\rangle$"),
        ],
    )


def _against_width(name: str, runs: Sequence[MeasuredRun], colour: int) -> Points:
    """Mean spacings against fitted widths, which the pair density says are one line."""
    parts = [multiplet for run in runs for multiplet in run.pairs]
    spacings = [multiplet.pair.mean for multiplet in parts if multiplet.pair]
    widths = [multiplet.fit.width * float(np.sqrt(np.pi)) for multiplet in parts if multiplet.fit]
    return Points(
        np.array([width.value for width in widths]),
        np.array([spacing.value for spacing in spacings]),
        x_error=np.array([width.error for width in widths]),
        y_error=np.array([spacing.error for spacing in spacings]),
        label=name,
        colour=colour,
    )


def semicircle(ensembles: Sequence[tuple[Floats, float, float]]) -> Figure:
    """Level densities of N-fold degenerate teachers, N rising.

    Args:
        ensembles: levels (..., N), the teacher's level, predicted sigma.
    """
    panels = []
    for colour, (levels, target, sigma) in enumerate(ensembles):
        n = levels.shape[-1]
        radius = np.sqrt(2 * n) * sigma
        histogram = density_histogram((levels - target).reshape(-1) / radius)
        grid = np.linspace(-1.6, 1.6, 400)
        marks: list[Mark] = [
            Histogram(histogram.edges, histogram.density, colour=colour),
            Line(grid, GaussianEnsembleDensity(n, 1, 1 / np.sqrt(2 * n)).pdf(grid), label="exact"),
            Line(grid, Semicircle(1.0).pdf(grid), label="semicircle", dashed=True),
        ]
        axis = r"$(x-x^*)/\sqrt{2N}\sigma$"
        panels.append(Panel(marks, axis, "density", title=f"N = {n}", x_range=(-1.6, 1.6)))
    return Figure(
        name="semicircle",
        title="From a pair to the semicircle",
        caption="Level density of an N-fold degenerate teacher, in units of the predicted radius:"
        " no free parameter. Lines: exact density of the Gaussian orthogonal ensemble at this N,"
        " and the semicircle it tends to.",
        panels=panels,
        columns=2,
    )
