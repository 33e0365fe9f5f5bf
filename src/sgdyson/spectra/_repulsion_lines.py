"""What Dyson Brownian motion says of the steps of a spacing, averaged over the measured bins."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0e, i1e

from .._checks import finite, positive
from ..errors import require
from ._repulsion import CoulombForce

Floats = NDArray[np.float64]
_NODES = 24


def coulomb_drift(force: CoulombForce, noise: float, friction: float) -> Floats:
    r"""$2 g^2 \langle 1/S \rangle - \gamma \langle S \rangle$ in each bin, per update.

    The mean of 1/S is that of the bin: 1/S is convex, and its value at the mean S too small. The
    line is the limit of short intervals, $S^2 \gg 4 g^2 \Delta t$; see `finite_step`.

    Args:
        force: the measured curves.
        noise: g^2, per update, in squared units of the levels.
        friction: gamma, per update.

    Returns:
        (bin,).

    Raises:
        InvalidInputError: noise not above zero or negative friction.
    """
    _check(noise, friction)
    return np.asarray(2 * noise * force.inverse_spacing - friction * force.spacing)


def coulomb_diffusion(force: CoulombForce, noise: float) -> Floats:
    """4 g^2 in each bin, per update; arguments and limits as `coulomb_drift`."""
    _check(noise, 0.0)
    return np.full_like(force.spacing, 4 * noise)


def finite_step(force: CoulombForce, noise: float, friction: float) -> tuple[Floats, Floats]:
    r"""Drift and diffusion over one interval of any length, for a pair with a quadratic potential.

    The pair is the 2 x 2 Ornstein-Uhlenbeck matrix, and S the length of the plane vector
    $(M_{11} - M_{22}, 2 M_{12})$: after an interval $\Delta t$ it follows the law of Rice (Bell
    Syst. Tech. J. 24, 46 (1945), eq. (3.10-11)) with offset $\nu = e^{-\gamma \Delta t} S$ and
    variance $b^2 = 2 g^2 (1 - e^{-2 \gamma \Delta t})/\gamma$,

    $$E[S'] = b \sqrt{\pi/2}\, e^{-y/2} [(1 + y) I_0(y/2) + y I_1(y/2)], \quad y = \nu^2/2b^2,
    \qquad E[S'^2] = \nu^2 + 2 b^2,$$

    averaged over each bin with the stationary density $\propto S e^{-\gamma S^2/(4 g^2)}$. The
    diffusion is the variance of the increment about the bin's drift, as it is measured.

    Args:
        force: the measured curves, for their bins and interval.
        noise: g^2, per update, in squared units of the levels.
        friction: gamma, per update, above zero.

    Returns:
        Drift (bin,) and diffusion (bin,), both per update.

    Raises:
        InvalidInputError: noise or friction not above zero.
    """
    _check(noise, friction)
    positive("friction", friction, "at zero there is no stationary density")
    decay = np.exp(-friction * force.interval)
    variance = -2 * noise * np.expm1(-2 * friction * force.interval) / friction
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    low, high = force.edges[:-1, None], force.edges[1:, None]
    s = (low + high) / 2 + (high - low) / 2 * nodes
    density = weights * s * np.exp(-friction * (s**2 - low**2) / (4 * noise))
    density /= density.sum(axis=1, keepdims=True)
    mean = _rice_mean(decay * s, variance)
    drift = np.sum(density * (mean - s), axis=1)
    square = (decay * s) ** 2 + 2 * variance - 2 * s * mean + s**2  # of the increment
    spread = np.sum(density * square, axis=1) - drift**2
    return np.asarray(drift / force.interval), np.asarray(spread / force.interval)


def _rice_mean(offset: Floats, variance: float) -> Floats:
    half = offset**2 / (4 * variance)
    bracket = (1 + 2 * half) * i0e(half) + 2 * half * i1e(half)
    return np.asarray(np.sqrt(np.pi * variance / 2) * bracket)


def _check(noise: float, friction: float) -> None:
    positive("noise", noise)
    require(finite("friction", friction) >= 0, f"friction = {friction} must not be negative.")
