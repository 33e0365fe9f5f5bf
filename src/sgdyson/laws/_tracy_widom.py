"""The largest level of a Gaussian ensemble."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import ArrayLike

from .._checks import settle
from ._airy import left, middle
from ._law import Floats, Law, one_of
from ._table import quadrature

_CENTRE, _DEGREE = -2.0, 44
_KNOTS = [-7.2, -5.0, _CENTRE, 1.5, 6.0, 18.0, 40.0]  # of the tables, in r
_LAST = {1: 100.0, 2: 64.0, 4: 61.0}  # beyond which the density is below 1e-290


@dataclass(frozen=True)
class TracyWidom(Law):
    r"""Largest level of n, centred at the edge of the semicircle, in units of its fluctuation.

    With V the integral operator of kernel Ai(x + y + s) on the positive half line,
    $$F_1 = \det(1 - V_s), \qquad F_2 = \det(1 - V_s)\det(1 + V_s), \qquad
    F_4(s) = \tfrac12 [\det(1 - V_r) + \det(1 + V_r)], \quad r = \sqrt 2\, s ,$$
    Tracy and Widom's own scale, in which the means are -1.2065, -1.7711 and -2.3069. Of n levels
    of `width` $\sigma$ the largest is
    $x = \sigma (\sqrt{2 \beta n} + \sqrt{\beta/2}\, n^{-1/6} \Lambda)$ with $\Lambda = s$ for beta
    = 1 and 2, and $\Lambda = 2^{-1/6} s$ for beta = 4.

    Args:
        beta: 1, 2 or 4.
    """

    citation: ClassVar[str] = "F. Bornemann, Markov Process. Relat. Fields 16, 803 (2010)"
    beta: int = 1

    def __post_init__(self) -> None:
        settle(self, beta=one_of("beta", self.beta, 1, 2, 4))

    @property
    def ends(self) -> tuple[float, float]:
        return -np.inf, np.inf

    @property
    def support(self) -> tuple[float, float]:
        return -10.0 / self._unit, 16.0 / self._unit

    @property
    def _unit(self) -> float:
        """R of s."""
        return float(np.sqrt(2)) if self.beta == 4 else 1.0

    def _pdf(self, x: Floats) -> Floats:
        return np.asarray(np.exp(self._logpdf(x)))

    def _logpdf(self, x: Floats) -> Floats:
        return _tabulated(x * self._unit, self.beta, 2) + np.log(self._unit)

    def _cdf(self, x: Floats) -> Floats:
        r = x * self._unit
        below = np.exp(_tabulated(np.minimum(r, _CENTRE), self.beta, 0))
        above = -np.expm1(_tabulated(np.maximum(r, _CENTRE), self.beta, 1))
        return np.where(r < _CENTRE, below, above)

    def sf(self, x: ArrayLike) -> Floats:
        """Probability of a value above x, same shape, with all its digits in the tail."""
        return self._at(x, self._sf, 1.0, 0.0)

    def _sf(self, x: Floats) -> Floats:
        r = x * self._unit
        above = np.exp(_tabulated(np.maximum(r, _CENTRE), self.beta, 1))
        below = -np.expm1(_tabulated(np.minimum(r, _CENTRE), self.beta, 0))
        return np.where(r < _CENTRE, below, above)

    def mean(self) -> float:
        return self._moment(1)

    def var(self) -> float:
        return self._moment(2) - self._moment(1) ** 2

    def _moment(self, power: int) -> float:
        x, weights = quadrature(400, *self.support)
        return float((x**power * self.pdf(x)) @ weights)


def _tabulated(r: Floats, beta: int, which: int) -> Floats:
    """Ln F (left of the centre), ln(1 - F) (right of it) or ln F' by r: `which` is 0, 1 or 2."""
    last = _LAST[beta]
    result = np.full(r.shape, -np.inf)
    far = (r < _KNOTS[0]) & (which != 1)
    result[far] = left(np.maximum(r[far], -1e60), beta)[which // 2]
    for low, high in pairwise([*_KNOTS, last]):
        here = (r >= low) & (r < high) if high < last else (r >= low) & (r <= high)
        result[here] = _piece(beta, low, high)[which](r[here])
    return result


@lru_cache
def _piece(beta: int, low: float, high: float) -> list[Chebyshev]:
    nodes = np.polynomial.chebyshev.chebpts1(_DEGREE + 1)
    values = np.array([middle(r, beta) for r in low + (high - low) / 2 * (1 + nodes)])
    coefficients = np.linalg.solve(np.polynomial.chebyshev.chebvander(nodes, _DEGREE), values)
    return [Chebyshev(column, domain=[low, high]) for column in coefficients.T]
