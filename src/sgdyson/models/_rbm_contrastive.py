r"""Chains that begin at the data in every update: what an update knows, to second order in M.

In the target's eigenbasis the mean of the model average is $\langle C_B \rangle = G + A^k Q A^k$,
$G = K^{-1}$, $Q = P - G$, $A = X/\mu^2$. With weight decay $\lambda$ the fixed point is
$(1 - a_i^{2k}) Q_i = \lambda$, and Q is no longer zero there: the contraction $A^k$ fluctuates with
X, and is felt. Without decay Q is zero for every mode that is learnt. Derivation: docs, "Theory".
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from ._leading import Levels

Square = Float[np.ndarray, "level level"]


@dataclass(frozen=True)
class Restarted:
    """The fixed point, and what surrounds it.

    Attributes:
        levels: x, zero of modes that are not learnt.
        target: P, variances of the data in each mode.
        mass2: mu^2.
        sweeps: k.
    """

    levels: Levels
    target: Levels
    mass2: float
    sweeps: int

    @cached_property
    def variances(self) -> Levels:
        """G, of the model."""
        return np.asarray(1 / (self.mass2 - self.levels))

    @cached_property
    def missing(self) -> Levels:
        """Q = P - G, what the data have more."""
        return np.asarray(self.target - self.variances)

    @cached_property
    def kept(self) -> Levels:
        """a^k: the share of a chain's start that is left."""
        return np.asarray((self.levels / self.mass2) ** self.sweeps)

    @cached_property
    def slope(self) -> Square:
        r"""$\delta (A^k)_{ij}/M_{ij}$, from divided differences of $a^k$."""
        return divided(self.levels / self.mass2, self.sweeps) / self.mass2

    @cached_property
    def pull(self) -> Square:
        r"""$c_{ij} = -\delta D_{ij}/M_{ij}$."""
        own = self.missing * self.kept
        forgets = 1 - np.outer(self.kept, self.kept)
        return forgets * np.outer(self.variances, self.variances) + self.slope * np.add.outer(
            own, own
        )

    @cached_property
    def sampled(self) -> Square:
        r"""$|B| \langle |\zeta_{ij}|^2 \rangle$ of the chains' own noise, to be times `wick`."""
        spread = self.variances + self.kept**2 * self.missing  # where chains end
        start = self.kept**2 * self.target
        return np.asarray(np.outer(spread, spread) - np.outer(start, start))

    def shift(self, covariance: Square) -> Levels:
        r"""$E_i = -\frac{1}{c_{ii}} [C''_i + \sum_j c_{ij} V_{ij}/(x_i + x_j)]$, of modes learnt.

        C'' is the mean that fluctuations add to $C_{ii}$: those of G, and those of $A^k$.
        """
        v = np.where(np.isfinite(covariance), covariance, 0.0)
        g, both = self.variances, np.add.outer(self.levels, self.levels)
        pushes = np.divide(self.pull, both, out=np.zeros_like(both), where=both > 0)
        own = self.kept[:, None]
        curved = twice_divided(self.levels / self.mass2, self.sweeps) / self.mass2**2
        more = (1 - own**2) * g[:, None] ** 2 * g
        more = more + 2 * curved * (self.missing * self.kept)[:, None]
        more = more + self.slope**2 * self.missing - 2 * self.slope * np.outer(g, g) * own
        return np.asarray(-((more + pushes) * v).sum(axis=1) / np.diag(self.pull))


def fixed_points(target: Levels, decay: float, mass2: float, sweeps: int) -> Levels:
    r"""Levels of modes that can be learnt: $(1 - a^{2k})(P - 1/(\mu^2 - x)) = \lambda$.

    The left side falls in x, from above $\lambda$: there is one root.

    Args:
        target: P, above $\lambda + 1/\mu^2$.
        decay: lambda.
        mass2: mu^2.
        sweeps: k.
    """

    def excess(a: float, p: float) -> float:
        # (1 - a^2k)/(1 - a) is a finite sum, and the root is where it is smooth
        return p * (1 - a ** (2 * sweeps)) - sum(a**j for j in range(2 * sweeps)) / mass2 - decay

    return np.array([mass2 * brentq(excess, 0.0, 1.0, (p,), xtol=1e-15) for p in target])


def divided(a: Levels, sweeps: int) -> Square:
    """Divided differences of a^k."""
    return np.asarray(sum(np.outer(a ** (sweeps - 1 - power), a**power) for power in range(sweeps)))


def twice_divided(a: Levels, sweeps: int) -> Square:
    """Second divided differences of a^k at (i, j, i)."""
    # sum over p + q + r = k - 2 of a_i^p a_j^q a_i^r: k - 1 - q terms for each power q of a_j
    terms = [
        (sweeps - 1 - power) * np.outer(a ** (sweeps - 2 - power), a**power)
        for power in range(sweeps - 1)
    ]
    return np.asarray(sum(terms, np.zeros((len(a), len(a)))))
