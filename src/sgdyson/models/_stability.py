r"""Stability of $v' = (1 - \alpha G C) v$, C = (1/|B|) sum x x^T of fresh Gaussian inputs.

G has the eigenvalues g. Derivation: docs, "Theory".
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize


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

    return float(optimize.brentq(excess, 0, pole * (1 - 1e-13), xtol=1e-15))


def lyapunov_exponent(
    rates: ArrayLike, batch_size: int, alpha: float, *, updates: int = 400, paths: int = 200
) -> tuple[float, float]:
    r"""Growth rate $\langle \ln |v'|/|v| \rangle$ of a typical path, and its error, by Monte Carlo.

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
    growth /= updates - forgotten
    return float(growth.mean()), float(growth.std(ddof=1) / paths**0.5)


def typical_limit(
    rates: ArrayLike, batch_size: int, growth: float = 0.0, **effort: int
) -> tuple[float, float]:
    """Alpha at which a typical path grows at this rate, and its error, by Monte Carlo."""

    def exponent(alpha: float) -> float:
        return lyapunov_exponent(rates, batch_size, alpha, **effort)[0] - growth

    lower = mean_square_limit(rates, batch_size)
    upper = 2 * lower
    while exponent(upper) < 0:
        upper *= 2
    root = float(optimize.brentq(exponent, lower, upper, rtol=1e-3))
    slope = (exponent(1.02 * root) - exponent(0.98 * root)) / (0.04 * root)
    return root, abs(lyapunov_exponent(rates, batch_size, root, **effort)[1] / slope)
