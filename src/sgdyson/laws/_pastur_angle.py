r"""Marchenko and Pastur's law in the angle in which it is smooth, at any ratio."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from scipy.optimize import elementwise

from .._types import Floats

_SMALL, _TERMS = 0.1, 18  # r below which the sum is taken term by term: 0.1^16 is left out


@dataclass(frozen=True)
class Angle:
    r"""Half the way round from the lower edge to the upper one.

    $x = h\,(1 + r^2 - 2 r \cos\varphi)$ with $r = \min(\sqrt c, 1/\sqrt c)$, $h = \sigma^2
    \max(c, 1)$; by the angle the levels that are not zero have the density
    $$\frac{2}{\pi} \frac{\sin^2\varphi}{1 + r^2 - 2 r \cos\varphi} = \frac1\pi \Big[1 + r
    \cos\varphi - (1 - r^2) \sum_{k \ge 2} r^{k - 2} \cos k\varphi\Big] .$$
    Differences that vanish where c is near 1 or far from it are never taken of rounded numbers.

    Args:
        ratio: c.
        sigma: standard deviation of the entries.
    """

    ratio: float
    sigma: float

    @cached_property
    def mass(self) -> float:
        """Share of the levels that are not zero."""
        return min(1.0, 1 / self.ratio)

    @cached_property
    def root(self) -> float:
        """R."""
        return float(np.sqrt(self.mass if self.ratio > 1 else self.ratio))

    @cached_property
    def less(self) -> float:
        """1 - r^2."""
        return abs(1 - self.ratio) / max(1.0, self.ratio)

    @cached_property
    def gap(self) -> float:
        """1 - r."""
        return self.less / (1 + self.root)

    @cached_property
    def _exact_scale(self) -> tuple[float, float]:
        """H, and what rounding took from it."""
        # rationals: where the bulk is narrow x - h is as small as what rounding takes from h
        exact = Fraction(self.sigma) ** 2 * max(Fraction(self.ratio), Fraction(1))
        return float(exact), float(exact - Fraction(float(exact)))

    @property
    def scale(self) -> float:
        """H."""
        return self._exact_scale[0]

    def sides(self, x: Floats) -> tuple[Floats, Floats]:
        """(x - x_-)/h and (x_+ - x)/h, zero where negative."""
        scale, rest = self._exact_scale
        r = self.root
        if r < _SMALL:  # the bulk is narrow: from its middle
            off = ((x - scale) - rest) / scale
            sides = off + r * (2 - r), r * (2 + r) - off
        else:
            sides = x / scale - self.gap**2, (1 + r) ** 2 - x / scale
        return np.maximum(sides[0], 0.0), np.maximum(sides[1], 0.0)

    def of(self, x: Floats) -> Floats:
        """The angle of x."""
        left, right = self.sides(x)
        return np.asarray(2 * np.arctan2(np.sqrt(left), np.sqrt(right)))

    def level(self, angle: Floats) -> Floats:
        """The x of an angle."""
        return np.asarray(self.scale * (self.gap**2 + 4 * self.root * np.sin(angle / 2) ** 2))

    def below(self, angle: Floats) -> Floats:
        """Share of the levels that are not zero below an angle."""
        r, sine = self.root, np.sin(angle)
        if r < _SMALL:
            rest = sum(r ** (k - 2) * np.sin(k * angle) / k for k in range(2, _TERMS))
        else:
            whole = np.arctan2(r * sine, self.gap + 2 * r * np.sin(angle / 2) ** 2)
            rest = (whole - r * sine) / r**2
        return np.asarray(np.clip((angle + r * sine - self.less * rest) / np.pi, 0.0, 1.0))

    def at(self, share: Floats) -> Floats:
        """The angle with a share of the levels that are not zero below it."""
        bracket = np.zeros_like(share), np.full_like(share, np.pi)
        root = elementwise.find_root(lambda angle, p: self.below(angle) - p, bracket, args=(share,))
        return np.asarray(root.x)
