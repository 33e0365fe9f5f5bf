"""Wigner's semicircle."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._types import ArrayLike, Floats
from ._law import Law, RandomState, accepted, positive


@dataclass(frozen=True)
class Semicircle(Law):
    r"""$\rho(x) = 2\sqrt{R^2 - x^2}/(\pi R^2)$: limit of the level density of Gaussian ensembles.

    Args:
        radius: R; sqrt(2 beta n) sigma for n levels of the Gaussian ensemble.

    Examples:
        >>> from math import pi
        >>> bool(abs(Semicircle(radius=2.0).pdf(0.0) - 1 / pi) < 1e-12)
        True
    """

    citation: ClassVar[str] = "E. P. Wigner, Ann. Math. 62, 548 (1955)"
    radius: float = 1.0

    def __post_init__(self) -> None:
        positive(radius=self.radius)

    @property
    def support(self) -> tuple[float, float]:
        return -self.radius, self.radius

    def _pdf(self, x: Floats) -> Floats:
        inside = np.clip(x, -self.radius, self.radius)
        # 1 - u^2 without its cancellation at the edges
        height = np.sqrt(self.radius - inside) * np.sqrt(self.radius + inside)
        return np.asarray(2 * height / (np.pi * self.radius**2))

    def _cdf(self, x: Floats) -> Floats:
        u = np.clip(x / self.radius, -1, 1)
        return np.asarray(0.5 + (u * np.sqrt(1 - u**2) + np.arcsin(u)) / np.pi)

    def _sf(self, x: Floats) -> Floats:
        return self._cdf(-x)

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        random = np.random.default_rng(random_state)

        def propose(count: int) -> Floats:
            """Abscissae of uniform points in half a disc."""
            x, y = random.uniform(-1, 1, count), random.random(count)
            return np.asarray(x[x * x + y * y < 1])

        return self.radius * accepted(propose, size)

    def mean(self) -> float:
        return 0.0

    def var(self) -> float:
        return self.radius**2 / 4

    @classmethod
    def fit(cls, levels: ArrayLike) -> "Semicircle":
        """The semicircle about zero with the second moment of `levels`: R = 2 rms."""
        return cls(2 * float(np.sqrt(np.mean(np.square(np.asarray(levels, dtype=float))))))
