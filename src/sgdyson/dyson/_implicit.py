r"""One implicit step of the eigenvalue process.

$y = z + h [\beta \sum_j 1/(y_i - y_j) - V_i'(y_i)]$ is where
$\Phi(y) = |y - z|^2/2 + h \sum V_i - h \beta \sum_{i<j} \ln(y_i - y_j)$ has its minimum among
ordered levels: one, if V is convex. The logarithms are a barrier, so that levels never cross.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Float

Levels = Float[Array, "level"]
Potential = Callable[[Levels], Levels]
_ITERATIONS = 200


def implicit_step(
    potential: Potential, beta: float, step: float, start: Levels, z: Levels
) -> Levels:
    """The minimum of Phi, by damped Newton steps from `start`, descending levels.

    Steps are shortened by 1/(1 + decrement) until the decrement is small: for a self-concordant
    function, as is Phi of a quadratic potential, that keeps the order and always converges
    (S. Boyd and L. Vandenberghe, Convex Optimization (2004), section 9.6).
    """
    force = jax.grad(lambda y: jnp.sum(potential(y)))

    def newton(y: Levels) -> tuple[Levels, Array]:
        # a potential acts on each level alone: its second derivatives are one directional one
        slope, curvature = jax.jvp(force, (y,), (jnp.ones_like(y),))
        gaps = y[:, None] - y[None, :] + jnp.eye(len(y))
        inverse = (1 - jnp.eye(len(y))) / gaps
        gradient = y - z + step * (slope - beta * inverse.sum(axis=1))
        stiffness = step * beta * inverse**2
        hessian = jnp.diag(1 + step * curvature + stiffness.sum(axis=1)) - stiffness
        change = -cho_solve(cho_factor(hessian), gradient)
        return change, jnp.sqrt(-gradient @ change / (step * beta))

    def unfinished(state: tuple[Levels, Array, Array]) -> Array:
        _, decrement, count = state
        return (decrement > 1e-9) & (count < _ITERATIONS)

    def iterate(state: tuple[Levels, Array, Array]) -> tuple[Levels, Array, Array]:
        y, _, count = state
        change, decrement = newton(y)
        # for potentials that are not self-concordant: at most nine tenths of the way to a collision
        closing = jnp.max(jnp.diff(change) / -jnp.diff(y), initial=0.0)
        damping = jnp.where(decrement < 0.25, 1.0, 1 / (1 + decrement))
        length = jnp.minimum(damping, 0.9 / jnp.maximum(closing, 1e-300))
        return y + length * change, decrement, count + 1

    state = (start, jnp.array(1.0), jnp.array(0))
    solution, decrement, _ = jax.lax.while_loop(unfinished, iterate, state)
    return jnp.where(decrement <= 1e-9, solution, jnp.nan)
