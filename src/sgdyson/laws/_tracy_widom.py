"""The largest level of a Gaussian ensemble."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.polynomial import Chebyshev
from scipy import special

from .._checks import settle
from ._law import one_of
from ._table import TabulatedLaw, quadrature, tabulate

_RANGE, _DEGREE = (-10.0, 16.0), 180


@dataclass(frozen=True)
class TracyWidom(TabulatedLaw):
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
    def _series(self) -> Chebyshev:
        return _distribution(self.beta)


@lru_cache
def _distribution(beta: int) -> Chebyshev:
    if beta == 1:
        return tabulate(lambda s: _determinants(s)[0], *_RANGE, _DEGREE)
    if beta == 2:
        return tabulate(lambda s: float(np.prod(_determinants(s))), *_RANGE, _DEGREE)
    low, high = (float(end / np.sqrt(2)) for end in _RANGE)
    return tabulate(lambda s: sum(_determinants(float(np.sqrt(2)) * s)) / 2, low, high, _DEGREE)


def _determinants(s: float) -> tuple[float, float]:
    """det(1 - V) and det(1 + V)."""
    reach = max(-s, 0.0)  # Ai oscillates before its argument turns positive
    x, weights = quadrature(32 + int(5 * reach), 0.0, 16.0 + reach)
    kernel = special.airy(x[:, None] + x + s)[0]
    root = np.sqrt(weights)
    eigenvalues = np.linalg.eigvalsh(root[:, None] * kernel * root)
    return float(np.prod(1 - eigenvalues)), float(np.prod(1 + eigenvalues))
