"""Levels and singular values of a matrix of noise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..errors import require
from ._law import Floats, Law, RandomState, accepted, positive

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


@dataclass(frozen=True)
class MarchenkoPastur(Law):
    r"""Levels of $W^T W/M$, W an M x N matrix of independent entries, M and N large.

    With c = N/M and $x_\pm = \sigma^2 (1 \pm \sqrt c)^2$,
    $$\rho(x) = \frac{\sqrt{(x_+ - x)(x - x_-)}}{2 \pi \sigma^2 c\, x} .$$
    Where c > 1, N - M levels vanish: an atom of mass `atom` = 1 - 1/c at zero, which `cdf`, `ppf`,
    `rvs`, `mean` and `var` count and `pdf`, a density, cannot.

    Args:
        ratio: c = N/M, columns over rows.
        sigma: standard deviation of the entries.
    """

    citation: ClassVar[str] = "V. A. Marchenko and L. A. Pastur, Math. USSR Sb. 1, 457 (1967)"
    ratio: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        positive(ratio=self.ratio, sigma=self.sigma)

    @property
    def atom(self) -> float:
        """Mass at zero."""
        return max(0.0, 1 - 1 / self.ratio)

    @property
    def edges(self) -> tuple[float, float]:
        """Where the density begins and ends."""
        root = np.sqrt(self.ratio)
        return float((self.sigma * (1 - root)) ** 2), float((self.sigma * (1 + root)) ** 2)

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.edges
        return (0.0 if self.atom else low), high

    def _pdf(self, x: Floats) -> Floats:
        values = x
        low, high = self.edges
        inside = (values > low) & (values < high)
        at = np.where(inside, values, high)
        density = np.sqrt((high - at) * (at - low)) / (2 * np.pi * self.sigma**2 * self.ratio * at)
        return np.where(inside, density, 0.0)

    def _cdf(self, x: Floats) -> Floats:
        values = x
        low, high = self.edges
        c, u = self.ratio, np.clip(values, low, high) / self.sigma**2
        a, b = low / self.sigma**2, high / self.sigma**2
        left, right = np.sqrt(np.maximum(u - a, 0.0)), np.sqrt(np.maximum(b - u, 0.0))
        # arctan of a ratio as an angle: no division where x is an edge, or where c = 1
        first = np.arctan2(b + a - 2 * u, 2 * left * right)
        second = np.arctan2(a * (b - u) - b * (u - a), 2 * abs(1 - c) * left * right)
        mass = (left * right - (1 + c) * first + abs(1 - c) * second) / (2 * np.pi * c)
        total = 0.5 + max(c - 1, 0.0) / (2 * c) + mass
        return np.where(values < 0, 0.0, np.clip(total, self.atom, 1.0))

    def _ppf(self, q: Floats) -> Floats:
        probability = q
        atom = self.atom
        above = self._inverse(np.maximum(probability, atom))
        return np.where(probability <= atom, self.support[0], above)

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        random = np.random.default_rng(random_state)
        low, high = np.sqrt(self.edges)

        def propose(count: int) -> Floats:
            """Singular values s: their density is highest, (high - low), at s^2 = low high."""
            s = random.uniform(low, high, count)
            squares = s * s
            top = (high - low) * random.random(count)
            return squares[top * top * squares < (high**2 - squares) * (squares - low**2)]

        levels = accepted(propose, size)
        if self.atom:
            levels[random.random(size) < self.atom] = 0.0
        return levels

    def _inverse(self, probability: Floats) -> Floats:
        """Newton's iteration for the angle of x, from a table; the cdf is smooth in the angle."""
        low, high = self.edges
        middle, half = (low + high) / 2, (high - low) / 2
        table = np.linspace(np.pi, 0, 4097)
        angle = np.interp(probability, self.cdf(middle + half * np.cos(table)), table)
        for _ in range(2):
            x = middle + half * np.cos(angle)
            slope = self.pdf(x) * half * np.sin(angle)
            step = np.divide(
                self.cdf(x) - probability, slope, out=np.zeros_like(x), where=slope > 0
            )
            angle = np.clip(angle + step, 0.0, np.pi)
        return np.asarray(middle + half * np.cos(angle))

    def mean(self) -> float:
        return float(self.sigma**2)

    def var(self) -> float:
        return float(self.ratio * self.sigma**4)

    @classmethod
    def fit(cls, levels: ArrayLike, ratio: float) -> "MarchenkoPastur":
        r"""The law of this ratio with the mean of `levels`, zeros included: $\sigma^2 = <x>$."""
        mean = float(np.mean(np.asarray(levels, dtype=float)))
        require(mean > 0, f"the mean of the levels is {mean!r}; it must be positive.")
        return cls(ratio, float(np.sqrt(mean)))


@dataclass(frozen=True)
class MarchenkoPasturSingular(Law):
    r"""Singular values of $W/\sqrt M$: the square roots of Marchenko and Pastur's levels.

    At ratio 1 a quarter circle of radius $2 \sigma$. Of W^T W's N roots, N - M are zero where
    ratio > 1: an atom, as in `MarchenkoPastur`.

    Args:
        ratio: c = N/M, columns over rows.
        sigma: standard deviation of the entries.
    """

    citation: ClassVar[str] = MarchenkoPastur.citation
    ratio: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        positive(ratio=self.ratio, sigma=self.sigma)

    @property
    def _levels(self) -> MarchenkoPastur:
        return MarchenkoPastur(self.ratio, self.sigma)

    @property
    def atom(self) -> float:
        """Mass at zero."""
        return self._levels.atom

    @property
    def edges(self) -> tuple[float, float]:
        """Where the density begins and ends."""
        root = np.sqrt(self.ratio)
        return float(self.sigma * abs(1 - root)), float(self.sigma * (1 + root))

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.edges
        return (0.0 if self.atom else low), high

    def _pdf(self, x: Floats) -> Floats:
        s = x
        low, high = self.edges
        inside = (s >= low) & (s < high) & (s >= 0)
        at = np.where(inside, s, high)
        # (s^2 - low^2)/s^2 without its division by zero where the density ends at zero
        shape = np.sqrt(high**2 - at**2) * np.sqrt(1 - (low / np.where(at > 0, at, 1.0)) ** 2)
        return np.where(inside, shape / (np.pi * self.sigma**2 * self.ratio), 0.0)

    def _cdf(self, x: Floats) -> Floats:
        s = x
        return np.where(s < 0, 0.0, self._levels.cdf(s**2))

    def _ppf(self, q: Floats) -> Floats:
        return np.asarray(np.sqrt(self._levels.ppf(q)))

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        return np.asarray(np.sqrt(self._levels.rvs(size, random_state)))

    def mean(self) -> float:
        low, high = self.edges
        angle = np.pi / 2 * (1 + _NODES)
        s = (low + high) / 2 + (high - low) / 2 * np.cos(angle)
        jacobian = (high - low) / 2 * np.sin(angle) * np.pi / 2
        return float((s * self.pdf(s) * jacobian) @ _WEIGHTS)

    def var(self) -> float:
        return float(self.sigma**2 - self.mean() ** 2)

    @classmethod
    def fit(cls, values: ArrayLike, ratio: float) -> "MarchenkoPasturSingular":
        r"""The law of this ratio with the mean square of `values`, zeros included."""
        levels = np.asarray(values, dtype=float) ** 2
        return cls(ratio, MarchenkoPastur.fit(levels, ratio).sigma)
