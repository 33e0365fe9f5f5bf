r"""What tests of the Wigner surmise of any beta ask of it: $P(s) \propto s^\beta e^{-b s^2}$."""

import numpy as np
from scipy.special import erf, gamma, gammainc, gammaincinv

from .._types import Floats
from ._anderson_darling import brownian_bridge


def cdf(s: Floats, beta: int) -> Floats:
    r"""Distribution of the unit spacing: $1 - e^{-\pi s^2/4}$ for beta = 1."""
    if beta == 1:
        return np.asarray(-np.expm1(-np.pi / 4 * s**2))
    return np.asarray(gammainc((beta + 1) / 2, _rate(beta) * s**2))


def variance(beta: int) -> float:
    r"""Variance of the unit spacing: $4/\pi - 1$ for beta = 1."""
    return 4 / np.pi - 1 if beta == 1 else float((beta + 1) / (2 * _rate(beta)) - 1)


def moved_by_the_mean(u: Floats, beta: int) -> tuple[Floats, Floats]:
    r"""At values u of the cdf $g = s f(s)$, and $c(u) = E[1_{U \le u}(s - 1)]$.

    The empirical cdf in units of the sample mean gains $g(u)(\bar s - 1)$, and c is the covariance
    of the two.
    """
    if beta == 1:
        above = 1.0 - u
        s = np.sqrt(-4.0 / np.pi * np.log(above))
        return np.pi / 2 * s**2 * above, erf(np.sqrt(np.pi) / 2 * s) - s * above - u
    shape = (beta + 1) / 2
    square = gammaincinv(shape, u)  # b s^2
    g = 2 * square**shape * np.exp(-square) / gamma(shape)
    return np.asarray(g), np.asarray(gammainc(shape + 0.5, square) - u)


def estimated_process(grid: Floats, beta: int) -> Floats:
    r"""Covariance of $\sqrt n (F_n(u) - u)$ of independent spacings in units of their own mean.

    With g and c of `moved_by_the_mean`: $u \wedge v - uv + g(u) c(v) + c(u) g(v) + \langle (s -
    1)^2 \rangle g(u) g(v)$, (node, node).
    """
    g, c = moved_by_the_mean(grid, beta)
    mixed = np.outer(g, c)
    # Brownian bridge, its covariance with the estimate, and the variance of the estimate
    return np.asarray(brownian_bridge(grid) + mixed + mixed.T + variance(beta) * np.outer(g, g))


def _rate(beta: int) -> float:
    return float((gamma(beta / 2 + 1) / gamma((beta + 1) / 2)) ** 2)
