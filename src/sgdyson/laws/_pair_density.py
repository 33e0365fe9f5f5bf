"""The density of the levels of a degenerate pair."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from .._checks import finite, settle
from .._types import ArrayLike, Floats
from ..errors import require
from ._law import Law, RandomState, one_of, positive
from ._wigner import FAR


@dataclass(frozen=True)
class PairDensity(Law):
    r"""One-level density of a pair of levels.

    Their joint density is $\propto |x_1 - x_2|^\beta e^{-\sum x^2/2\sigma^2}$.

    $$\rho(x) = \frac{e^{-u^2/2}}{4\sqrt\pi\,\sigma} \left[ 2 e^{-u^2/2} + \sqrt{2\pi}\,u\,
    \mathrm{erf}(u/\sqrt 2) \right], \qquad u = (x - c)/\sigma$$

    for beta = 1. For an even beta $\langle |u - v|^\beta \rangle$ over a normal v is a polynomial,
    and $\rho = e^{-u^2/2} (u^2 + 1)/(2 \sqrt{2\pi}\,\sigma)$ for beta = 2,
    $e^{-u^2/2} (u^4 + 6 u^2 + 3)/(12 \sqrt{2\pi}\,\sigma)$ for beta = 4.

    Args:
        centre: c, in the units of the levels.
        width: sigma, in the same units.
        beta: 1, 2 or 4.
    """

    citation: ClassVar[str] = "G. Aarts, B. Lucini, C. Park, Phys. Rev. E 111, 015303 (2025)"
    centre: float = 0.0
    width: float = 1.0
    beta: int = 1

    def __post_init__(self) -> None:
        settle(self, beta=one_of("beta", self.beta, 1, 2, 4))
        settle(self, centre=finite("centre", self.centre))
        positive(width=self.width)

    @property
    def support(self) -> tuple[float, float]:
        return self.centre - 10 * self.width, self.centre + 10 * self.width

    @property
    def ends(self) -> tuple[float, float]:
        return -np.inf, np.inf

    def _logpdf(self, x: Floats) -> Floats:
        u = (x - self.centre) / self.width
        if self.beta > 1:
            u = np.clip(u, -FAR, FAR)
        half = u**2 / 2
        if self.beta > 1:
            norm = {2: 2.0, 4: 12.0}[self.beta] * np.sqrt(2 * np.pi) * self.width
            return np.asarray(np.log(_even(u, self.beta)) - half - np.log(norm))
        terms = 2 * np.exp(-half) + np.sqrt(2 * np.pi) * u * special.erf(u / np.sqrt(2))
        return np.asarray(np.log(terms) - half - np.log(4 * np.sqrt(np.pi) * self.width))

    def _cdf(self, x: Floats) -> Floats:
        return self._below((x - self.centre) / self.width)

    def _sf(self, x: Floats) -> Floats:
        return self._below((self.centre - x) / self.width)

    def _below(self, u: Floats) -> Floats:
        if self.beta > 1:  # partial integration of u^2 and u^4 times a Gaussian
            u = np.clip(u, -FAR, FAR)
            odd = {2: u / 2, 4: (u**3 + 9 * u) / 12}[self.beta]
            return special.ndtr(u) - odd * np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
        # d/du [-sqrt(2 pi) e^{-u^2/2} erf(u/sqrt 2)] is the second term less 2 e^{-u^2}, and
        # 4 e^{-u^2} is what remains; of a negative u both terms are positive
        drop = np.sqrt(2 * np.pi) * np.exp(-(u**2) / 2) * special.erf(u / np.sqrt(2))
        return np.asarray(special.erfc(-u) / 2 - drop / (4 * np.sqrt(np.pi)))

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        # a level is the pair's centre plus or minus half a spacing, Rayleigh's for beta = 1
        generator = np.random.default_rng(random_state)
        middle = generator.standard_normal(size) / np.sqrt(2)
        if self.beta == 1:
            apart = generator.rayleigh(1 / np.sqrt(2), size)
        else:
            apart = np.sqrt(generator.standard_gamma((self.beta + 1) / 2, size))
        half = apart * generator.choice((-1.0, 1.0), size)
        return np.asarray(self.centre + self.width * (middle + half))

    def mean(self) -> float:
        return self.centre

    def var(self) -> float:
        return (1 + self.beta / 2) * self.width**2

    @classmethod
    def fit(cls, pairs: ArrayLike, beta: int = 1) -> "PairDensity":
        r"""The law of greatest likelihood for independent pairs, shape (pair, 2).

        $c = <x>$ and $\sigma^2 = <(x - c)^2>/(1 + \beta/2)$, for the joint density is Gaussian in
        the sum and, apart from its factor $|x_1 - x_2|^\beta$, in the difference.
        """
        levels = np.asarray(pairs, dtype=float)
        require(
            levels.ndim == 2 and levels.shape[1] == 2,
            f"pairs have shape {levels.shape}; two levels to a row are needed, (pair, 2).",
        )
        return cls(float(levels.mean()), float(np.sqrt(levels.var() / (1 + beta / 2))), beta)


def _even(u: Floats, beta: int) -> Floats:
    """Mean of (u - v)^beta over a normal v."""
    return u**2 + 1 if beta == 2 else u**4 + 6 * u**2 + 3
