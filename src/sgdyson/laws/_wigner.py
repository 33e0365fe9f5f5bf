"""The Wigner surmise of level spacings."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from .._checks import settle
from .._types import Floats
from ._law import Law, RandomState, one_of

FAR = 1e60  # spacings so large and larger: their powers do not overflow, and nothing is there


@dataclass(frozen=True)
class WignerSurmise(Law):
    r"""Spacing of two levels in units of its mean, $P(s) = a s^\beta e^{-b s^2}$.

    $b = [\Gamma(\beta/2 + 1)/\Gamma((\beta + 1)/2)]^2$: of a pair it is exact.

    Args:
        beta: 1 (orthogonal), 2 (unitary) or 4 (symplectic).

    Examples:
        >>> from math import pi
        >>> bool(abs(WignerSurmise(beta=1).var() - (4 / pi - 1)) < 1e-12)
        True
    """

    citation: ClassVar[str] = "M. L. Mehta, Random Matrices, 3rd ed. (2004), section 1.5"
    beta: int = 1

    def __post_init__(self) -> None:
        settle(self, beta=one_of("beta", self.beta, 1, 2, 4))

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, 7.0

    @property
    def ends(self) -> tuple[float, float]:
        return 0.0, np.inf

    @property
    def _rate(self) -> float:
        # with which the mean is 1
        return float((special.gamma(self.beta / 2 + 1) / special.gamma((self.beta + 1) / 2)) ** 2)

    def _pdf(self, x: Floats) -> Floats:
        s = np.clip(x, 0.0, FAR)
        shape = (self.beta + 1) / 2
        norm = 2 * self._rate**shape / special.gamma(shape)
        return np.asarray(norm * s**self.beta * np.exp(-self._rate * s**2))

    def _logpdf(self, x: Floats) -> Floats:
        shape = (self.beta + 1) / 2
        norm = np.log(2) + shape * np.log(self._rate) - special.gammaln(shape)
        s = np.maximum(x, 0.0)
        return np.asarray(norm + self.beta * np.log(s) - self._rate * s**2)

    def _cdf(self, x: Floats) -> Floats:
        s = np.clip(x, 0.0, FAR)
        return np.asarray(special.gammainc((self.beta + 1) / 2, self._rate * s**2))

    def _sf(self, x: Floats) -> Floats:
        s = np.clip(x, 0.0, FAR)
        return np.asarray(special.gammaincc((self.beta + 1) / 2, self._rate * s**2))

    def _ppf(self, q: Floats) -> Floats:
        # b s^2 is a gamma number of shape (beta + 1)/2
        squares = special.gammaincinv((self.beta + 1) / 2, q)
        return np.asarray(np.sqrt(squares / self._rate))

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        squares = np.random.default_rng(random_state).standard_gamma((self.beta + 1) / 2, size)
        return np.asarray(np.sqrt(squares / self._rate))

    def mean(self) -> float:
        return 1.0

    def var(self) -> float:
        return float((self.beta + 1) / (2 * self._rate) - 1)
