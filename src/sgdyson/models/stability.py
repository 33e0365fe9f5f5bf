r"""Stability of $v' = (1 - \alpha G C) v$, C = (1/|B|) sum x x^T of fresh Gaussian inputs.

G has the eigenvalues g. Derivation: docs, "Theory".
"""

from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from .._types import ArrayLike


def mean_square_limit(rates: ArrayLike, batch_size: float) -> float:
    r"""Alpha at which $\langle v v^T \rangle$ ceases to decay.

    The diagonal of $\langle v v^T \rangle$ in the basis of G obeys $s_i' = [1 - 2 \alpha g_i +
    \alpha^2 g_i^2 (1 + 1/|B|)] s_i + (\alpha^2 g_i^2/|B|) \sum_j s_j$; a stationary s exists where
    $\sum_i \alpha g_i/[2 |B| - \alpha g_i (|B| + 1)] = 1$.
    """
    g = np.asarray(rates, dtype=float)
    if batch_size == np.inf:
        return float(2 / g.max())
    pole = 2 * batch_size / ((batch_size + 1) * g.max())

    def excess(alpha: float) -> float:
        return float(np.sum(alpha * g / (2 * batch_size - alpha * g * (batch_size + 1)))) - 1

    # just below the pole, at which the sum is infinite
    return float(optimize.brentq(excess, 0, pole * (1 - 1e-13), xtol=1e-15))


class Growth(NamedTuple):
    """Growth of log |v| of a typical path in an update: drift, its error, variance."""

    exponent: float
    error: float
    variance: float


def mean_square_weights(rates: ArrayLike, batch_size: float) -> np.ndarray:
    r"""U with $\langle \sum_i u_i v_i^2 \rangle$ conserved at the limit, from any start."""
    g, alpha = np.asarray(rates, dtype=float), mean_square_limit(rates, batch_size)
    return np.asarray(1 / (2 * g - alpha * g**2 * (1 + 1 / batch_size)))


def lyapunov_exponent(
    rates: ArrayLike, batch_size: int, alpha: float, *, updates: int = 400, paths: int = 200
) -> Growth:
    r"""$\lambda = \langle \ln |v'|/|v| \rangle$ by Monte Carlo.

    Negative: almost every path decays, even if the mean square, which rare paths make, grows.
    """
    g = np.asarray(rates, dtype=float)
    generator = np.random.default_rng(0)  # the same inputs at every alpha: a smooth function
    v = generator.standard_normal((paths, len(g)))
    growth = np.zeros(paths)
    forgotten = updates // 4  # by then the direction no longer knows its start
    for update in range(updates):
        x = generator.standard_normal((paths, batch_size, len(g)))
        v = v - alpha * g * ((x @ v[:, :, None]) * x).mean(axis=1)
        size = np.linalg.norm(v, axis=1)
        v /= size[:, None]
        if update >= forgotten:
            growth += np.log(size)
    length = updates - forgotten
    error = growth.std(ddof=1) / length / paths**0.5
    return Growth(float(growth.mean() / length), float(error), float(growth.var() / length))


def typical_limit(
    rates: ArrayLike, batch_size: int, updates: int, barrier: float, **effort: int
) -> tuple[float, float]:
    r"""Alpha at which half of the paths escape within a run, and its error, by Monte Carlo.

    $\ln |v|$ as a Brownian motion of drift $\lambda$ and variance D passes $\beta$ within T updates
    with probability $\Phi((\lambda T - \beta)/\sqrt{D T}) + e^{2 \lambda \beta/D}
    \Phi(-(\lambda T + \beta)/\sqrt{D T})$; for T to infinity the limit is where $\lambda = 0$.
    """

    def excess(alpha: float) -> float:
        drift, _, variance = lyapunov_exponent(rates, batch_size, alpha, **effort)
        width = (variance * updates) ** 0.5
        above, below = (special.log_ndtr((s * drift * updates - barrier) / width) for s in (1, -1))
        # logarithms added first: e^(2 lambda beta/D) alone overflows where its partner vanishes
        return float(np.exp(above) + np.exp(below + 2 * drift * barrier / variance)) - 0.5

    lower = mean_square_limit(rates, batch_size)
    upper = 1.2 * lower
    while excess(upper) < 0:
        upper *= 1.2
    root = float(optimize.brentq(excess, lower, upper, rtol=1e-3))
    here, there = (lyapunov_exponent(rates, batch_size, f * root, **effort) for f in (1, 1.02))
    return root, abs(here.error * 0.02 * root / (there.exponent - here.exponent))
