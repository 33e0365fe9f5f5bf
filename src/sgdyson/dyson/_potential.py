"""What a potential must be, asked before anything is compiled."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._checks import first_line, shown
from .._devices import devices
from .._jax_settings import own_settings
from .._types import Floats
from ..errors import InvalidInputError, require
from ._implicit import Potential

_BEYOND_JAX = (jax.errors.JAXTypeError, jax.errors.JAXIndexError)
_ALONE = 1e-6  # of a slope; rounding is far below it, and forces of other levels far above


def check_potential(potential: Potential, levels: Floats) -> None:
    """Refuse what the solver cannot use, at these initial levels.

    Raises:
        InvalidInputError: a potential that JAX cannot trace or differentiate twice, of another
            shape or of numbers that are not real and double, that is not finite where the levels
            begin, or in which a level feels where the others are.
    """
    with own_settings():
        _check_trace(potential, len(levels))
        with jax.default_device(devices(1)[0]):
            _check_values(potential, levels)


def _check_trace(potential: Potential, n: int) -> None:
    shape = jax.ShapeDtypeStruct((n,), jnp.float64)  # type: ignore[no-untyped-call]
    told = f"potential = {shown(potential)}"
    try:
        value = jax.eval_shape(potential, shape)
    except _BEYOND_JAX as error:
        raise InvalidInputError(
            f"{told} must be written with jax.numpy, not NumPy or Python's math, and without `if`"
            " on levels (jax.numpy.where does it)."
        ) from error
    except Exception as error:  # whatever a user's function raises
        raise InvalidInputError(
            f"{told} failed on an array of {n} levels ({first_line(error)}); write it with"
            " jax.numpy, for all levels at once."
        ) from error
    require(
        getattr(value, "shape", None) == (n,),
        f"{told} must return an array of the levels' shape ({n},), not"
        f" {shown(getattr(value, 'shape', value))}.",
    )
    require(
        value.dtype == jnp.float64,
        f"{told} must return float64, as the levels are, not {value.dtype}.",
    )
    try:
        jax.eval_shape(lambda x: _slopes(potential, x, x), shape)
    except Exception as error:
        raise InvalidInputError(
            f"{told} must have two derivatives that JAX can take ({first_line(error)}); write it"
            " with jax.numpy alone."
        ) from error


def _slopes(potential: Potential, levels: Array, along: Array) -> tuple[Array, Array]:
    """Changes of V_i along a direction, and of the forces."""
    _, change = jax.jvp(potential, (levels,), (along,))
    force = jax.grad(lambda x: jnp.sum(potential(x)))
    return change, jax.jvp(force, (levels,), (along,))[1]


def _check_values(potential: Potential, levels: Floats) -> None:
    values = np.asarray(potential(jnp.asarray(levels)))
    lost = levels[~np.isfinite(values)]
    require(
        len(lost) == 0,
        f"potential = {shown(potential)} is not finite at initial_levels = {shown(lost.tolist())};"
        " begin where it is.",
    )
    random = np.random.default_rng(0)
    # not at the levels themselves, where a force may vanish for their symmetry
    between = jnp.asarray(levels - random.uniform(0.1, 0.4, len(levels)) * _to_the_next(levels))
    weights = random.uniform(0.5, 1.5, len(levels))
    mixed, own = (
        np.asarray(_slopes(potential, between, jnp.asarray(along))[0])
        for along in (weights, np.ones(len(levels)))
    )
    off = np.abs(mixed - weights * own)
    require(
        not bool((off > _ALONE * np.abs(own).max(initial=0.0)).any()),
        f"potential = {shown(potential)} must act on each level alone, V_i(x_i), and here a level"
        " feels where the others are; repulsion is in the equation already.",
    )


def _to_the_next(levels: Floats) -> Floats:
    """Gaps below descending levels; none below the last."""
    return np.append(-np.diff(levels), 0.0)
