"""A law given by its distribution function alone, tabulated once."""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.polynomial import Chebyshev

from ._law import Floats, Law


def quadrature(count: int, low: float, high: float) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre on an interval."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return low + (high - low) / 2 * (1 + nodes), (high - low) / 2 * weights


class TabulatedLaw(Law):
    """A law whose distribution function is a Chebyshev series on the support."""

    @property
    @abstractmethod
    def _series(self) -> Chebyshev:
        """The distribution function on the support."""

    @property
    def support(self) -> tuple[float, float]:
        low, high = self._series.domain
        return float(low), float(high)

    def _pdf(self, x: Floats) -> Floats:
        values = x
        low, high = self.support
        density = np.maximum(self._series.deriv()(np.clip(values, low, high)), 0.0)
        return np.where((values >= low) & (values <= high), density, 0.0)

    def _cdf(self, x: Floats) -> Floats:
        inside = np.clip(x, *self.support)
        return np.asarray(np.clip(self._series(inside), 0.0, 1.0))

    def mean(self) -> float:
        return self._moment(1)

    def var(self) -> float:
        return self._moment(2) - self._moment(1) ** 2

    def _moment(self, power: int) -> float:
        # by parts: only the distribution function itself is needed
        x, weights = quadrature(400, *self.support)
        return float(self.support[1] ** power - (power * x ** (power - 1) * self.cdf(x)) @ weights)


def tabulate(function: Callable[[float], float], low: float, high: float, degree: int) -> Chebyshev:
    """The Chebyshev series of a function of one number."""
    return Chebyshev.interpolate(np.vectorize(function), degree, domain=[low, high])
