"""The exact law of spacings in the bulk of a large matrix."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.polynomial import Polynomial

from .._checks import settle
from .._types import Floats
from . import _bessel
from ._law import Law, one_of
from ._table import Table, quadrature
from ._wigner import FAR

_NEAR, _DEGREE, _KNOTS = 0.5, 40, [0.5, 1.5, 3.0]  # spacings: of the polynomial, of the tables


@dataclass(frozen=True)
class ExactSpacing(Law):
    r"""Spacing in units of its mean between neighbours in the bulk of an infinite spectrum.

    $P = E''$, E(s) the probability that an interval of length s holds no level: for beta = 2
    $E = \det(1 - K)$ with $K(x, y) = \sin \pi(x - y)/\pi(x - y)$ on it, for beta = 1 the same with
    the even part of K. `WignerSurmise` differs by at most 0.5 %.

    Args:
        beta: 1 or 2.
    """

    citation: ClassVar[str] = "M. Gaudin, Nucl. Phys. 25, 447 (1961); F. Bornemann (2010)"
    beta: int = 1

    def __post_init__(self) -> None:
        settle(self, beta=one_of("beta", self.beta, 1, 2))

    @property
    def ends(self) -> tuple[float, float]:
        return 0.0, np.inf

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, {1: 7.5, 2: 5.5}[self.beta]

    def _logpdf(self, x: Floats) -> Floats:
        s = np.maximum(x, 0.0)
        near = np.log(_near_zero(self.beta)(np.minimum(s, _NEAR))) + self.beta * np.log(s)
        return np.where(s < _NEAR, near, _logarithm(s, self.beta, 0))

    def _cdf(self, x: Floats) -> Floats:
        return np.where(x < _NEAR, self._below(x), 1 - np.exp(_logarithm(x, self.beta, 1)))

    def _sf(self, x: Floats) -> Floats:
        return np.where(x < _NEAR, 1 - self._below(x), np.exp(_logarithm(x, self.beta, 1)))

    def _below(self, x: Floats) -> Floats:
        """The integral of the density from zero to a small spacing."""
        s, density = np.clip(x, 0.0, _NEAR), np.asarray(_near_zero(self.beta).coef, float)
        powers = self.beta + 1 + np.arange(len(density))
        return s ** (self.beta + 1) * Polynomial(density / powers)(s)

    def mean(self) -> float:
        return 1.0

    def var(self) -> float:
        s, weights = quadrature(200, *self.support)
        # by parts: <s^2> is twice the integral of s times what lies above s
        return float((2 * s * self.sf(s)) @ weights) - 1


def _logarithm(s: Floats, beta: int, which: int) -> Floats:
    """Ln P and ln(-E') at spacings beyond `_NEAR`: `which` is 0 or 1."""
    result = _table(beta)(s, which)
    far = np.pi / 2 * s > _last()
    result[far] = _beyond(np.pi / 2 * np.minimum(s[far], FAR), beta)[which]
    return result


@lru_cache
def _table(beta: int) -> Table:
    return Table(lambda s: _middle(np.pi / 2 * s, beta), [*_KNOTS, _last() * 2 / np.pi], _DEGREE)


def _last() -> float:
    return min(_bessel.series(-0.5).start, _bessel.series(0.5).start)


@lru_cache
def _near_zero(beta: int) -> Polynomial:
    r"""$P/s^\beta$: the determinants lose what is of order s beside one."""
    nodes = _NEAR / 2 * (1 + np.polynomial.chebyshev.chebpts1(16))
    values = [np.exp(_middle(np.pi / 2 * s, beta)[0]) / s**beta for s in nodes]
    return Polynomial.fit(nodes, values, 15).convert()


def _middle(t: float, beta: int) -> tuple[float, float]:
    even, odd = (np.array(_bessel.logarithms(t, order)) for order in (-0.5, 0.5))
    density, above = _of_parts(np.array(t), even, odd, beta)
    return float(density), float(above)


def _beyond(t: Floats, beta: int) -> tuple[Floats, Floats]:
    even, odd = (
        np.array([series.both(t), *series.rates(t)])
        for series in (_bessel.series(-0.5), _bessel.series(0.5))
    )
    return _of_parts(t, even, odd, beta)


def _of_parts(t: Floats, even: Floats, odd: Floats, beta: int) -> tuple[Floats, Floats]:
    r"""Ln P and ln(-E'), $s = 2 t/\pi$, from the even and the odd part of K.

    They are $V^2$ of order -1/2 and 1/2 at $t = \pi s/2$, each with its ln det, and of `_bessel`
    -t (a + b)' and t (b - a)'. For beta = 2 the levels at both ends of the gap leave $P = 4 E\,
    (\ln D_+)' (\ln D_-)'$.
    """
    log, rate, q = even
    steep = np.log(np.pi / 2 / t)
    if beta == 1:
        return log + np.log(rate**2 + rate - q**2) + 2 * steep, log + steep + np.log(rate)
    log = log + odd[0]
    return (
        log + np.log(4 * rate * odd[1]) + 2 * steep,
        log + steep + np.log(rate + odd[1]),
    )
