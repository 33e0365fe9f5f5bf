"""The figure of the study `many-species`."""

from collections.abc import Sequence

import numpy as np

from ...figures import Figure, Histogram, Line, Mark, Panel, Points
from ...laws import GaussianEnsembleDensity, Semicircle
from ...stats import density_histogram
from ._species import Species

_NAMES = {"product": r"$W_2 W_1$", "w1": r"$W_1$", "w2": r"$W_2$"}


def many_species(gases: Sequence[Sequence[Species]]) -> Figure:
    """Widths of all species against alpha/|B|, and the density of each in one setting.

    Args:
        gases: for every setting the species of each matrix.
    """
    return Figure(
        name="many_species",
        title="A gas of many species",
        caption=r"Left: $\sigma^2$ of the product and of each layer of a linear network, beside the"
        " joint Langevin prediction. Right: densities about the mean level, in units of the"
        r" predicted $\sigma$, beside the exact density of n levels and the semicircle.",
        panels=[_widths(gases), *(_density(gas) for gas in gases[0][:2])],
        columns=3,
    )


def _widths(gases: Sequence[Sequence[Species]]) -> Panel:
    marks: list[Mark] = []
    for colour, name in enumerate(_NAMES):
        parts = sorted((p for setting in gases for p in setting if p.name == name),
                       key=lambda gas: gas.ratio)  # fmt: skip
        ratio = np.array([gas.ratio for gas in parts])
        marks.append(Points(ratio, np.array([gas.width2.value for gas in parts]),
                            np.array([gas.width2.error for gas in parts]),
                            label=_NAMES[name], colour=colour))  # fmt: skip
        theory = np.array([gas.prediction.width[0] ** 2 for gas in parts])
        marks.append(Line(ratio, theory, colour=colour))
    return Panel(marks, r"$\alpha/|B|$", r"$\sigma^2$", x_log=True, y_log=True)


def _density(gas: Species) -> Panel:
    n = gas.levels.shape[-1]
    unit = (gas.levels - gas.levels.mean()) / gas.prediction.width[0]
    shown = density_histogram(unit.ravel())
    grid = np.linspace(-4.2, 4.2, 300)
    exact = GaussianEnsembleDensity(n, 1, 1.0)
    return Panel(
        [
            Histogram(shown.edges, shown.density, _NAMES[gas.name]),
            Line(grid, exact.pdf(grid), f"exact, n = {n}"),
            Line(grid, Semicircle((2 * n) ** 0.5).pdf(grid), "semicircle", dashed=True),
        ],
        r"$(x - c)/\sigma$",
        "density",
        title=_NAMES[gas.name],
        legend_below=True,
    )
