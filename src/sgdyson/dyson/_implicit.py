r"""One implicit step of the eigenvalue process.

$y = z + h [\beta \sum_j g_{ij}^2/(y_i - y_j) - V_i'(y_i)]$ is where
$\Phi(y) = |y - z|^2/2 + h \sum V_i - h \beta \sum_{i<j} g_{ij}^2 \ln(y_i - y_j)$ has its minimum
among ordered levels: one, if V is convex. The logarithms are a barrier, so that levels never cross.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array

from ._geometry import LINE, Geometry, Levels, Pairs

Potential = Callable[[Levels], Levels]
Number = float | Array
_State = tuple[Levels, Array, Array, Array]  # levels, decrement to be halved, done, count
_Bracket = tuple[Array, Array, Array, Array, Array]  # of a length, the length, good, count
_ROUNDING = float(np.finfo(float).eps)
_ITERATIONS = 200  # 5 to 8 do, from any start that was tried
_EXACT = 1e-9  # decrement: no gap is then off by more than this part of itself
_HALVINGS = 20  # of the length of a step
_SURE = 0.25  # decrement below which a whole Newton step of a self-concordant function is safe


def implicit_step(
    potential: Potential, beta: Number, step: Number, start: Levels, z: Levels,
    noise: Number = 1.0, geometry: Geometry = LINE,
) -> Levels:  # fmt: skip
    """The minimum of Phi, by Newton steps from `start`, descending levels; NaN where there is none.

    For a self-concordant function, as is Phi of a quadratic potential, Newton steps shortened by
    1/(1 + decrement) always converge (S. Boyd and L. Vandenberghe, Convex Optimization (2004),
    section 9.6), but for hundreds of levels by a hundred of them. Whole ones do it in a few, and
    are taken as long as each halves the decrement: a finite number, so that the others still
    converge. All begins at the best dilation of `start`: levels that leave a point spread by
    orders of magnitude, which Newton steps would do a factor at a time.
    """
    problem = _Problem(potential, beta, step, z, noise, geometry)

    def unfinished(state: _State) -> Array:
        _, _, done, count = state
        return ~done & (count < _ITERATIONS)

    def iterate(state: _State) -> _State:
        y, boldest, _, count = state
        change, decrement, done = problem.newton(y)
        bold = (decrement < _SURE) | (decrement < boldest)
        length = problem.length(y, change, decrement, bold)
        return y + length * change, jnp.where(bold, decrement / 2, boldest), done, count + 1

    first = (problem.dilated(start), jnp.array(jnp.inf), jnp.array(False), jnp.array(0))
    solution, _, done, _ = jax.lax.while_loop(unfinished, iterate, first)
    # a potential that has become NaN meanwhile may have a slope of 0
    return jnp.where(done & jnp.isfinite(potential(solution)).all(), solution, jnp.nan)


class _Problem:
    """The function Phi of one step, and its Newton steps."""

    def __init__(
        self, potential: Potential, beta: Number, step: Number, z: Levels, noise: Number,
        geometry: Geometry,
    ) -> None:  # fmt: skip
        self.potential, self.step, self.z, self.geometry = potential, step, z, geometry
        self.force = jax.grad(lambda y: jnp.sum(potential(y)))
        # strengths of repulsion, in units of the weakest, in which Phi is self-concordant
        squares = noise**2 * jnp.ones_like(z)
        self.common = jnp.ndim(noise) == 0
        self.unit = step * beta * (noise**2 if self.common else jnp.min(squares))
        self.strengths = (squares[:, None] + squares) / (2 * jnp.min(squares))

    def weighed(self, pairs: Pairs) -> Pairs:
        """Pairs of levels times the strengths of their repulsion."""
        return pairs if self.common else self.strengths * pairs

    def newton(self, y: Levels) -> tuple[Levels, Array, Array]:
        """A Newton step, its decrement, and whether there is nothing left to gain."""
        # a potential acts on each level alone: its second derivatives are one directional one
        slope, curvature = jax.jvp(self.force, (y,), (jnp.ones_like(y),))
        forces = self.geometry.forces(y)
        push = self.weighed(forces)
        own, mutual = (self.unit * self.weighed(k) for k in self.geometry.stiffness(y, forces))
        gradient = y - self.z + self.step * slope - self.unit * push.sum(axis=1)
        hessian = jnp.diag(1 + self.step * curvature + own.sum(axis=1)) - mutual
        change = -cho_solve(cho_factor(hessian), gradient)
        # of Phi/unit, whose logarithms have the weight one that self-concordance asks for
        decrement = jnp.sqrt(-gradient @ change / self.unit)
        # what rounding leaves of the gradient, whose decrement is at most this: the Hessian of a
        # convex potential is 1 and more. Of hundreds of levels close together it is above _EXACT
        size = jnp.abs(y) + jnp.abs(self.z) + self.step * jnp.abs(slope)
        rounding = _ROUNDING * (size + self.unit * jnp.abs(push).sum(axis=1))
        floor = 4 * jnp.linalg.norm(rounding) / jnp.sqrt(self.unit)
        return change, decrement, decrement <= _EXACT + floor

    def length(self, y: Levels, change: Levels, decrement: Array, bold: Array) -> Array:
        """Part of a Newton step: all of a bold one, but nine tenths of the way to a collision."""
        closing = self.geometry.closing(y, change)
        longest = jnp.minimum(1.0, 0.9 / jnp.maximum(closing, 1e-300))
        if self.geometry.walled or not self.common:
            # where walls or strengths differ decrements are large, and shortened steps short
            return self.lowest_along(y, change, longest, decrement)
        inside = self._within(y + longest * change)
        return jnp.where(bold & inside, longest, jnp.minimum(longest, 1 / (1 + decrement)))

    def lowest_along(self, y: Levels, change: Levels, longest: Array, decrement: Array) -> Array:
        """Where along a Newton step Phi, convex, is lowest, to a tenth of its slope: bisected."""
        flat = 0.1 * self.unit * decrement**2  # of the slope where the step begins

        def slope(length: Array) -> Array:
            moved = y + length * change
            pushes = self.unit * self.weighed(self.geometry.forces(moved)).sum(axis=1)
            return (moved - self.z + self.step * self.force(moved) - pushes) @ change

        def halve(state: _Bracket) -> _Bracket:
            low, high, length, _, count = state
            steepness = slope(length)
            good = (jnp.abs(steepness) <= flat) | ((count == 0) & (steepness < 0))
            low, high = (
                jnp.where(steepness < 0, length, low),
                jnp.where(steepness < 0, high, length),
            )
            return low, high, jnp.where(good, length, (low + high) / 2), good, count + 1

        def unfinished(state: _Bracket) -> Array:
            *_, good, count = state
            return ~good & (count < _HALVINGS)

        sure = decrement < _SURE  # then nothing is evaluated
        first = (jnp.zeros_like(longest), longest, longest, sure, jnp.array(0))
        return jax.lax.while_loop(unfinished, halve, first)[2]

    def dilated(self, start: Levels) -> Levels:
        """The minimum of Phi, without its potential, among dilations and shifts of `start`."""
        middle = jnp.mean(start)
        shape, centre = start - middle, middle if self.geometry.walled else jnp.mean(self.z)
        square, along = shape @ shape, shape @ (self.z - centre)
        pairs = (
            len(start) * (len(start) - 1) / 2 if self.common else jnp.triu(self.strengths, 1).sum()
        )
        # under a dilation by f each logarithm pushes as 1/f, so that f solves a quadratic equation
        root = jnp.sqrt(along**2 + 4 * square * self.unit * pairs)
        factor = (along + root) / (2 * jnp.maximum(square, 1e-300))
        widest = self.geometry.widest * (1 - 1 / len(start))
        if widest < np.inf:
            factor = jnp.minimum(factor, widest / jnp.maximum(shape[0] - shape[-1], 1e-300))
        if self.geometry.walled:  # as far as the walls let it
            halved = factor * 0.5 ** jnp.arange(_HALVINGS)
            inside = jax.vmap(lambda part: self._within(centre + part * shape))(halved)
            factor = halved[jnp.argmax(inside)]
        spread = centre + factor * shape
        return jnp.where(self._within(spread), spread, start)

    def _within(self, y: Levels) -> Array:
        """Whether the potential is finite: beyond a wall it is not."""
        return jnp.isfinite(self.potential(y)).all() & (self.geometry.gaps(y) > 0).all()
