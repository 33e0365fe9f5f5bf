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
from ._data_moments import DataMoments
from ._leading import Levels
from ._rbm_contrastive import Restarted

Square = Float[np.ndarray, "level level"]


class Phases(NamedTuple):
    r"""How an update averages.

    Attributes:
        beta: 1, 2 or 4: real, complex or quaternion fields.
        minibatch: whether the data average too is over |B| samples.
        restarts: whether chains begin at the data in every update.
        data: their moments, of which $\langle |\zeta^+_{ij}|^2 \rangle$ is made; None of Gaussian
            data, where it is $[1 + (2/\beta - 1)\,\delta_{ij}]\, P_i P_j/|B|$.
    """

    beta: int = 1
    minibatch: bool = False
    restarts: bool = False
    data: DataMoments | None = None

    @property
    def plain(self) -> bool:
        """The exact data average, and persistent chains."""
        return not (self.minibatch or self.restarts)

    def of_the_data(self, propagators: Levels) -> Square:
        """The scatter of a data average over one sample."""
        if self.data is not None:
            return self.data.fourth
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
    restarted: Restarted | None = None,
) -> Square:
    r"""$V_{ij}$: gradient $(x_i + x_j) D_{ij}$, with the finite step and the chain's memory.

    Exact to first order in 1/|B|, for any learning rate. The chain knows $(x_i +
    x_j)/(\kappa^*_i \kappa^*_j)$ of the curvature, and forgets; the rest, of modes that are not
    learnt, acts at once. Chains that begin at the data remember nothing: they are driven by $r
    \zeta^+$, less $\zeta^+$ in a mini-batch, and by noise of their own.

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
        restarted: of chains that begin at the data.
    """
    both = levels[:, None] + levels[None, :]
    unit = both**2 * wick(len(levels), phases.beta) / batch_size
    noise = unit / np.outer(kernel, kernel)
    data = both**2 * phases.of_the_data(target) / batch_size
    # nothing pulls back what is flat up to rounding: it has no stationary variance
    flat = curvature <= 1e-12 * np.max(np.abs(curvature))
    known = np.where(flat, 0.0, both / np.outer(kernel, kernel))
    rest = np.where(flat, 1.0, curvature - known)
    if restarted is not None:
        share = (1 - memory) if phases.minibatch else memory
        noise = share**2 * data + unit * restarted.sampled
        known = np.where(flat, 0.0, both * restarted.pull)
        rest, memory = np.where(flat, 1.0, curvature - known), np.zeros_like(memory)
    variance = remembered_variance(optimizer, learning_rate, known, noise, memory, rest)
    if phases.minibatch and restarted is None:
        variance = variance + remembered_variance(
            optimizer, learning_rate, known, data, memory, rest, remembers=False
        )
    # without noise nothing fluctuates, flat or not
    return np.where(noise == 0, 0.0, np.where(flat, np.inf, variance))
