r"""The joint process of X and of the chain's average C, linear part: exact at any step.

The state of entry ij is $z = (m, c)$, $m = X - \langle X \rangle$, $c = C - \langle C \rangle$ in
the target's eigenbasis. One update is two maps, each linear in z but for terms that
`_rbm_terms` holds:

1. the chain at fixed X, $C' = G + A^k (C - G) A^k + \nu$, $G = (\mu^2 - X)^{-1}$, $A = X/\mu^2$;
2. the weights, $X' = (1 + \alpha (P - C'))\, X\, (1 + \alpha (P - C'))$.

Fresh samples are $A^k \to 0$. Derivation: docs, "Theory".
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ._leading import Levels

Square = Float[np.ndarray, "level level"]
Cube = Float[np.ndarray, "level level level"]
Blocks = Float[np.ndarray, "level level 2 2"]  # 2 x 2 in (m, c) for each entry


class Setting(NamedTuple):
    """An RBM that learns all its modes by plain SGD.

    Attributes:
        target: kappa, ascending.
        mass2: mu^2.
        alpha: the step.
        batch: |B|.
        sweeps: k; None for fresh samples.
    """

    target: Levels
    mass2: float
    alpha: float
    batch: float
    sweeps: int | None

    @property
    def x(self) -> Levels:
        """The fixed point."""
        return np.asarray(self.mass2 - self.target)

    @property
    def propagator(self) -> Levels:
        r"""$P_i = 1/\kappa_i$."""
        return np.asarray(1 / self.target)

    def contraction(self, levels: Levels) -> "Contraction":
        """A^k and its derivatives at these levels."""
        n = len(levels)
        if self.sweeps is None:
            return Contraction(np.zeros(n), np.zeros((n, n)), np.zeros((n, n, n)))
        a, k = levels / self.mass2, self.sweeps
        power = [a**p for p in range(k + 1)]
        first = sum((np.outer(power[k - 1 - p], power[p]) for p in range(k)), np.zeros((n, n)))
        second = np.zeros((n, n, n))
        for p in range(k - 1):
            for q in range(k - 1 - p):
                last = power[k - 2 - p - q]
                second += power[p][:, None, None] * power[q][:, None] * last
        return Contraction(power[k], first / self.mass2, second / self.mass2**2)


class Contraction(NamedTuple):
    r"""$(A + m/\mu^2)^k$ to second order in m.

    Attributes:
        power: $A_i = a_i^k$.
        first: divided differences $h_{ij}$ of a^k, by mu^2.
        second: $h_{ikj}$, by mu^4.
    """

    power: Levels
    first: Square
    second: Cube


class Linear(NamedTuple):
    """Second moments to first order in 1/|B|, and the means that follow.

    Attributes:
        chain: the linear map of step 1.
        weights: that of step 2.
        before: moments of z before an update.
        between: after step 1 and before step 2.
        model_shift: $<C_ii> - P_i$.
        level_shift: $E_i$.
    """

    chain: Blocks
    weights: Blocks
    before: Blocks
    between: Blocks
    model_shift: Levels
    level_shift: Levels


def linear_order(s: Setting) -> Linear:
    """(A) of the theory page, and (8) and (9) with the finite step."""
    p, x, n = s.propagator, s.x, len(s.target)
    pp, (a, h, _) = np.outer(p, p), s.contraction(x)
    chain = chain_step(p, np.zeros(n), a, h)
    weights = weight_step(x, np.zeros(n), s.alpha)
    noise = np.zeros((n, n, 2, 2))
    # v_ij (1 - r_ij^2): at fixed X the chain's scatter then stays what (5) says
    noise[..., 1, 1] = (1 + np.eye(n)) / s.batch * (pp - np.outer(a**2 * p, a**2 * p))
    before = stationary(weights @ chain, weights @ noise @ weights.mT)
    between = chain @ before @ chain.mT + noise
    model_shift = (s.alpha / 2 * (between[..., 1, 1] * x).sum(1) - between[..., 0, 1].sum(1)) / x
    variance = before[..., 0, 0]
    # <C> - <G>: the chain lags behind its weights
    lag = 2 * a * (h * (before[..., 0, 1] - pp * variance)).sum(1) / (1 - a**2)
    level_shift = (model_shift - lag) / p**2 - variance @ p
    return Linear(chain, weights, before, between, model_shift, level_shift)


def chain_step(g: Levels, lag: Levels, power: Levels, first: Square) -> Blocks:
    """Step 1 about the means: G = g, <C> - G = lag."""
    r, step = np.outer(power, power), np.zeros((len(g), len(g), 2, 2))
    pulled = lag * power
    step[..., 0, 0] = 1
    step[..., 1, 0] = np.outer(g, g) * (1 - r) + first * (pulled[None, :] + pulled[:, None])
    step[..., 1, 1] = r
    return step


def weight_step(x: Levels, shift: Levels, alpha: float) -> Blocks:
    """Step 2 about the means: <X> = x, <C> - P = shift."""
    step, left = np.zeros((len(x), len(x), 2, 2)), 1 - alpha * shift
    step[..., 0, 0] = np.outer(left, left)
    step[..., 0, 1] = -alpha * ((x * left)[:, None] + (x * left)[None, :])
    step[..., 1, 1] = 1
    return step


def stationary(step: Blocks, source: Blocks) -> Blocks:
    """S = M S M^T + source for each entry: four equations."""
    n = len(step)
    product = np.einsum("ijab,ijcd->ijacbd", step, step).reshape(n, n, 4, 4)
    solved = np.linalg.solve(np.eye(4) - product, source.reshape(n, n, 4, 1))
    return np.asarray(solved.reshape(n, n, 2, 2))
