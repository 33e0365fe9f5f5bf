"""The density of the levels of a degenerate pair."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ..errors import require
from ._law import Floats, Law, RandomState, positive


@dataclass(frozen=True)
class PairDensity(Law):
    r"""One-level density of a pair, joint density $\propto |x_1 - x_2| e^{-\sum x^2/2\sigma^2}$.

    $$\rho(x) = \frac{e^{-u^2/2}}{4\sqrt\pi\,\sigma} \left[ 2 e^{-u^2/2} + \sqrt{2\pi}\,u\,
    \mathrm{erf}(u/\sqrt 2) \right], \qquad u = (x - c)/\sigma$$

    Args:
        centre: c, in the units of the levels.
        width: sigma, in the same units.
    """

    citation: ClassVar[str] = "G. Aarts, B. Lucini, C. Park, Phys. Rev. E 111, 015303 (2025)"
    centre: float = 0.0
    width: float = 1.0

    def __post_init__(self) -> None:
        require(bool(np.isfinite(self.centre)), f"centre = {self.centre!r} must be a number.")
        positive(width=self.width)

    @property
    def support(self) -> tuple[float, float]:
        return self.centre - 10 * self.width, self.centre + 10 * self.width

    @property
    def ends(self) -> tuple[float, float]:
        return -np.inf, np.inf

    def _pdf(self, x: Floats) -> Floats:
        return np.asarray(np.exp(self._logpdf(x)))

    def _logpdf(self, x: Floats) -> Floats:
        u = (x - self.centre) / self.width
        half = u**2 / 2
        terms = 2 * np.exp(-half) + np.sqrt(2 * np.pi) * u * special.erf(u / np.sqrt(2))
        return np.asarray(np.log(terms) - half - np.log(4 * np.sqrt(np.pi) * self.width))

    def _cdf(self, x: Floats) -> Floats:
        return self._below((x - self.centre) / self.width)

    def _sf(self, x: Floats) -> Floats:
        return self._below((self.centre - x) / self.width)

    def _below(self, u: Floats) -> Floats:
        # d/du [-sqrt(2 pi) e^{-u^2/2} erf(u/sqrt 2)] is the second term less 2 e^{-u^2}, and
        # 4 e^{-u^2} is what remains; of a negative u both terms are positive
        drop = np.sqrt(2 * np.pi) * np.exp(-(u**2) / 2) * special.erf(u / np.sqrt(2))
        return np.asarray(special.erfc(-u) / 2 - drop / (4 * np.sqrt(np.pi)))

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        # a level is the pair's centre plus or minus half a Rayleigh spacing
        generator = np.random.default_rng(random_state)
        middle = generator.standard_normal(size) / np.sqrt(2)
        half = generator.rayleigh(1 / np.sqrt(2), size) * generator.choice((-1.0, 1.0), size)
        return np.asarray(self.centre + self.width * (middle + half))

    def mean(self) -> float:
        return self.centre

    def var(self) -> float:
        return 1.5 * self.width**2

    @classmethod
    def fit(cls, pairs: ArrayLike) -> "PairDensity":
        r"""The law of greatest likelihood for independent pairs, shape (pair, 2).

        $c = <x>$ and $\sigma^2 = \tfrac23 <(x - c)^2>$, for the joint density is Gaussian in the
        sum and, apart from its factor $|x_1 - x_2|$, in the difference.
        """
        levels = np.asarray(pairs, dtype=float)
        require(
            levels.ndim == 2 and levels.shape[1] == 2,
            f"pairs have shape {levels.shape}; two levels to a row are needed, (pair, 2).",
        )
        return cls(float(levels.mean()), float(np.sqrt(levels.var() / 1.5)))
