"""The smallest level of a Wishart matrix."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

import numpy as np
from numpy.polynomial import Polynomial
from scipy import special

from .._checks import finite, settle
from .._types import Floats
from ..errors import require
from . import _bessel
from ._determinants import of_eigenvalues, of_series
from ._law import Law, one_of
from ._table import Table, quadrature

_LARGEST = 10
_FIRST = -28.0  # ln t of the tables; what is left out is of order t, 1e-12
_KNOTS = [-12.0, -4.0, -1.5, 0.0, 1.0, 1.8, 2.5, 3.1]  # of the tables, in ln t
_DEGREE = 28
_NEAR = 0.5  # t to which the law of beta = 4 is a polynomial in t^2, with 1e-15 left out


@dataclass(frozen=True)
class HardEdge(Law):
    r"""The smallest level x of n large, in units of the spacing at the edge: s = 4 n x.

    x is the smallest of n levels of density $\prod |x_i - x_j|^\beta \prod x_i^a e^{-\beta x_i/2}$,
    as of $W^T W$ with unit normal entries (for beta = 2: with $<|w|^2> = 1$), M x n, where
    $a = \tfrac{\beta}{2}(M - n + 1) - 1$. With V the integral operator of kernel
    $\tfrac12 \sqrt s J_\nu(\sqrt{s x y})$ on [0, 1],
    $$P(x > s) = \det(1 - V)_{\nu = 2a + 1} \ (\beta = 1), \qquad
    P(x > s) = \det(1 - V^2)_{\nu = a} \ (\beta = 2),$$ and for beta = 4
    $$P(x > s) = \tfrac12 [\det(1 - V) + \det(1 + V)]_{\nu = a - 1,\ s \to 4 s}.$$

    Args:
        beta: 1, 2 or 4; quaternion matrices give each level once.
        a: from -1/2 to 10; from 1/2 for beta = 4.

    Examples:
        Of square complex matrices, beta = 2 and a = 0, P(x > s) = exp(-s/4):

        >>> from math import exp
        >>> round(float(HardEdge(beta=2).sf(4.0)), 10) == round(exp(-1), 10)
        True
    """

    citation: ClassVar[str] = (
        "A. Edelman, SIAM J. Matrix Anal. Appl. 9, 543 (1988); P. J. Forrester, Nonlinearity 19,"
        " 2989 (2006); F. Bornemann, Markov Process. Relat. Fields 16, 803 (2010)"
    )
    beta: int = 1
    a: float = 0.0

    def __post_init__(self) -> None:
        settle(self, beta=one_of("beta", self.beta, 1, 2, 4))
        settle(self, a=finite("a", self.a))
        smallest = 0.5 if self.beta == 4 else -0.5
        require(
            smallest <= self.a <= _LARGEST,
            f"a = {self.a!r} must be a number from {smallest} to {_LARGEST}.",
        )

    @property
    def support(self) -> tuple[float, float]:
        # det(1 - V^2) falls as exp(-t^2/4 + a t), its factors as exp(-t^2/8 + a t)
        slower = 1 if self.beta == 2 else 2
        t = 2 * self.a * slower + np.sqrt(160 * slower) + 2.0
        return 0.0, float((t / self._unit) ** 2)

    @property
    def ends(self) -> tuple[float, float]:
        return 0.0, np.inf

    @property
    def _order(self) -> float:
        return {1: 2 * self.a + 1, 2: self.a, 4: self.a - 1}[self.beta]

    @property
    def _unit(self) -> float:
        """The t of sqrt(s), by the convention of this beta."""
        return 2.0 if self.beta == 4 else 1.0

    @property
    def _table(self) -> "_Logarithms":
        return _logarithms(self.beta, self._order)

    def _logpdf(self, x: Floats) -> Floats:
        # the density by ln t is 2 s that by s, and (a + 1) ln s of it is not in the table
        smooth = self._table(self._log_t(x), 2) + 2 * (self.a + 1) * np.log(self._unit)
        return np.where(
            x < 0, -np.inf, smooth + special.xlogy(self.a, np.maximum(x, 0.0)) - np.log(2)
        )

    def _cdf(self, x: Floats) -> Floats:
        log_t = self._log_t(x)
        beyond = self._table(log_t, 0)
        below = np.exp(self._table(log_t, 1) + 2 * (self.a + 1) * log_t)
        return np.where(beyond > -0.5, below, -np.expm1(beyond))

    def _sf(self, x: Floats) -> Floats:
        return np.where(x <= 0, 1.0, np.exp(self._table(self._log_t(x), 0)))

    def _log_t(self, x: Floats) -> Floats:
        return np.asarray(np.log(np.maximum(x, 0.0)) / 2 + np.log(self._unit))

    def mean(self) -> float:
        return self._moment(1)

    def var(self) -> float:
        return self._moment(2) - self._moment(1) ** 2

    def _moment(self, power: int) -> float:
        # by parts, in u with s = u^(2 k), in which the powers s^(a + 1) at zero are smooth enough
        k = 1 if float(2 * self.a).is_integer() else 3
        u, weights = quadrature(400, 0.0, self.support[1] ** (1 / (2 * k)))
        return float((2 * k * power * u ** (2 * k * power - 1) * self.sf(u ** (2 * k))) @ weights)


class _Logarithms:
    """Ln E, ln F and ln of the density by ln t, the latter two without their power of t."""

    def __init__(self, beta: int, order: float) -> None:
        self._beta, self._order = beta, order
        self._power = {1: 1, 2: 2, 4: 2}[beta] * (order + 1) + (2 if beta == 4 else 0)
        self._last = float(np.log(_bessel.series(order).start))
        first = np.log(_NEAR) if beta == 4 else _FIRST
        knots = [first, *(knot for knot in _KNOTS if first < knot < self._last - 0.5), self._last]
        self._table = Table(self._at, knots, _DEGREE)

    def __call__(self, log_t: Floats, which: int) -> Floats:
        """`which` is 0, 1 or 2."""
        result = self._table(log_t, which)
        if self._beta == 4:
            near = log_t < np.log(_NEAR)
            result[near] = self._near_zero(log_t[near], which)
        far = (log_t > self._last) & (which != 1)
        result[far] = self._beyond(log_t[far])[which // 2]
        return result

    def _at(self, log_t: float) -> tuple[float, float, float]:
        values, slopes = _bessel.eigenvalues(float(np.exp(log_t)), self._order)
        beyond, below, density = of_eigenvalues(values, slopes, self._beta)
        return beyond, below - self._power * log_t, density - self._power * log_t

    def _beyond(self, log_t: Floats) -> tuple[Floats, Floats]:
        t, series = np.exp(log_t), _bessel.series(self._order)
        both, difference = series.both(t), series.difference(t)
        beyond, density = of_series(both, difference, *series.rates(t), self._beta)
        return beyond, density - self._power * log_t

    def _near_zero(self, log_t: Floats, which: int) -> Floats:
        below, density = (series(np.exp(2 * log_t)) for series in self._polynomials)
        beyond = np.log1p(-np.exp(below + self._power * log_t))
        return np.asarray((beyond, below, density)[which])

    @cached_property
    def _polynomials(self) -> list[Polynomial]:
        """Ln F and ln of the density in t^2: at tiny t the second eigenvalue has no digits left."""
        squares = _NEAR**2 / 2 * (1 + np.polynomial.chebyshev.chebpts1(8))
        rows = [self._at(float(np.log(square) / 2)) for square in squares]
        return [Polynomial.fit(squares, [row[which] for row in rows], 7) for which in (1, 2)]


@lru_cache
def _logarithms(beta: int, order: float) -> _Logarithms:
    return _Logarithms(beta, order)
