"""The exact level density of the Gaussian ensembles at any size."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special
from scipy.interpolate import CubicSpline, PPoly

from .._checks import settle, whole
from ..errors import require
from ._law import Floats, Law, one_of, positive

_LARGEST = 500  # beyond, exp(-u^2/2) underflows inside the spectrum


@dataclass(frozen=True)
class GaussianEnsembleDensity(Law):
    r"""One-level density of n levels of $\prod |x_i - x_j|^\beta e^{-\sum x^2/2\sigma^2}$.

    With oscillator functions $\varphi_j$ and $\epsilon f(u) = \tfrac12 \int \mathrm{sign}(u - t)
    f(t)\,dt$, $S_m = \sum_{j<m} \varphi_j^2 + \sqrt{m/2}\, \varphi_{m-1}\, \epsilon\varphi_m$,
    $$n \rho(x) = S_n + [n\ \mathrm{odd}]\, \varphi_{n-1}/\textstyle\int \varphi_{n-1}
    \ (\beta = 1,\ u = x/\sigma), \qquad \sum_{j<n} \varphi_j^2/\sqrt 2 \ (\beta = 2,\ u =
    x/\sqrt 2 \sigma), \qquad S_{2n+1}/\sqrt 8 \ (\beta = 4,\ u = x/\sqrt 2 \sigma).$$

    Args:
        n: levels, at most 500; 250 for beta = 4, which counts each of its levels once.
        beta: 1, 2 or 4.
        width: sigma, in the units of the levels.
    """

    citation: ClassVar[str] = "M. L. Mehta, Random Matrices, 3rd ed. (2004), chapters 6 to 8"
    n: int
    beta: int = 1
    width: float = 1.0

    def __post_init__(self) -> None:
        settle(self, beta=one_of("beta", self.beta, 1, 2, 4))
        largest = _LARGEST // 2 if self.beta == 4 else _LARGEST
        settle(self, n=whole("n", self.n, 1, largest))
        positive(width=self.width)

    @property
    def support(self) -> tuple[float, float]:
        reach = _reach(self.n, self.beta) * self.width
        return -reach, reach

    @property
    def ends(self) -> tuple[float, float]:
        return -np.inf, np.inf

    def _pdf(self, x: Floats) -> Floats:
        return np.asarray(_density(self.n, self.beta, x / self.width) / self.width)

    def _cdf(self, x: Floats) -> Floats:
        reach = _reach(self.n, self.beta)
        u = np.clip(x / self.width, -reach, reach)
        return np.asarray(np.clip(_mass(self.n, self.beta)(u), 0.0, 1.0))

    def mean(self) -> float:
        return 0.0

    def var(self) -> float:
        return float((1 + self.beta * (self.n - 1) / 2) * self.width**2)

    @classmethod
    def fit(cls, spectra: ArrayLike, beta: int = 1) -> "GaussianEnsembleDensity":
        r"""Of greatest likelihood for whole spectra, shape (matrix, n), centred at zero.

        $\sigma^2 = <x^2> / [1 + \beta (n - 1)/2]$: the sum of squares is sufficient.
        """
        levels = np.asarray(spectra, dtype=float)
        require(
            levels.ndim == 2,
            f"spectra have shape {levels.shape}; a whole spectrum to a row is needed, (matrix, n).",
        )
        unit = cls(levels.shape[1], beta)
        return cls(unit.n, beta, float(np.sqrt(np.mean(levels**2) / unit.var())))


def _reach(n: int, beta: int) -> float:
    return float(np.sqrt(2 * beta * n) + 9)


@lru_cache
def _mass(n: int, beta: int) -> PPoly:
    """The integral of the density, by a spline that resolves each of its n oscillations."""
    grid = np.linspace(-_reach(n, beta), _reach(n, beta), 2000 + 100 * n)
    return CubicSpline(grid, _density(n, beta, grid)).antiderivative()


def _density(n: int, beta: int, u: Floats) -> Floats:
    """rho(u) for sigma = 1."""
    if beta == 1:
        squares, partner, odd = _oscillators(n, u)
        return np.asarray((squares + partner + odd) / n)
    if beta == 2:
        return np.asarray(_oscillators(n, u / np.sqrt(2))[0] / (np.sqrt(2) * n))
    squares, partner, _ = _oscillators(2 * n + 1, u / np.sqrt(2))
    return np.asarray((squares + partner) / (np.sqrt(8) * n))


def _oscillators(n: int, u: Floats) -> tuple[Floats, Floats, Floats | float]:
    """The three terms at beta = 1, by three-term recursions in the order of the function."""
    before, current = np.zeros_like(u), np.pi**-0.25 * np.exp(-(u**2) / 2)
    area = np.sqrt(2 * np.pi) * np.pi**-0.25  # of the oscillator function of even order
    half_before = np.zeros_like(u)  # epsilon of the function before, of the current one
    half = area / 2 * special.erf(u / np.sqrt(2))
    total = current**2
    for j in range(n):
        half_before, half = half, (np.sqrt(j) * half_before - np.sqrt(2) * current) / np.sqrt(j + 1)
        if j == n - 1:
            break
        before, current = current, (
            np.sqrt(2 / (j + 1)) * u * current - np.sqrt(j / (j + 1)) * before
        )  # fmt: skip
        total += current**2
        if j % 2 == 1:
            area *= np.sqrt(j / (j + 1))
    return total, np.sqrt(n / 2) * current * half, current / area if n % 2 == 1 else 0.0
