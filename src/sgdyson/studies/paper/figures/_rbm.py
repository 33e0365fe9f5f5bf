"""Figures of the Gaussian RBM: numbering of the paper (arXiv:2407.16427v1) in the docstrings."""

import numpy as np

from ...._types import Floats
from ....analysis import ComparedMultiplet, MeasuredRun
from ....figures import (
    Drawing,
    Figure,
    Histogram,
    HorizontalLine,
    Line,
    Mark,
    Panel,
    Points,
    VerticalLines,
)
from ....laws import Gaussian, PairDensity, WignerSurmise
from ....models import LevelLaw
from ....stats import density_histogram


def rbm_sketch(n_visible: int, n_hidden: int) -> Figure:
    """Figure 1: visible and hidden units, joined by W."""
    hidden = [((i + 0.5) / n_hidden, 1.0) for i in range(n_hidden)]
    visible = [((i + 0.5) / n_visible, 0.0) for i in range(n_visible)]
    nodes = np.array(hidden + visible)
    edges = [(i, n_hidden + j) for i in range(n_hidden) for j in range(n_visible)]
    labels = [f"$h_{{{i + 1}}}$" for i in range(n_hidden)]
    labels += [rf"$\phi_{{{i + 1}}}$" for i in range(n_visible)]
    drawing = Drawing(nodes=nodes, edges=edges, labels=labels)
    return Figure(
        name="rbm_sketch",
        title="The restricted Boltzmann machine",
        caption="Hidden units (top) and visible units (bottom), joined by the weight matrix W.",
        panels=[Panel([drawing], "", "")],
    )


def target_spectrum(target_modes: np.ndarray, rbm_mass: float) -> Figure:
    """Figure 2: eigenvalues of the target kernel."""
    index = np.arange(len(target_modes), dtype=float)
    limit = HorizontalLine(rbm_mass**2, label=r"$\mu^2$: no higher mode can be learnt")
    return Figure(
        name="target_spectrum",
        title="What is learnt: the spectrum of the target kernel",
        caption="Eigenvalues of the target kernel of a free scalar field on a periodic chain: all"
        " but the lowest and the highest come in degenerate pairs.",
        panels=[
            Panel(
                [Points(index, target_modes, label=r"$\kappa_i$"), limit],
                "mode i",
                r"$\kappa_i$",
            )
        ],
    )


def learnt_levels(run: MeasuredRun) -> Figure:
    """Figure 3: distributions of the levels with their predicted laws, targets dashed."""
    marks: list[Mark] = []
    predicted = run.prediction.sample_levels(2**14)
    for colour, multiplet in enumerate(run.multiplets):
        for member in range(multiplet.levels.shape[2]):
            histogram = density_histogram(multiplet.levels[:, :, member])
            marks.append(
                Histogram(
                    histogram.edges,
                    histogram.density,
                    label=rf"$\kappa={multiplet.target_mode:.2f}$" if member == 0 else None,
                    colour=colour,
                )
            )
            law = LevelLaw(predicted[:, [multiplet.indices[member]]])
            grid = np.linspace(histogram.edges[0], histogram.edges[-1], 200)
            first = member == 0 and colour == 0
            marks.append(Line(grid, law.pdf(grid), label="predicted" if first else None))
    targets = np.array([multiplet.multiplet.target_level for multiplet in run.multiplets])
    marks.append(VerticalLines(targets, label=r"targets $\mu^2-\kappa_i$"))
    return Figure(
        name="learnt_levels",
        title="The levels repel and never settle",
        caption=f"Stationary distributions of each level, {_setting(run)}, with their"
        " predicted laws (order 1, no free parameter); dashed: the targets. The two levels of a"
        " degenerate pair stay apart.",
        panels=[Panel(marks, r"level $x_i$", "density", legend_below=True)],
    )


def wigner(run: MeasuredRun) -> Figure:
    """Figure 4: spacings S with the fitted law, and their collapse on the Wigner surmise."""
    left: list[Mark] = []
    right: list[Mark] = []
    law = WignerSurmise(run.prediction.beta)
    for colour, multiplet in enumerate(run.pairs):
        assert multiplet.pair
        spacing, mean = multiplet.pair.spacing, multiplet.pair.mean.value
        label = rf"$\kappa={multiplet.target_mode:.2f}$"
        histogram = density_histogram(spacing)
        left.append(Histogram(histogram.edges, histogram.density, label=label, colour=colour))
        grid = np.linspace(0, spacing.max(), 200)
        left.append(Line(grid, law.pdf(grid / mean) / mean, colour=colour))
        theory, first = multiplet.predicted_spacing, "predicted" if colour == 0 else None
        left.append(Line(grid, law.pdf(grid / theory) / theory, label=first, dashed=True))
        unit = density_histogram(spacing / mean, edges=np.linspace(0, 3.5, 29))
        right.append(
            Points(unit.centres, unit.density, y_error=unit.error, label=label, colour=colour)
        )
    grid = np.linspace(0, 3.5, 200)
    right.append(Line(grid, law.pdf(grid), label="Wigner surmise"))
    return Figure(
        name="wigner",
        title="Level spacings follow the Wigner surmise",
        caption=f"Spacings of the degenerate pairs, {_setting(run)}. Left: S, lines with the"
        " measured mean alone, dashed with the predicted one (order 1). Right: s = S/<S>, no free"
        " parameter.",
        panels=[
            Panel(left, r"spacing $S$", r"$P(S)$"),
            Panel(right, r"unit spacing $s=S/\langle S\rangle$", r"$P(s)$"),
        ],
    )


def densities(run: MeasuredRun) -> Figure:
    """Figure 5: spectral densities with their fits."""
    return Figure(
        name="densities",
        title="Spectral densities: a pair, or a single level",
        caption=f"Density of the levels of each mode, {_setting(run)}, with the pair density"
        " (two levels) or the Gaussian (one level) of maximum likelihood, and the predicted law"
        " (order 1, no free parameter); dashed and upright: the target.",
        panels=[
            _density_panel(run, multiplet, colour)
            for colour, multiplet in enumerate(run.multiplets)
        ],
        columns=3,
    )


def _density_panel(run: MeasuredRun, multiplet: ComparedMultiplet, colour: int) -> Panel:
    histogram = density_histogram(multiplet.levels)
    grid = np.linspace(histogram.edges[0], histogram.edges[-1], 200)
    return Panel(
        [
            Histogram(histogram.edges, histogram.density, colour=colour),
            *_fit(multiplet, grid),
            Line(grid, run.prediction.law(multiplet.multiplet).pdf(grid), "predicted", dashed=True),
            VerticalLines(np.array([multiplet.multiplet.target_level])),
        ],
        r"$x$",
        r"$\rho(x)$",
        title=rf"$\kappa={multiplet.target_mode:.2f}$, $\sigma$ = {multiplet.width}",
    )


def _fit(multiplet: ComparedMultiplet, grid: Floats) -> list[Mark]:
    """The density of maximum likelihood; none of three levels or more."""
    if multiplet.fit is None:
        return []
    centre, width = multiplet.fit.centre.value, multiplet.fit.width.value
    law = PairDensity(centre, width, multiplet.beta) if multiplet.pair else Gaussian(centre, width)
    return [Line(grid, law.pdf(grid), label="fit")]


def _setting(run: MeasuredRun) -> str:
    return (
        f"alpha = {run.learning_rate:g}, |B| = {run.batch_size:g}, {run.replicas} replicas at"
        f" {run.records} times"
    )
