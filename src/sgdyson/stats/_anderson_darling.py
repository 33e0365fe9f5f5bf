r"""Anderson-Darling's $A^2$ and its law under the null, for independent and for clustered samples.

Under the null $\sqrt n (F_n(u) - u)$ is Gaussian with some covariance C(u, v), so that

$$A^2 = n \int_0^1 \frac{(F_n(u) - u)^2}{u (1 - u)} du$$

is a weighted sum of squared normals, the weights being the eigenvalues of $C(u, v)/\sqrt{u(1-u)
v(1-v)}$ (Anderson and Darling, Ann. Math. Stat. 23, 193 (1952); with an estimated parameter:
Stephens, Ann. Stat. 4, 357 (1976)). Whatever the null, only C changes.
"""

from functools import cache

import numpy as np

from .._types import Floats
from ._weighted_chi2 import weighted_chi2_sf

# of Gauss: densest near 0 and 1, where 1/(u(1-u)) is largest, and never on them
_NODES = 128
_x, _w = np.polynomial.legendre.leggauss(_NODES)
GRID: Floats = (1.0 + _x) / 2
_WEIGHTS: Floats = _w / 2 / (GRID * (1.0 - GRID))


def brownian_bridge(grid: Floats) -> Floats:
    r"""$u \wedge v - uv$: covariance of $\sqrt n (F_n(u) - u)$ without fitted parameters."""
    return np.minimum.outer(grid, grid) - np.outer(grid, grid)


def a_squared(u: Floats) -> float:
    """A^2 of independent values of the cdf, in closed form.

    Args:
        u: (n,), the null's cdf at the samples.
    """
    # a cdf that has rounded to 0 or 1 has a finite logarithm still
    u = np.clip(np.sort(u), 1e-300, 1.0 - 1e-16)
    odd = 2.0 * np.arange(1, u.size + 1) - 1.0
    return float(-u.size - np.mean(odd * (np.log(u) + np.log1p(-u[::-1]))))


def weights(covariance: Floats) -> Floats:
    """Weights of the squared normals in A^2, (node,), ascending.

    Args:
        covariance: (node, node), C on `GRID`.
    """
    root = np.sqrt(_WEIGHTS)  # on both sides: symmetric, with the same eigenvalues
    return np.clip(np.linalg.eigvalsh(root[:, None] * covariance * root), 0.0, None)


@cache
def bridge_weights() -> Floats:
    """`weights` of a law without fitted parameters; 1/(j(j+1)) but for the grid."""
    return weights(brownian_bridge(GRID))


def replica_deviations(u: Floats, grid: Floats = GRID) -> Floats:
    """F_r(u) - u of every replica r on a grid, (replica, node).

    Args:
        u: (replica, sample), the null's cdf at the samples.
        grid: nodes, rising.
    """
    replicas, samples = u.shape
    # all replicas in one count: each has slots of its own
    bins = np.searchsorted(grid, u) + (grid.size + 1) * np.arange(replicas)[:, None]
    counts = np.bincount(bins.ravel(), minlength=replicas * (grid.size + 1))
    below = np.cumsum(counts.reshape(replicas, -1)[:, :-1], axis=1)
    return np.asarray(below / samples - grid)


def clustered(deviations: Floats, influence: Floats) -> tuple[float, float, float]:
    r"""A^2, its p-value and its expectation, from replicas that alone are independent.

    C is the covariance found among the replicas.

    Args:
        deviations: (replica, node), of `replica_deviations`.
        influence: (replica, node), what the estimated parameters add to each; zero with none.

    Returns:
        $R \int (F - u)^2/(u(1-u)) du$, its p-value, and its expectation.
    """
    replicas = len(deviations)
    statistic = replicas * float(_WEIGHTS @ deviations.mean(axis=0) ** 2)
    eigenvalues = weights(np.cov(deviations + influence, rowvar=False))
    return statistic, weighted_chi2_sf(statistic, eigenvalues), float(eigenvalues.sum())
