"""The exact level density of the Gaussian orthogonal ensemble at any size."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special
from scipy.interpolate import CubicSpline, PPoly

from ..errors import require
from ._law import Floats, Law, positive

_LARGEST = 500  # beyond, exp(-u^2/2) underflows inside the spectrum


@dataclass(frozen=True)
class GaussianEnsembleDensity(Law):
    r"""One-level density of n levels, joint density $\prod |x_i - x_j| e^{-\sum x^2/2\sigma^2}$.

    With oscillator functions $\varphi_j$ of $u = x/\sigma$ and
    $\epsilon f(u) = \tfrac12 \int \mathrm{sign}(u - t) f(t)\,dt$,
    $$n \rho = \sum_{j<n} \varphi_j^2 + \sqrt{n/2}\, \varphi_{n-1}\, \epsilon\varphi_n +
    [n\ \mathrm{odd}]\ \varphi_{n-1} / \textstyle\int \varphi_{n-1}.$$

    Args:
        n: levels, at most 500.
        beta: 1.
        width: sigma, in the units of the levels.
    """

    citation: ClassVar[str] = "M. L. Mehta, Random Matrices, 3rd ed. (2004), section 7.2"
    n: int
    beta: int = 1
    width: float = 1.0

    def __post_init__(self) -> None:
        require(
            isinstance(self.n, int | np.integer) and 1 <= self.n <= _LARGEST,
            f"n = {self.n!r} must be a whole number from 1 to {_LARGEST}; beyond, the density is"
            " Semicircle's for all purposes.",
        )
        require(self.beta == 1, f"beta = {self.beta!r}: only beta = 1 is available.")
        positive(width=self.width)

    @property
    def support(self) -> tuple[float, float]:
        reach = _reach(self.n) * self.width
        return -reach, reach

    def pdf(self, x: ArrayLike) -> Floats:
        return np.asarray(_density(self.n, np.asarray(x, dtype=float) / self.width) / self.width)

    def cdf(self, x: ArrayLike) -> Floats:
        reach = _reach(self.n)
        u = np.clip(np.asarray(x, dtype=float) / self.width, -reach, reach)
        return np.asarray(np.clip(_mass(self.n)(u), 0.0, 1.0))

    def mean(self) -> float:
        return 0.0

    def var(self) -> float:
        return float((self.n + 1) / 2 * self.width**2)


def _reach(n: int) -> float:
    return float(np.sqrt(2 * n) + 8)


@lru_cache
def _mass(n: int) -> PPoly:
    """The integral of the density, by a spline that resolves each of its n oscillations."""
    grid = np.linspace(-_reach(n), _reach(n), 2000 + 100 * n)
    return CubicSpline(grid, _density(n, grid)).antiderivative()


def _density(n: int, u: Floats) -> Floats:
    """rho(u) for sigma = 1; all by three-term recursions in the order of the function."""
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
    total += np.sqrt(n / 2) * current * half
    if n % 2 == 1:
        total += current / area
    return np.asarray(total / n)
