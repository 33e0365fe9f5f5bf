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
        centre: c; one number, or one a level.

    Examples:
        >>> float(Quadratic(width=2.0)(6.0))  # 36/(2 * 4)
        4.5
    """

    width: PerLevel = 1.0
    centre: PerLevel = 0.0

    def __call__(self, levels: Levels) -> Levels:
        return ((levels - jnp.asarray(self.centre)) / jnp.asarray(self.width)) ** 2 / 2


@dataclass(frozen=True)
class Quartic:
    """V = strength x^4 + tension x^2/2; convex where tension is not negative.

    Args:
        strength: of x^4, positive where levels are to be confined.
        tension: of x^2/2, of either sign: below 0 there are two wells.

    Examples:
        >>> float(Quartic(strength=0.25, tension=-2.0)(2.0))  # 16/4 - 2 * 4/2
        0.0
    """

    strength: float = 0.25
    tension: float = 0.0

    def __call__(self, levels: Levels) -> Levels:
        return self.strength * levels**4 + self.tension * levels**2 / 2


@dataclass(frozen=True)
class Laguerre:
    r"""V = rate x - exponent ln x for positive levels, as those of noise, $W^T W$.

    Args:
        exponent: $\beta (m - n + 1)/2 - 1$ of `WishartEnsemble(n, m, beta)`; above -1.
        rate: $\beta/2$ of the same; positive.

    Examples:
        >>> float(Laguerre(exponent=1.0, rate=0.5)(1.0))
        0.5
    """

    exponent: float = 1.0
    rate: float = 0.5

    def __call__(self, levels: Levels) -> Levels:
        return self.rate * levels - self.exponent * jnp.log(levels)


@dataclass(frozen=True)
class RBMPotential:
    r"""Potential of a mode of a Gaussian RBM that learns by SGD from independent samples.

    A level drifts by $K = 2 \alpha x (1/\kappa - 1/\lambda)$, $\lambda = \mu^2 - x$, and diffuses
    by $g^2 = 4 \alpha^2 x^2/\lambda^2 |B|$ per update. Without repulsion its density is
    $e^{\int K/g^2}/g^2$, so that
    $$V = -\frac{|B|}{2 \alpha} \Big[ \frac{\mu^2 (\mu^2 - \kappa)}{\kappa} \ln x -
    \Big( \frac{2 \mu^2}{\kappa} - 1 \Big) x + \frac{x^2}{2 \kappa} \Big] + \ln g^2 ,$$
    with the minimum and width of G. Aarts, B. Lucini and C. Park, Phys. Rev. E 111, 015303, but not
    harmonic. The mean shift that comes from the curvature of the drift is left out.

    Args:
        target_mode: kappa, below the square of the mass.
        rbm_mass: mu.
        learning_rate: alpha.
        batch_size: |B|.
    """

    target_mode: float
    rbm_mass: float
    learning_rate: float
    batch_size: float

    def __call__(self, levels: Levels) -> Levels:
        kappa, mass2 = self.target_mode, self.rbm_mass**2
        inside = (levels > 0) & (levels < mass2)
        # the fixed point stands in for what lies outside: of a logarithm without a value even the
        # branch that is not taken has a gradient of NaN
        x = jnp.where(inside, levels, mass2 - kappa)
        integral = mass2 * (mass2 - kappa) / kappa * jnp.log(x)
        integral = integral - (2 * mass2 / kappa - 1) * x + x**2 / (2 * kappa)
        noise = 2 * jnp.log(x / (mass2 - x))
        value = noise - self.batch_size / (2 * self.learning_rate) * integral
        return jnp.where(inside, value, jnp.inf)
