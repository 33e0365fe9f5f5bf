"""Where levels live, and how a pair repels there: on a line, on a circle, between walls.

Each geometry's repulsion is the derivative of a logarithm that is a barrier: -ln of the distance on
a line, of the sine of half the angle on a circle; mirrored, each level meets the images of the
others too. All are convex and self-concordant, so that one solver serves them.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

Levels = Float[Array, "level"]
Pairs = Float[Array, "level level"]

TURN = 2 * math.pi
_SMALL = 0.06  # an angle whose sine is a short series; beyond, a difference keeps 48 bits


class Geometry(ABC):
    """Repulsion of pairs, and what may not close."""

    @abstractmethod
    def forces(self, y: Levels) -> Pairs:
        """Force of level j on level i for unit repulsion, 0 on the diagonal."""

    @abstractmethod
    def stiffness(self, y: Levels, forces: Pairs) -> tuple[Pairs, Pairs]:
        """Minus the derivatives of the force on i by i and, of opposite sign, by j."""

    @abstractmethod
    def gaps(self, y: Levels) -> Levels:
        """Distances that stay positive, of neighbours and of walls; affine in descending y."""

    def closing(self, y: Levels, change: Levels) -> Array:
        """The largest part of a gap that a change takes away."""
        lost = self.gaps(jnp.zeros_like(change)) - self.gaps(change)
        return jnp.max(lost / self.gaps(y), initial=0.0)

    widest: ClassVar[float] = math.inf  # distance that two levels may have
    walled: ClassVar[bool] = False  # whether there are walls, whose repulsion is in the potential


class Line(Geometry):
    """All real numbers, with forces 1/(x_i - x_j)."""

    def forces(self, y: Levels) -> Pairs:
        return inverse(_apart(y))

    def stiffness(self, y: Levels, forces: Pairs) -> tuple[Pairs, Pairs]:
        return forces**2, forces**2

    def gaps(self, y: Levels) -> Levels:
        return -jnp.diff(y)


class Circle(Geometry):
    """Angles on the universal cover, with forces cot((x_i - x_j)/2)/2, those of all images."""

    def forces(self, y: Levels) -> Pairs:
        return half_cotangents(y)[0]

    def stiffness(self, y: Levels, forces: Pairs) -> tuple[Pairs, Pairs]:
        square = _off_diagonal(forces**2 + 0.25)  # 1/4 sin^2
        return square, square

    def gaps(self, y: Levels) -> Levels:
        return jnp.append(-jnp.diff(y), TURN - (y[0] - y[-1]))

    widest = TURN


class HalfLine(Geometry):
    """Positive numbers, each with its image at -x: forces 1/(x_i - x_j) + 1/(x_i + x_j)."""

    walled = True

    def forces(self, y: Levels) -> Pairs:
        return inverse(_apart(y)) + inverse(_together(y))

    def stiffness(self, y: Levels, forces: Pairs) -> tuple[Pairs, Pairs]:
        near, image = inverse(_apart(y)) ** 2, inverse(_together(y)) ** 2
        return near + image, near - image

    def gaps(self, y: Levels) -> Levels:
        return jnp.append(-jnp.diff(y), y[-1])


class Segment(Geometry):
    """Angles between 0 and pi, each with its image at -x on the circle."""

    walled = True
    widest = math.pi

    def forces(self, y: Levels) -> Pairs:
        near, image = half_cotangents(y)
        return near + image

    def stiffness(self, y: Levels, forces: Pairs) -> tuple[Pairs, Pairs]:
        near, image = (_off_diagonal(pairs**2 + 0.25) for pairs in half_cotangents(y))
        return near + image, near - image

    def gaps(self, y: Levels) -> Levels:
        ends = jnp.stack([math.pi - y[0], y[-1]])
        return jnp.concatenate([-jnp.diff(y), ends])


def inverse(apart: Pairs) -> Pairs:
    """1/d, 0 on the diagonal; d is not -1 there."""
    same = jnp.eye(len(apart))
    # 0/1 on the diagonal: a NaN would outlive a factor of zero
    return (1 - same) / (apart + same)


def half_cotangents(y: Levels) -> tuple[Pairs, Pairs]:
    """cot((x_i - x_j)/2)/2 and cot((x_i + x_j)/2)/2, 0 on the diagonal.

    Of sines and cosines of n angles rather than the tangents of n^2, which take ten times as long.
    """
    sine, cosine = jnp.sin(y / 2), jnp.cos(y / 2)
    # matrix products, since XLA would make n sines anew for each of n levels
    right = jnp.stack([cosine, sine])
    sines = [jnp.stack([sine, sign * cosine], axis=1) @ right for sign in (-1, 1)]
    cosines = [jnp.stack([cosine, sign * sine], axis=1) @ right for sign in (1, -1)]

    def ratio(angles: Pairs, sines: Pairs, cosines: Pairs) -> Pairs:
        return _off_diagonal(0.5 * cosines / (_sine(angles / 2, sines) + jnp.eye(len(y))))

    apart = ratio(_apart(y), sines[0], cosines[0])
    return apart, ratio(_together(y), sines[1], cosines[1])


def _sine(angles: Pairs, sines: Pairs) -> Pairs:
    """Sines, by their series where angles are small: of close levels their difference cancels."""
    square = angles**2
    series = jnp.ones_like(angles)
    for order in (8, 6, 4, 2):  # to 1e-16 of itself
        series = 1 - square * (1 / (order * (order + 1))) * series
    return jnp.where(square < _SMALL**2, angles * series, sines)


def _apart(y: Levels) -> Pairs:
    return y[:, None] - y[None, :]


def _together(y: Levels) -> Pairs:
    return y[:, None] + y[None, :]


def _off_diagonal(pairs: Pairs) -> Pairs:
    return (1 - jnp.eye(len(pairs))) * pairs


LINE, CIRCLE, HALF_LINE, SEGMENT = Line(), Circle(), HalfLine(), Segment()
