"""Levels and singular values of a matrix of noise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._types import ArrayLike, Floats
from ..errors import require
from ._law import Law, RandomState, accepted, positive
from ._pastur_angle import Angle

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

    Examples:
        >>> law = MarchenkoPastur(ratio=0.25)
        >>> law.edges, law.mean()  # (1 - 1/2)^2, (1 + 1/2)^2
        ((0.25, 2.25), 1.0)
    """

    citation: ClassVar[str] = "V. A. Marchenko and L. A. Pastur, Math. USSR Sb. 1, 457 (1967)"
    ratio: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        positive(ratio=self.ratio, sigma=self.sigma)

    @property
    def _angle(self) -> Angle:
        return Angle(self.ratio, self.sigma)

    @property
    def atom(self) -> float:
        """Mass at zero."""
        return max(0.0, (self.ratio - 1) / self.ratio)

    @property
    def edges(self) -> tuple[float, float]:
        """Where the density begins and ends."""
        angle = self._angle
        return angle.scale * angle.gap**2, angle.scale * (1 + angle.root) ** 2

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.edges
        return (0.0 if self.atom else low), high

    def _pdf(self, x: Floats) -> Floats:
        angle = self._angle
        left, right = angle.sides(x)
        inside = (left > 0) & (right > 0) & (x > 0)
        shape = np.sqrt(left) * np.sqrt(right) / np.where(inside, x, 1.0)
        return np.where(inside, angle.mass * shape / (2 * np.pi * angle.root**2), 0.0)

    def _cdf(self, x: Floats) -> Floats:
        angle = self._angle
        return np.where(x < 0, 0.0, self.atom + angle.mass * angle.below(angle.of(x)))

    def _ppf(self, q: Floats) -> Floats:
        angle = self._angle
        share = np.clip((q - self.atom) / angle.mass, 0.0, 1.0)
        return np.where(q <= self.atom, self.support[0], angle.level(angle.at(share)))

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        random = np.random.default_rng(random_state)
        low, high = np.sqrt(self.edges)

        def propose(count: int) -> Floats:
            """Singular values s: their density is highest, (high - low), at s^2 = low high."""
            s = random.uniform(low, high, count)
            squares = s * s
            top = (high - low) * random.random(count)
            # both sides squared: no root for each draw
            return squares[top * top * squares < (high**2 - squares) * (squares - low**2)]

        levels = accepted(propose, size)
        if self.atom:
            levels[random.random(size) < self.atom] = 0.0
        return levels

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
        angle, unit = self._levels._angle, np.sqrt(self._levels._angle.scale)
        return float(unit * angle.gap), float(unit * (1 + angle.root))

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.edges
        return (0.0 if self.atom else low), high

    def _pdf(self, x: Floats) -> Floats:
        angle = self._levels._angle
        squares = np.clip(x, 0.0, self.edges[1]) ** 2
        left, right = angle.sides(squares)
        u = squares / angle.scale
        # (u - x_-)/u without its division by zero where the density ends at zero
        share = np.divide(left, u, out=np.full_like(u, angle.gap == 0), where=u > 0)
        shape = np.sqrt(right) * np.sqrt(share) / (np.pi * angle.root**2 * np.sqrt(angle.scale))
        return np.where((x >= 0) & (x < self.edges[1]), angle.mass * shape, 0.0)

    def _cdf(self, x: Floats) -> Floats:
        s = x
        return np.where(s < 0, 0.0, self._levels.cdf(s**2))

    def _ppf(self, q: Floats) -> Floats:
        return np.asarray(np.sqrt(self._levels.ppf(q)))

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        return np.asarray(np.sqrt(self._levels.rvs(size, random_state)))

    def mean(self) -> float:
        low, high = self.edges
        # in the angle the density has no square roots at its ends, which Gauss's nodes would feel
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
