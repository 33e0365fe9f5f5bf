r"""What the two phases of an update of a Boltzmann machine know, and how they scatter.

The update is $W' = W + \alpha W (P_B - C_B)$. The data average $P_B$ is exact or taken over |B|
samples, with scatter $\zeta^+$; the model average $C_B$ over chains that go on (and remember by r)
or begin anew at the data (contrastive divergence: they know only 1 - r of the curvature).
Derivation: docs, "Theory".
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..optimizers import Optimizer
from ..optimizers.stationary import remembered_variance
from ._leading import Levels

Square = Float[np.ndarray, "level level"]


class Phases(NamedTuple):
    r"""How an update averages.

    Attributes:
        beta: 1, 2 or 4: real, complex or quaternion fields.
        minibatch: whether the data average too is over |B| samples.
        restarts: whether chains begin at the data in every update.
        fourth: $|B| \langle |\zeta^+_{ij}|^2 \rangle$ in the target's eigenbasis; None of Gaussian
            data, where it is $[1 + (2/\beta - 1)\,\delta_{ij}]\, P_i P_j$.
    """

    beta: int = 1
    minibatch: bool = False
    restarts: bool = False
    fourth: Square | None = None

    @property
    def plain(self) -> bool:
        """The exact data average, and persistent chains."""
        return not (self.minibatch or self.restarts)

    def of_the_data(self, propagators: Levels) -> Square:
        """The scatter of a data average over one sample."""
        if self.fourth is not None:
            return self.fourth
        return np.outer(propagators, propagators) * wick(len(propagators), self.beta)


def wick(n: int, beta: int) -> Square:
    r"""$1 + (2/\beta - 1)\,\delta_{ij}$: of $\langle |\zeta_{ij}|^2 \rangle$, Gaussian samples."""
    return np.asarray(1 + (2 / beta - 1) * np.eye(n))


def covariance(
    phases: Phases,
    optimizer: Optimizer | None,
    learning_rate: float,
    batch_size: float,
    levels: Levels,
    kernel: Levels,
    target: Levels,
    curvature: Square,
    memory: Square,
) -> Square:
    r"""$V_{ij}$: gradient $(x_i + x_j) D_{ij}$, with the finite step and the chain's memory.

    Exact to first order in 1/|B|, for any learning rate. The chain knows $(x_i +
    x_j)/(\kappa^*_i \kappa^*_j)$ of the curvature, and forgets; the rest, of modes that are not
    learnt, acts at once. What chains that begin at the data do not know is lost: $1 - r$ is left,
    driven by $r \zeta^+$ and by noise of variance $(1 - r^2) v$, less $\zeta^+$ in a mini-batch.

    Args:
        phases: of an update.
        optimizer: a linear one; None is plain SGD.
        learning_rate: alpha.
        batch_size: |B|.
        levels: x.
        kernel: learnt, of each mode.
        target: P, variances of the data in each mode.
        curvature: of the drift of each entry, divided by alpha.
        memory: r, of the chain.
    """
    both = levels[:, None] + levels[None, :]
    noise = both**2 * wick(len(levels), phases.beta) / np.outer(kernel, kernel) / batch_size
    data = both**2 * phases.of_the_data(target) / batch_size
    # nothing pulls back what is flat up to rounding: it has no stationary variance
    flat = curvature <= 1e-12 * np.max(np.abs(curvature))
    known = np.where(flat, 0.0, both / np.outer(kernel, kernel))
    rest = np.where(flat, 1.0, curvature - known)
    if phases.restarts:
        share = (1 - memory) if phases.minibatch else memory
        noise = share**2 * data + (1 - memory**2) * noise
        known, memory = (1 - memory) * known, np.zeros_like(memory)
    variance = remembered_variance(optimizer, learning_rate, known, noise, memory, rest)
    if phases.minibatch and not phases.restarts:
        variance = variance + remembered_variance(
            optimizer, learning_rate, known, data, memory, rest, remembers=False
        )
    # without noise nothing fluctuates, flat or not
    return np.where(noise == 0, 0.0, np.where(flat, np.inf, variance))


def restarted_shift(
    levels: Levels, kernel: Levels, mass2: float, covariance: Square, sweeps: int
) -> Levels:
    r"""What chains that begin at the data change in $E_i$, next to chains that forget all.

    $\frac{\kappa_i}{1 - a_i^{2k}} \sum_j \frac{V_{ij}}{\kappa_j} \left[\frac{2 a_i^k
    h_{ij}}{\mu^2} + \frac{r_{ij} - a_i^{2k}}{x_i + x_j}\right]$, $h_{ij}$ the divided difference of
    $a^k$. The fixed point itself is where it was: there the data have the law of the model.
    """
    a, both = levels / mass2, levels[:, None] + levels
    own = (a**sweeps)[:, None]
    slope = divided(a, sweeps)
    pull = np.divide(
        np.outer(a, a) ** sweeps - own**2, both, out=np.zeros_like(both), where=both > 0
    )
    finite = np.where(np.isfinite(covariance), covariance, 0.0)
    inside = np.sum(finite / kernel * (2 * own * slope / mass2 + pull), axis=1)
    return np.asarray(kernel / (1 - own[:, 0] ** 2) * inside)


def divided(a: Levels, sweeps: int) -> Square:
    """Divided differences of a^k."""
    return np.asarray(sum(np.outer(a ** (sweeps - 1 - power), a**power) for power in range(sweeps)))
