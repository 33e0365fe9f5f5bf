"""Figures of the Gaussian RBM: numbering of the paper (arXiv:2407.16427v1) in the docstrings."""

from collections.abc import Sequence

import numpy as np

from ...analysis import ComparedMultiplet, MeasuredRun, Scaling
from ...figures import (
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
from ...laws import PairDensity, WignerSurmise
from ...stats import density_histogram


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
    """Figure 3: distributions of the levels, targets dashed."""
    marks: list[Mark] = []
    for colour, part in enumerate(run.multiplets):
        for member in range(part.levels.shape[2]):
            found = density_histogram(part.levels[:, :, member])
            marks.append(
                Histogram(
                    found.edges,
                    found.density,
                    label=rf"$\kappa={part.target_mode:.2f}$" if member == 0 else None,
                    colour=colour,
                )
            )
    targets = np.array([part.multiplet.target_level for part in run.multiplets])
    marks.append(VerticalLines(targets, label=r"targets $\mu^2-\kappa_i$"))
    return Figure(
        name="learnt_levels",
        title="The levels repel and never settle",
        caption=f"Stationary distributions of each level, {_setting(run)}; dashed: the targets."
        " The two levels of a degenerate pair stay apart.",
        panels=[Panel(marks, r"level $x_i$", "density")],
    )


def wigner(run: MeasuredRun) -> Figure:
    """Figure 4: spacings S with the fitted law, and their collapse on the Wigner surmise."""
    left: list[Mark] = []
    right: list[Mark] = []
    law = WignerSurmise(1)
    for colour, part in enumerate(run.pairs):
        assert part.pair
        spacing, mean = part.pair.spacing, part.pair.mean.value
        label = rf"$\kappa={part.target_mode:.2f}$"
        found = density_histogram(spacing)
        left.append(Histogram(found.edges, found.density, label=label, colour=colour))
        grid = np.linspace(0, spacing.max(), 200)
        left.append(Line(grid, law.pdf(grid / mean) / mean, colour=colour))
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
        " measured mean alone. Right: s = S/<S>, no free parameter.",
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
        " (two levels) or the Gaussian (one level) of maximum likelihood; dashed: the target.",
        panels=[_density_panel(part, colour) for colour, part in enumerate(run.multiplets)],
        columns=3,
    )


def scaling(runs: Sequence[MeasuredRun], points: Scaling) -> Figure:
    """Figure 6: the linear scaling rule."""
    groups: list[tuple[str, list[int]]] = []
    for name, chosen in _families(runs):
        groups.append((name, chosen))
    pairs = len(runs[0].pairs)
    panels: list[list[Mark]] = [[], [], []]
    for colour, (name, chosen) in enumerate(groups):
        index = np.array([pairs * run + mode for run in chosen for mode in range(pairs)])
        u, s, w = points.variable[index], points.spacing[index], points.width[index]
        ds, dw = points.spacing_error[index], points.width_error[index]
        panels[0].append(Points(u, s, y_error=ds, label=name, colour=colour))
        panels[1].append(Points(u, w, y_error=dw, label=name, colour=colour))
        panels[2].append(Points(w, s, x_error=dw, y_error=ds, label=name, colour=colour))
    grid = np.array([0.0, 1.05 * points.variable.max()])
    slope = np.sqrt(2 * np.pi)
    for panel in panels[:2]:
        panel.append(Line(grid, slope * grid, label=r"$\sqrt{2\pi}\,u$, predicted", dashed=True))
    ends = np.array([0.0, 1.05 * points.width.max()])
    panels[2].append(Line(ends, ends, label="equal", dashed=True))
    variable = r"$u=\sqrt{(\alpha/|B|)\,\kappa^2\Omega}$"
    width = r"$\sqrt{\pi}\,\sigma$"
    spacing = r"$\langle S\rangle$"
    return Figure(
        name="scaling",
        title="The linear scaling rule",
        caption="Mean spacing and fitted width of every degenerate pair against the scaling"
        " variable (with the correlation of the persistent chain), alpha and |B| varied alone."
        " Points fall below the line where alpha/|B| is no longer small.",
        panels=[
            Panel(panels[0], variable, spacing),
            Panel(panels[1], variable, width),
            Panel(panels[2], width, spacing),
        ],
    )


def drift(runs: Sequence[MeasuredRun], rbm_mass: float) -> Figure:
    """Further figure: lambda_fit/kappa against alpha/|B|, effects of the drift."""
    marks: list[Mark] = []
    runs = sorted(runs, key=lambda run: run.ratio)
    ratio = np.array([run.ratio for run in runs])
    for colour, part in enumerate(runs[0].multiplets):
        kappa = part.target_mode
        parts = [run.multiplets[colour] for run in runs]
        fits = [each.fit.centre for each in parts if each.fit]
        marks.append(
            Points(
                ratio,
                np.array([(rbm_mass**2 - fit.value) / kappa for fit in fits]),
                y_error=np.array([fit.error / kappa for fit in fits]),
                label=rf"$\kappa={kappa:.2f}$",
                colour=colour,
            )
        )
        slope = (part.multiplet.target_level - part.predicted_mean) / kappa / ratio[0]
        ends = np.array([0.0, ratio.max()])
        marks.append(Line(ends, 1 + slope * ends, colour=colour))
    return Figure(
        name="drift",
        title="The drift shifts the learnt modes",
        caption="Fitted centre lambda_fit = mu^2 - x, over kappa, against alpha/|B|. Lines: the"
        " predicted mean shift, first order in alpha/|B|, no free parameter.",
        panels=[Panel(marks, r"$\alpha/|B|$", r"$\lambda_{\mathrm{fit}}/\kappa$")],
    )


def _density_panel(part: ComparedMultiplet, colour: int) -> Panel:
    assert part.fit
    found = density_histogram(part.levels)
    grid = np.linspace(found.edges[0], found.edges[-1], 200)
    centre, width = part.fit.centre.value, part.fit.width.value
    if part.pair:
        density = PairDensity(centre, width).pdf(grid)
    else:
        density = np.exp(-(((grid - centre) / width) ** 2) / 2) / (np.sqrt(2 * np.pi) * width)
    return Panel(
        [
            Histogram(found.edges, found.density, colour=colour),
            Line(grid, density, label="fit"),
            VerticalLines(np.array([part.multiplet.target_level])),
        ],
        r"$x$",
        r"$\rho(x)$",
        title=rf"$\kappa={part.target_mode:.2f}$, $\sigma$ = {part.fit.width}",
    )


def _families(runs: Sequence[MeasuredRun]) -> list[tuple[str, list[int]]]:
    """Runs at alpha = 0.1 by |B|, the others by alpha."""
    batch = [i for i, run in enumerate(runs) if run.learning_rate == 0.1]
    rate = [i for i, run in enumerate(runs) if run.learning_rate != 0.1]
    found = [(r"$\alpha=0.1$, $|B|$ varied", batch), (r"$|B|=16$, $\alpha$ varied", rate)]
    return [(name, chosen) for name, chosen in found if chosen]


def _setting(run: MeasuredRun) -> str:
    return (
        f"alpha = {run.learning_rate:g}, |B| = {run.batch_size:g}, {run.replicas} replicas at"
        f" {run.records} times"
    )
