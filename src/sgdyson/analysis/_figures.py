"""Figures of histories that were read from files."""

from collections.abc import Sequence

import numpy as np

from .._types import Floats
from ..figures import Figure, Histogram, Line, Mark, Panel, Points
from ..laws import GaussianEnsembleDensity
from ..stats import GoodnessOfFit, density_histogram
from ._gaps import gap_law
from ._multiplet import MeasuredMultiplet, MeasuredPair, span
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
        title = rf"{_plain(name)}: $\langle S \rangle$ = {pair.mean}"
        panels.append(_unit_gaps(pair.spacing, surmise, title))
    return Figure(
        name="spacings",
        title="Spacings of degenerate pairs",
        caption="Histogram: spacings in units of their mean; line: the surmise, no parameter"
        " fitted.",
        panels=panels,
        columns=min(len(panels), 3),
    )


def history_gaps(multiplets: Sequence[tuple[str, MeasuredMultiplet]]) -> Figure:
    """Gaps of three levels or more, in units of their mean, beside their law.

    Args:
        multiplets: a name and each, of at least 50 replicas.
    """
    grid = np.linspace(0, 4, 200)
    panels = []
    for name, each in multiplets:
        law = gap_law(len(each.indices), each.beta)
        label = f"{law.n} levels of a Gaussian ensemble, beta = {law.beta}"
        line = Line(grid, law.pdf(grid), label=label)
        title = _title(name, each, each.gaps)
        panels.append(_unit_gaps(-np.diff(each.levels, axis=2), line, title))
    return Figure(
        name="gaps",
        title="Gaps of larger multiplets",
        caption="Histogram: all gaps of a multiplet in units of their mean; line: the law of the"
        " gaps of as many levels of a Gaussian ensemble, no parameter fitted. p: Anderson-Darling.",
        panels=panels,
        columns=min(len(panels), 3),
    )


def _unit_gaps(gaps: Floats, law: Line, title: str) -> Panel:
    """Gaps in units of their mean, beside their law."""
    unit = density_histogram(gaps / gaps.mean())
    return Panel([Histogram(unit.edges, unit.density), law], r"$s = S/\langle S \rangle$", "$P(s)$",
                 title=title, x_range=(0, 4))  # fmt: skip


def history_densities(multiplets: Sequence[tuple[str, MeasuredMultiplet]]) -> Figure:
    """Density of one level of three or more, beside that of a Gaussian ensemble of as many.

    Args:
        multiplets: a name and each, of at least 50 replicas.
    """
    panels = []
    for name, each in multiplets:
        u = (each.levels - each.mean.value) / each.width.value
        law = GaussianEnsembleDensity(len(each.indices), each.beta)
        grid = np.linspace(*law.support, 300)
        drawn = density_histogram(u)
        label = f"Gaussian ensemble of {len(each.indices)}, beta = {each.beta}"
        marks: list[Mark] = [
            Histogram(drawn.edges, drawn.density),
            Line(grid, law.pdf(grid), label=label),
        ]
        panels.append(Panel(marks, r"$u = (x - \langle x \rangle)/\sigma$", r"$\rho(u)$",
                            title=_title(name, each, each.density)))  # fmt: skip
    return Figure(
        name="densities",
        title="Densities of larger multiplets",
        caption="Histogram: levels of a multiplet about their mean, in units of the width of the"
        " Coulomb gas; line: density of a Gaussian ensemble of as many levels. Centre and width"
        " are those of the levels. p: Anderson-Darling.",
        panels=panels,
        columns=min(len(panels), 3),
    )


def _title(name: str, each: MeasuredMultiplet, test: GoodnessOfFit | None) -> str:
    chance = f": p = {test.pvalue:.2g}" if test else ""
    return f"{_plain(name)}, levels {span(each.indices)}{chance}"


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
        caption=" ".join(
            [
                "Mean spacings with errors over replicas, and straight lines through the origin.",
                *dict.fromkeys(
                    f"{each.note[:1].upper()}{each.note[1:]}." for each in lines if each.note
                ),
            ]
        ),
        panels=[panel],
        columns=1,
    )


def _plain(name: str) -> str:
    """Text without what a label would take as mathematics."""
    return name.replace("$", "").replace("_", " ")
