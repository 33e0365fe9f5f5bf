"""The exact level density of the Gaussian ensembles at any size."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from scipy import special
from scipy.interpolate import CubicSpline, PPoly

from .._checks import settle, whole
from .._types import ArrayLike, Floats
from ..errors import require
from ._law import Law, one_of, positive

_LARGEST = 500  # beyond, the table of the distribution function takes seconds
_FAR = 1e150  # u so large and larger: their squares do not overflow
_LEADING = 400.0  # u from which on the density of beta = 4 is taken by its leading power


@dataclass(frozen=True)
class GaussianEnsembleDensity(Law):
    r"""One-level density of n levels of $\prod |x_i - x_j|^\beta e^{-\sum x^2/2\sigma^2}$.

    With oscillator functions $\varphi_j$ and $\epsilon f(u) = \tfrac12 \int \mathrm{sign}(u - t)
    f(t)\,dt$, $S_m = \sum_{j<m} \varphi_j^2 + \sqrt{m/2}\, \varphi_{m-1}\, \epsilon\varphi_m$,
    $$n \rho(x) = S_n + [n\ \mathrm{odd}]\, \varphi_{n-1}/\textstyle\int \varphi_{n-1}
    \quad (\beta = 1,\ u = x/\sigma);$$ it is $\sum_{j<n} \varphi_j^2/\sqrt 2$ for beta = 2 and
    $S_{2n+1}/\sqrt 8$ for beta = 4, both at $u = x/\sqrt 2 \sigma$.

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

    def _logpdf(self, x: Floats) -> Floats:
        u = np.clip(x / self.width, -_FAR, _FAR)
        return _log_density(self.n, self.beta, u) - np.log(self.width)

    def _cdf(self, x: Floats) -> Floats:
        reach = _reach(self.n, self.beta)
        u = np.clip(x / self.width, -reach, reach)
        return np.asarray(np.clip(_mass(self.n, self.beta)(u), 0.0, 1.0))

    def _sf(self, x: Floats) -> Floats:
        return self._cdf(-x)

    def mean(self) -> float:
        return 0.0

    def var(self) -> float:
        return float((1 + self.beta * (self.n - 1) / 2) * self.width**2)

    @classmethod
    def fit(cls, spectra: ArrayLike, beta: int = 1) -> "GaussianEnsembleDensity":
        r"""The law of greatest likelihood for whole spectra, shape (matrix, n), centred at zero.

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
    return np.asarray(np.exp(_log_density(n, beta, u)))


def _log_density(n: int, beta: int, u: Floats) -> Floats:
    """Logarithm of the density, with all its digits in the tails."""
    size = 2 * n + 1 if beta == 4 else n
    arguments = {1: u, 2: u / np.sqrt(2), 4: np.clip(u, -_LEADING, _LEADING) / np.sqrt(2)}
    squares, partner, odd, scale = _oscillators(size, arguments[beta])
    if beta == 2:
        return np.asarray(np.log(squares) + 2 * scale - np.log(np.sqrt(2) * n))
    if beta == 4:
        # the two terms cancel to u^-4 of either; far beyond underflow the leading power is enough
        beyond = np.maximum(np.abs(u) / _LEADING, 1.0)
        far = 4 * (n - 1) * np.log(beyond) - (beyond**2 - 1) * _LEADING**2 / 2
        return np.log(squares + partner) + 2 * scale - np.log(np.sqrt(8) * n) + far
    if n % 2 == 1:
        return np.asarray(np.log((squares + partner) * np.exp(scale) + odd) + scale - np.log(n))
    return np.asarray(np.log(squares * np.exp(scale) + partner) + scale - np.log(n))


def _oscillators(n: int, u: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The three terms at beta = 1, by three-term recursions in the order of the function.

    The functions are e^scale times what is here, and their squares e^(2 scale): far out the
    first ones underflow long before the last. Epsilon of an odd one has that factor too, of an even
    one it has not, and so has the partner one or two.
    """
    before, current = np.zeros_like(u), np.full_like(u, np.pi**-0.25)
    scale = -(u**2) / 2
    area = np.sqrt(2 * np.pi) * np.pi**-0.25  # of the oscillator function of even order
    # epsilon of the last even and of the last odd function
    half_even, half_odd = area / 2 * special.erf(u / np.sqrt(2)), np.zeros_like(u)
    total = current**2
    for j in range(n):
        if j % 2 == 0:
            half_odd = (np.sqrt(j) * half_odd - np.sqrt(2) * current) / np.sqrt(j + 1)
        else:
            true = current * np.exp(scale)
            half_even = (np.sqrt(j) * half_even - np.sqrt(2) * true) / np.sqrt(j + 1)
        if j == n - 1:
            break
        before, current = current, (
            np.sqrt(2 / (j + 1)) * u * current - np.sqrt(j / (j + 1)) * before
        )  # fmt: skip
        total = total + current**2
        if j % 2 == 1:
            area *= np.sqrt(j / (j + 1))
        large = np.maximum(np.abs(current), 1.0)
        before, current, half_odd = before / large, current / large, half_odd / large
        total, scale = total / large**2, scale + np.log(large)
    half = half_even if n % 2 == 0 else half_odd
    return total, np.sqrt(n / 2) * current * half, current / area, scale
