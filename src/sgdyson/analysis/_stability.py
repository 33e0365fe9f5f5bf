"""Boundaries of stability, measured."""

from dataclasses import dataclass

import numpy as np

from .._types import Flags, Floats
from ..errors import require
from ..stats import Estimate, jackknife_of_means, mean_over_replicas


@dataclass(frozen=True)
class StabilityLimit:
    """A learning rate at which something stops decaying.

    Attributes:
        kind: of what: "mean square" or "typical replica".
        batch_size: |B|.
        measured: alpha, with its error.
        predicted: alpha.
        prediction_error: standard error of a prediction by Monte Carlo; 0 of an exact one.
        mean_dynamics: what the mean alone would say, 2 over the largest curvature.
    """

    kind: str
    batch_size: int
    measured: Estimate
    predicted: float
    prediction_error: float
    mean_dynamics: float


def growth_crossing(rates: Floats, before: Floats, after: Floats) -> Estimate:
    r"""The learning rate at which a mean square does not change between two times.

    $\ln(\langle q_{after} \rangle/\langle q_{before} \rangle)$ as a straight line in alpha, through
    its values at `rates` around the crossing; error by the jackknife over replicas.

    Args:
        rates: learning rates (rate,).
        before: squares q (replica, rate), at the earlier time.
        after: squares q (replica, rate), at the later time.
    """
    centre, count = rates.mean(), len(rates)
    offset = rates - centre

    def root(means: Floats) -> Floats:
        # logarithms of means, not the mean of logarithms: rare replicas make the mean square
        growth = np.log(means[..., count:] / means[..., :count])
        slope = (growth * offset).sum(axis=-1) / (offset**2).sum()
        return np.asarray(centre - growth.mean(axis=-1) / slope)

    return jackknife_of_means(root, np.concatenate([before, after], axis=1))


def threshold(rates: Floats, diverged: Flags) -> Estimate:
    """The mean learning rate from which on a replica diverges (Spearman and Kaerber's estimate).

    Args:
        rates: learning rates (rate,), ascending, one spacing.
        diverged: (replica, rate), of replicas with the same random numbers at every rate; none at
            the lowest rate, all at the highest.

    Raises:
        InvalidInputError: rates that do not embrace the boundary.
    """
    require(
        not diverged[:, 0].any() and bool(diverged[:, -1].all()),
        f"learning rates from {rates[0]:g} to {rates[-1]:g} do not embrace the boundary: shares"
        f" {diverged[:, 0].mean():.2f} and {diverged[:, -1].mean():.2f} diverge at the ends.",
    )
    spacing = rates[1] - rates[0]
    return mean_over_replicas(rates[0] - spacing / 2 + spacing * (~diverged).sum(axis=1))
