r"""The density of one level of a multiplet, smooth, from a sample.

Near is a law in closed form: a Gaussian, the pair density, the finite-n density of the Gaussian
orthogonal ensemble, each with the mean and the variance of the sample. In units of its
probability $u = F_0(x)$ what is left is a density near one on (0, 1), which a few Legendre
polynomials describe: $f(x) = f_0(x) [1 + \sum_k c_k p_k(u)]$, $c_k = \langle p_k(u) \rangle$
(J. Neyman, Skand. Aktuarietidskr. 20, 149 (1937)).
"""

from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.polynomial import legendre
from scipy import integrate

from .._types import Floats
from ..laws import GaussianEnsembleDensity, Law

_DEGREE = 6
_GRID = np.linspace(0.0, 1.0, 1025)
_LEAST = 1e-3  # of a density that must not be negative, relative to the law in closed form


class LevelLaw(Law):
    """One level of a multiplet in its stationary state, each of its levels as likely.

    Args:
        samples: levels of the multiplet, shape (sample, member).
        beta: Dyson index of the levels: 1, 2 or 4.
    """

    citation: ClassVar[str] = "sgdyson, docs, Theory: the law of the levels"

    def __init__(self, samples: Floats, beta: int = 1) -> None:
        self._mean, self._variance = float(samples.mean()), float(samples.var())
        members = samples.shape[1]
        # one of n levels of a gas has the variance sigma^2 [1 + beta (n - 1)/2]
        width = float(np.sqrt(self._variance / (1 + beta * (members - 1) / 2)))
        self._near = GaussianEnsembleDensity(members, beta, width)
        self._ratio = _smooth_density(self._near.cdf(samples - self._mean))

    @property
    def support(self) -> tuple[float, float]:
        """Where the law in closed form has its mass."""
        low, high = self._near.support
        return self._mean + low, self._mean + high

    @property
    def ends(self) -> tuple[float, float]:
        """Infinite: the tails are those of a Gaussian."""
        return -np.inf, np.inf

    def mean(self) -> float:
        """The mean of the sample."""
        return self._mean

    def var(self) -> float:
        """The variance of the sample."""
        return self._variance

    def _pdf(self, x: Floats) -> Floats:
        ratio = np.interp(self._near.cdf(x - self._mean), _GRID, self._ratio)
        return np.asarray(self._near.pdf(x - self._mean) * ratio)

    def _cdf(self, x: Floats) -> Floats:
        return np.asarray(np.interp(self._near.cdf(x - self._mean), _GRID, self._cumulated))

    @cached_property
    def _cumulated(self) -> Floats:
        return np.asarray(integrate.cumulative_trapezoid(self._ratio, _GRID, initial=0.0))


def _smooth_density(u: Floats) -> Floats:
    """Density of numbers on (0, 1) at the points of the grid, of integral one.

    A coefficient that is no larger than its error is noise, and would be seen as a ripple: each is
    shrunk by the share that noise has in its square.
    """
    powers = np.arange(_DEGREE + 1)
    norm = np.sqrt(2 * powers + 1)  # of Legendre polynomials on (0, 1)
    values = norm * legendre.legvander(2 * u - 1, _DEGREE).mean(axis=1)  # members go together
    coefficients, error = values.mean(axis=0), values.std(axis=0) / len(values) ** 0.5
    share = np.divide(error, coefficients, out=np.ones_like(error), where=coefficients != 0) ** 2
    # shrunk by the part of its square that is its own error: of noise alone nothing is left
    coefficients *= np.maximum(1 - share, 0.0)
    density = legendre.legval(2 * _GRID - 1, coefficients * norm)
    density = np.maximum(density, _LEAST)
    return np.asarray(density / integrate.trapezoid(density, _GRID))
