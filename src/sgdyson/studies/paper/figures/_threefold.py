"""The threefold way: weights of three kinds of numbers, three repulsions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....analysis import MeasuredForce, MeasuredRun
from ....figures import Figure, Histogram, Line, Mark, Panel, Points
from ....laws import PairDensity, WignerSurmise
from ....stats import density_histogram
from ._teacher import the_pair

_NAMES = {1: "real", 2: "complex", 4: "quaternion"}


def threefold(measured: Sequence[tuple[MeasuredRun, MeasuredForce]]) -> Figure:
    """Spacings, densities and forces of real, complex and quaternion weights.

    Args:
        measured: of each kind the run, and the repulsion of its pair.
    """
    panels: list[list[Mark]] = [[], [], []]
    for colour, (run, force) in enumerate(measured):
        for marks, more in zip(panels, _marks(run, force, colour), strict=True):
            marks += more
    return Figure(
        name="threefold",
        title="The threefold way: three ensembles that learn",
        caption="A student of real, complex and quaternion weights, alpha ="
        f" {measured[0][0].learning_rate:g}, |B| = {measured[0][0].batch_size:g}. Left: unit"
        " spacings and the Wigner surmise of beta = 1, 2, 4, no free parameter. Middle: densities"
        " of both levels, with fitted centre and width. Right: mean change of the spacing in one"
        " update and Dyson's 2 beta g^2/S - gamma S for its finite step, no free parameter."
        " Colours as on the right.",
        panels=[
            Panel(panels[0], r"unit spacing $s=S/\langle S\rangle$", "$P(s)$"),
            Panel(panels[1], r"$(x-c)/\sigma$", "density"),
            Panel(panels[2], r"spacing $S/g$", r"drift $\langle\Delta S\rangle/g$"),
        ],
        columns=3,
    )  # fmt: skip


def _marks(run: MeasuredRun, force: MeasuredForce, colour: int) -> list[list[Mark]]:
    multiplet = the_pair(run)
    assert multiplet.pair
    assert multiplet.fit
    beta = multiplet.pair.beta
    label = f"{_NAMES[beta]}, beta = {beta}"
    s, u = np.linspace(0, 3, 200), np.linspace(-4.5, 4.5, 200)
    spacing = multiplet.pair.spacing / multiplet.pair.mean.value
    unit = density_histogram(spacing, edges=np.linspace(0, 3, 31))
    levels = (multiplet.levels - multiplet.fit.centre.value) / multiplet.fit.width.value
    histogram, scale = density_histogram(levels), force.level_diffusion**0.5
    x = force.force.spacing / scale
    return [
        [
            Points(unit.centres, unit.density, y_error=unit.error, colour=colour),
            Line(s, WignerSurmise(beta).pdf(s), colour=colour),
        ],
        [
            Histogram(histogram.edges, histogram.density, colour=colour),
            Line(u, PairDensity(0.0, 1.0, beta).pdf(u), colour=colour),
        ],
        [
            Points(x, force.force.drift / scale, y_error=force.force.drift_error / scale,
                   label=label, colour=colour),
            Line(x, force.drift / scale, colour=colour),
        ],
    ]  # fmt: skip
