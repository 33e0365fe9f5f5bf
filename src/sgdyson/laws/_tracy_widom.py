"""The largest level of a Gaussian ensemble."""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import ClassVar

import numpy as np

from .._checks import settle
from .._types import Floats
from ._airy import left, middle, right
from ._law import Law, one_of
from ._table import Table, quadrature
from ._wigner import FAR

# at this r F is 0.27, 0.41 and 0.89 for beta = 1, 2, 4: what is one less the other side loses a
# digit at most
_CENTRE, _DEGREE = -2.0, 44
_KNOTS = [-7.2, -5.0, _CENTRE, 1.5, 6.0, 18.0]  # of the tables, in r


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

    Examples:
        >>> round(TracyWidom(beta=1).mean(), 4)
        -1.2065
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
        """The r of s, by the convention of this beta."""
        return float(np.sqrt(2)) if self.beta == 4 else 1.0

    def _logpdf(self, x: Floats) -> Floats:
        return _logarithm(x * self._unit, self.beta, 2) + np.log(self._unit)

    def _cdf(self, x: Floats) -> Floats:
        return self._side(x, below=True)

    def _sf(self, x: Floats) -> Floats:
        return self._side(x, below=False)

    def _side(self, x: Floats, below: bool) -> Floats:
        """Probability on one side of x; each side is taken from the smaller tail."""
        r = x * self._unit
        left_tail = _logarithm(np.minimum(r, _CENTRE), self.beta, 0)
        right_tail = _logarithm(np.maximum(r, _CENTRE), self.beta, 1)
        if below:
            return np.where(r < _CENTRE, np.exp(left_tail), -np.expm1(right_tail))
        return np.where(r < _CENTRE, -np.expm1(left_tail), np.exp(right_tail))

    def mean(self) -> float:
        return self._moment(1)

    def var(self) -> float:
        return self._moment(2) - self._moment(1) ** 2

    def _moment(self, power: int) -> float:
        x, weights = quadrature(400, *self.support)
        return float((x**power * self.pdf(x)) @ weights)


def _logarithm(r: Floats, beta: int, which: int) -> Floats:
    """Ln F (left of the centre), ln(1 - F) (right of it) or ln F' by r: `which` is 0, 1 or 2."""
    result = _table(beta)(r, which)
    # where the tables end both tails go by their expansions
    low, high = r < _KNOTS[0], r > _KNOTS[-1]
    if which != 1:
        result[low] = left(np.maximum(r[low], -FAR), beta)[which // 2]
    if which != 0:
        result[high] = right(r[high], beta)[which - 1]
    return result


@lru_cache
def _table(beta: int) -> Table:
    return Table(partial(middle, beta=beta), _KNOTS, _DEGREE)
