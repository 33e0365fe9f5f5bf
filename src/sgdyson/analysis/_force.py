"""The Coulomb force of a pair, measured and predicted."""

from dataclasses import dataclass

import numpy as np

from .._types import Floats
from ..spectra import CoulombForce, finite_step, repulsion
from ..stats import Estimate, LineFit, fit_line


@dataclass(frozen=True)
class MeasuredForce:
    r"""Drift and diffusion of a spacing against $dS = (2 \beta g^2/S - \gamma S) dt + 2 g\,dB$.

    Attributes:
        mode: kappa of the pair.
        force: the measured curves.
        drift: predicted at each bin, for the finite step of one update.
        diffusion: predicted at each bin, for the finite step of one update.
        line: drift/S against <1/S>/S, a straight line of slope 2 beta g^2, intercept -gamma.
        level_diffusion: g^2 predicted.
        friction: gamma predicted.
        next_order: of theory, relative.
        beta: Dyson index of the levels that theory takes.
    """

    mode: float
    force: CoulombForce
    drift: Floats
    diffusion: Floats
    line: LineFit
    level_diffusion: float
    friction: float
    next_order: float
    beta: int = 1

    @property
    def measured_level_diffusion(self) -> Estimate:
        """g^2 from the repulsion alone."""
        return self.line.slope / (2 * self.beta)

    @property
    def measured_beta(self) -> Estimate:
        """The index that theory takes times the repulsion measured over that predicted.

        All bins together, each corrected for the finite step.
        """
        force = self.force
        # over a finite interval friction takes 1 - e^{-gamma dt} of S, and repulsion is the rest
        pull = -np.expm1(-self.friction * force.interval) / force.interval * force.spacing
        predicted = self.drift + pull
        # least squares of measured against predicted repulsion, through the origin
        weights = (predicted / force.drift_error) ** 2
        ratio = float(np.sum(weights * (force.drift + pull) / predicted) / np.sum(weights))
        error = float(np.sum(weights) ** -0.5)
        return Estimate(self.beta * ratio, self.beta * error, float(force.counts.sum()))

    @property
    def measured_diffusion(self) -> Estimate:
        """4 g^2 from the variance of a step, each bin corrected for the finite step."""
        far = self.force.edges[:-1] >= 3 * np.sqrt(4 * self.level_diffusion)
        finite = self.diffusion[far] / (4 * self.level_diffusion)
        # the same of the diffusion: each bin divided by what the finite step makes of 4 g^2
        weights = (finite / self.force.diffusion_error[far]) ** 2
        mean = float(np.sum(weights * self.force.diffusion[far] / finite) / np.sum(weights))
        return Estimate(mean, float(np.sum(weights) ** -0.5), float(self.force.counts[far].sum()))


def measure_force(
    spacing: Floats,
    mode: float,
    level_diffusion: float,
    friction: float,
    next_order: float,
    beta: int = 1,
) -> MeasuredForce:
    """Measure the repulsion from spacings at successive updates.

    Args:
        spacing: S, shape (replica, time), one record an update.
        mode: kappa of the pair.
        level_diffusion: g^2 predicted, per update.
        friction: gamma predicted, per update.
        next_order: of theory, relative.
        beta: Dyson index of the levels: 1, 2 or 4.
    """
    step = np.sqrt(4 * level_diffusion)
    low, high = np.quantile(spacing, (0.01, 0.995))
    lowest = step / 2 if beta == 1 else max(step / 2, low)  # S^beta leaves hardly any below
    force = repulsion(spacing, np.geomspace(lowest, high, 25))
    drift, diffusion = finite_step(force, level_diffusion, friction, beta)
    # nearer, a pair passes through the collision inside one update and the line bends
    far = force.edges[:-1] >= 3 * step
    line = fit_line(
        (force.inverse_spacing / force.spacing)[far],
        (force.drift / force.spacing)[far],
        (force.drift_error / force.spacing)[far],
    )
    return MeasuredForce(
        mode, force, drift, diffusion, line, level_diffusion, friction, next_order, beta
    )
