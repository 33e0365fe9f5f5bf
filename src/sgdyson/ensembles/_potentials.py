r"""Potentials of a Coulomb gas, $P(x) \propto \prod |x_i - x_j|^\beta e^{-\sum V_i(x_i)}$.

A potential maps levels, shape (level,), to V_i(x_i), same shape, in operations of `jax.numpy`; any
such function serves. Parameters may be numbers or one for each level.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

Levels = Float[Array, "level"]
PerLevel = float | tuple[float, ...]


@dataclass(frozen=True)
class Quadratic:
    r"""$V_i = (x_i - c_i)^2/2 \sigma_i^2$.

    Args:
        width: sigma, positive; one number, or one a level.
        centre: c, likewise.
    """

    width: PerLevel = 1.0
    centre: PerLevel = 0.0

    def __call__(self, levels: Levels) -> Levels:
        return ((levels - jnp.asarray(self.centre)) / jnp.asarray(self.width)) ** 2 / 2


@dataclass(frozen=True)
class Quartic:
    """V = strength x^4 + tension x^2/2; convex where tension is not negative."""

    strength: float = 0.25
    tension: float = 0.0

    def __call__(self, levels: Levels) -> Levels:
        return self.strength * levels**4 + self.tension * levels**2 / 2


@dataclass(frozen=True)
class Laguerre:
    """V = rate x - exponent ln x for positive levels, as those of noise, W^T W."""

    exponent: float = 1.0
    rate: float = 0.5

    def __call__(self, levels: Levels) -> Levels:
        return self.rate * levels - self.exponent * jnp.log(levels)
