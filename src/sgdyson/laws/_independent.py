"""Spacings without repulsion, and between none and that of the surmise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import optimize, special

from .._checks import finite, settle
from .._types import ArrayLike, Floats
from ..errors import require
from ._law import Law
from ._wigner import FAR


@dataclass(frozen=True)
class Brody(Law):
    r"""Spacing in units of its mean, $P(s) = (1 + q) b s^q e^{-b s^{1 + q}}$.

    $b = \Gamma(\tfrac{q+2}{q+1})^{q+1}$: Poisson's law at q = 0, the surmise of beta = 1 at q = 1.

    Args:
        q: the repulsion, from 0 to 1.
    """

    citation: ClassVar[str] = "T. A. Brody, Lett. Nuovo Cimento 7, 482 (1973)"
    q: float

    def __post_init__(self) -> None:
        settle(self, q=finite("q", self.q))
        require(0 <= self.q <= 1, f"q = {self.q!r} must lie between 0 (Poisson) and 1 (Wigner).")

    @property
    def _power(self) -> float:
        return 1.0 + float(self.q)

    @property
    def _rate(self) -> float:
        # with which the mean is 1
        return float(special.gamma(1 + 1 / self._power) ** self._power)

    @property
    def support(self) -> tuple[float, float]:
        # e^-40 = 4e-18 is left beyond, less than the rounding of 1
        return 0.0, float((40 / self._rate) ** (1 / self._power))

    @property
    def ends(self) -> tuple[float, float]:
        return 0.0, np.inf

    def _pdf(self, x: Floats) -> Floats:
        inside = np.clip(x, 0.0, FAR)
        density = (
            self._power * self._rate * inside**self.q * np.exp(-self._rate * inside**self._power)
        )
        return np.where(x < 0, 0.0, density)

    def _logpdf(self, x: Floats) -> Floats:
        s = np.clip(x, 0.0, FAR)
        norm = np.log(self._power * self._rate)
        exponent = norm + special.xlogy(self.q, s) - self._rate * s**self._power
        return np.where(x < 0, -np.inf, exponent)

    def _cdf(self, x: Floats) -> Floats:
        s = np.clip(x, 0.0, FAR)
        return np.asarray(-np.expm1(-self._rate * s**self._power))

    def _sf(self, x: Floats) -> Floats:
        return np.asarray(np.exp(-self._rate * np.clip(x, 0.0, FAR) ** self._power))

    def _ppf(self, q: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            exponent = -np.log1p(-q)
        return np.asarray((exponent / self._rate) ** (1 / self._power))

    def mean(self) -> float:
        return 1.0

    def var(self) -> float:
        return float(
            special.gamma(1 + 2 / self._power) / special.gamma(1 + 1 / self._power) ** 2 - 1
        )

    @classmethod
    def fit(cls, spacings: ArrayLike) -> "Brody":
        """The law of largest likelihood; spacings are divided by their mean first.

        Raises:
            InvalidInputError: fewer than two spacings, or one that is not positive and finite.
        """
        s = np.ravel(np.asarray(spacings, dtype=float))
        require(
            s.size > 1 and bool((np.isfinite(s) & (s > 0)).all()),
            f"{s.size} spacings, the smallest {s.min(initial=np.inf)}: at least two are needed,"
            " all of them positive and finite.",
        )
        s = s / s.mean()
        minimum = optimize.minimize_scalar(
            lambda q: -cls(float(q)).logpdf(s).sum(), bounds=(0, 1), method="bounded",
            options={"xatol": 1e-7},
        )  # fmt: skip
        return cls(float(minimum.x))


class PoissonSpacing(Brody):
    r"""Spacing of independent levels in units of its mean, $P(s) = e^{-s}$."""

    citation: ClassVar[str] = "M. L. Mehta, Random Matrices, 3rd ed. (2004), section 1.4"

    def __init__(self) -> None:
        super().__init__(0.0)

    def __repr__(self) -> str:
        return "PoissonSpacing()"
