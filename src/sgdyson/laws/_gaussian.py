"""The law of a level that is alone."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from .._checks import finite, positive, settle
from .._types import Floats
from ._law import Law, RandomState


@dataclass(frozen=True)
class Gaussian(Law):
    r"""A level without neighbours, $\rho(x) = e^{-(x-c)^2/2\sigma^2}/(\sqrt{2\pi}\,\sigma)$.

    Args:
        centre: c, in the units of the levels.
        width: sigma, in the same units.

    Examples:
        >>> Gaussian(2.0, 0.5).cdf(2.0).item()
        0.5
    """

    citation: ClassVar[str] = "G. Aarts, B. Lucini, C. Park, Phys. Rev. E 111, 015303 (2025)"
    centre: float = 0.0
    width: float = 1.0

    def __post_init__(self) -> None:
        centre, width = finite("centre", self.centre), positive("width", self.width)
        settle(self, centre=centre, width=width)

    @property
    def support(self) -> tuple[float, float]:
        return self.centre - 10 * self.width, self.centre + 10 * self.width

    @property
    def ends(self) -> tuple[float, float]:
        return -np.inf, np.inf

    def _logpdf(self, x: Floats) -> Floats:
        u = (x - self.centre) / self.width
        return np.asarray(-(u**2) / 2 - np.log(np.sqrt(2 * np.pi) * self.width))

    def _cdf(self, x: Floats) -> Floats:
        return np.asarray(special.ndtr((x - self.centre) / self.width))

    def _sf(self, x: Floats) -> Floats:
        return np.asarray(special.ndtr((self.centre - x) / self.width))

    def _ppf(self, q: Floats) -> Floats:
        return np.asarray(self.centre + self.width * special.ndtri(q))

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        noise = np.random.default_rng(random_state).standard_normal(size)
        return np.asarray(self.centre + self.width * noise)

    def mean(self) -> float:
        return self.centre

    def var(self) -> float:
        return self.width**2
