"""The Coulomb force between two levels, seen in their motion."""

from __future__ import annotations

from collections.abc import Sequence

from ....analysis import MeasuredForce
from ....figures import Figure, Line, Mark, Panel, Points


def coulomb_force(forces: Sequence[MeasuredForce]) -> Figure:
    """Drift and diffusion of the spacing against theory, for each pair."""
    drift: list[Mark] = []
    diffusion: list[Mark] = []
    for colour, each in enumerate(forces):
        force = each.force
        label = rf"$\kappa={each.mode:.2f}$"
        # in units in which g = 1, so that the pairs share one pair of axes
        unit = each.level_diffusion**0.5
        x = force.spacing / unit
        drift.append(
            Points(x, force.drift / unit, y_error=force.drift_error / unit, label=label,
                   colour=colour)
        )  # fmt: skip
        drift.append(Line(x, each.drift / unit, colour=colour))
        diffusion.append(
            Points(x, force.diffusion / unit**2, y_error=force.diffusion_error / unit**2,
                   label=label, colour=colour)
        )  # fmt: skip
        diffusion.append(Line(x, each.diffusion / unit**2, colour=colour))
    return Figure(
        name="coulomb_force",
        title="The Coulomb force, measured",
        caption="Mean (left) and variance (right) of the change of a spacing in one update,"
        " against the spacing, in units of the predicted noise g. Lines: Dyson Brownian motion,"
        " 2 g^2/S - gamma S and 4 g^2, for the finite step of one update and no free parameter.",
        panels=[
            Panel(drift, r"spacing $S/g$", r"drift $\langle\Delta S\rangle/g$"),
            Panel(diffusion, r"spacing $S/g$", r"$\mathrm{var}(\Delta S)/g^2$", y_range=(0.0, 5.0)),
        ],
    )
