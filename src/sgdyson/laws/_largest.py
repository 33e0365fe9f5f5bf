"""The largest level of a matrix of noise, in the units of its entries."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._checks import positive, settle, whole
from .._types import Floats
from ._law import Law, one_of
from ._table import quadrature
from ._tracy_widom import TracyWidom

_NOISE = TracyWidom(1)


@dataclass(frozen=True)
class LargestLevel(Law):
    r"""Largest level x of noise, $x^p = c + d\,\Lambda$, $\Lambda$ of `TracyWidom(1)`.

    Args:
        centre: c, the edge of the bulk to the power p.
        scale: d, in the same units.
        power: p, 1 of eigenvalues; 2 of singular values, whose squares have the law.

    Examples:
        >>> law = LargestLevel.of_singular_values((400, 300), 0.1)
        >>> round(law.mean(), 1), round((400**0.5 + 300**0.5) * 0.1, 1)
        (3.7, 3.7)
    """

    citation: ClassVar[str] = "I. M. Johnstone, Ann. Stat. 29, 295 (2001)"
    centre: float
    scale: float
    power: int = 1

    def __post_init__(self) -> None:
        settle(
            self, centre=positive("centre", self.centre), scale=positive("scale", self.scale),
            power=one_of("power", self.power, 1, 2),
        )  # fmt: skip

    @classmethod
    def of_singular_values(cls, shape: tuple[int, int], sigma: float = 1.0) -> "LargestLevel":
        r"""Law of an M x N matrix of independent entries of standard deviation sigma.

        $$c = \sigma^2 (m + n)^2, \qquad d = \sigma^2 (m + n)(1/m + 1/n)^{1/3}, \qquad
        m = \sqrt{M - \tfrac12}, \quad n = \sqrt{N - \tfrac12} ,$$
        where the halves bring the error down to $N^{-2/3}$ (Z. Ma, Bernoulli 18, 322 (2012)).
        """
        m, n = (np.sqrt(whole("shape", side) - 0.5) for side in shape)
        variance = positive("sigma", sigma) ** 2
        return cls(variance * (m + n) ** 2, variance * (m + n) * (1 / m + 1 / n) ** (1 / 3), 2)

    @classmethod
    def of_eigenvalues(cls, n: int, sigma: float = 1.0) -> "LargestLevel":
        r"""Law of a symmetric n x n matrix of variance sigma^2 off the diagonal, twice that on it.

        $c = 2\sigma\sqrt n$, $d = \sigma n^{-1/6}$.
        """
        size = whole("n", n)
        unit = positive("sigma", sigma)
        return cls(2 * unit * size**0.5, unit * size ** (-1 / 6))

    @property
    def support(self) -> tuple[float, float]:
        low, high = self._level(np.asarray(_NOISE.support))
        return float(low), float(high)

    @property
    def ends(self) -> tuple[float, float]:
        return (0.0 if self.power == 2 else -np.inf), np.inf

    def _level(self, reduced: Floats) -> Floats:
        """X of Lambda; no singular value is negative."""
        powered = self.centre + self.scale * reduced
        return np.asarray(np.sqrt(np.maximum(powered, 0.0)) if self.power == 2 else powered)

    def _reduced(self, x: Floats) -> Floats:
        positive_part = np.maximum(x, 0.0) if self.power == 2 else x
        return np.asarray((positive_part**self.power - self.centre) / self.scale)

    def _logpdf(self, x: Floats) -> Floats:
        slope = np.maximum(2 * x, 0.0) if self.power == 2 else np.ones_like(x)
        return _NOISE.logpdf(self._reduced(x)) + np.log(slope / self.scale)

    def _cdf(self, x: Floats) -> Floats:
        return _NOISE.cdf(self._reduced(x))

    def _sf(self, x: Floats) -> Floats:
        return _NOISE.sf(self._reduced(x))

    def _ppf(self, q: Floats) -> Floats:
        return self._level(_NOISE.ppf(q))

    def mean(self) -> float:
        return self._moment(1)

    def var(self) -> float:
        return self._moment(2) - self._moment(1) ** 2

    def _moment(self, order: int) -> float:
        reduced, weights = quadrature(400, *_NOISE.support)
        return float((self._level(reduced) ** order * _NOISE.pdf(reduced)) @ weights)
