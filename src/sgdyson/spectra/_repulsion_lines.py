"""What Dyson Brownian motion says of the steps of a spacing, averaged over the measured bins."""

import numpy as np
from scipy.special import gamma, hyp1f1, i0e, i1e

from .._checks import finite, positive
from .._types import Floats
from ..errors import require
from ._repulsion import CoulombForce

_NODES = 24


def coulomb_drift(
    force: CoulombForce, level_diffusion: float, friction: float, beta: int = 1
) -> Floats:
    r"""$2 \beta g^2 \langle 1/S \rangle - \gamma \langle S \rangle$ in each bin, per update.

    The mean of 1/S is that of the bin: 1/S is convex, and its value at the mean S too small. The
    line is the limit of short intervals, $S^2 \gg 4 g^2 \Delta t$; see `finite_step`.

    Args:
        force: the measured curves.
        level_diffusion: g^2, per update, in squared units of the levels.
        friction: gamma, per update.
        beta: Dyson index of the levels: 1, 2 or 4.

    Returns:
        (bin,).

    Raises:
        InvalidInputError: noise not above zero, negative friction or another beta.
    """
    _check(level_diffusion, friction, beta)
    return np.asarray(2 * beta * level_diffusion * force.inverse_spacing - friction * force.spacing)


def coulomb_diffusion(force: CoulombForce, level_diffusion: float) -> Floats:
    """4 g^2 in each bin, per update; arguments and limits as `coulomb_drift`."""
    _check(level_diffusion, 0.0)
    return np.full_like(force.spacing, 4 * level_diffusion)


def finite_step(
    force: CoulombForce, level_diffusion: float, friction: float, beta: int = 1
) -> tuple[Floats, Floats]:
    r"""Drift and diffusion over one interval of any length, for a pair with a quadratic potential.

    The pair is the 2 x 2 Ornstein-Uhlenbeck matrix, and S the length of the plane vector
    $(M_{11} - M_{22}, 2 M_{12})$: after an interval $\Delta t$ it follows the law of Rice (Bell
    Syst. Tech. J. 24, 46 (1945), eq. (3.10-11)) with offset $\nu = e^{-\gamma \Delta t} S$ and
    variance $b^2 = 2 g^2 (1 - e^{-2 \gamma \Delta t})/\gamma$,

    $$E[S'] = b \sqrt{\pi/2}\, e^{-y/2} [(1 + y) I_0(y/2) + y I_1(y/2)], \quad y = \nu^2/2b^2,
    \qquad E[S'^2] = \nu^2 + 2 b^2,$$

    averaged over each bin with the stationary density $\propto S^\beta e^{-\gamma S^2/(4 g^2)}$.
    For complex and quaternion entries S is the length of a vector of d = beta + 1 numbers, and with
    Kummer's function $E[S'] = b \sqrt2\, \Gamma(\tfrac{d + 1}2)/\Gamma(\tfrac d2)\;
    {}_1F_1(-\tfrac12; \tfrac d2; -y)$, $E[S'^2] = \nu^2 + d\, b^2$. The diffusion is the variance
    of the increment about the bin's drift, as it is measured.

    Args:
        force: the measured curves, for their bins and interval.
        level_diffusion: g^2, per update, in squared units of the levels.
        friction: gamma, per update, above zero.
        beta: Dyson index of the levels: 1, 2 or 4.

    Returns:
        Drift (bin,) and diffusion (bin,), both per update.

    Raises:
        InvalidInputError: noise or friction not above zero, another beta.
    """
    _check(level_diffusion, friction, beta)
    positive("friction", friction, "at zero there is no stationary density")
    decay = np.exp(-friction * force.interval)
    # expm1: of a short interval 1 - e^{-2 gamma dt} would keep few digits
    variance = -2 * level_diffusion * np.expm1(-2 * friction * force.interval) / friction
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    low, high = force.edges[:-1, None], force.edges[1:, None]
    s = (low + high) / 2 + (high - low) / 2 * nodes
    # relative to its lower end, where far out in the tail all of a bin would underflow to 0/0
    density = weights * s**beta * np.exp(-friction * (s**2 - low**2) / (4 * level_diffusion))
    density /= density.sum(axis=1, keepdims=True)
    mean = _rice_mean(decay * s, variance) if beta == 1 else _mean(decay * s, variance, beta + 1)
    drift = np.sum(density * (mean - s), axis=1)
    square = (decay * s) ** 2 + (beta + 1) * variance - 2 * s * mean + s**2  # of the increment
    spread = np.sum(density * square, axis=1) - drift**2
    return np.asarray(drift / force.interval), np.asarray(spread / force.interval)


def _rice_mean(offset: Floats, variance: float) -> Floats:
    # e^{-y/2} is in the scaled functions: I_0 itself overflows beyond y/2 = 709
    half = offset**2 / (4 * variance)
    bracket = (1 + 2 * half) * i0e(half) + 2 * half * i1e(half)
    return np.asarray(np.sqrt(np.pi * variance / 2) * bracket)


def _mean(offset: Floats, variance: float, degrees: int) -> Floats:
    """Length of a vector of so many normal numbers about an offset."""
    unit = np.sqrt(2 * variance) * gamma((degrees + 1) / 2) / gamma(degrees / 2)
    return np.asarray(unit * hyp1f1(-0.5, degrees / 2, -(offset**2) / (2 * variance)))


def _check(level_diffusion: float, friction: float, beta: int = 1) -> None:
    positive("level_diffusion", level_diffusion)
    require(beta in (1, 2, 4), f"beta = {beta!r} must be 1, 2 or 4.")
    require(finite("friction", friction) >= 0, f"friction = {friction} must not be negative.")
