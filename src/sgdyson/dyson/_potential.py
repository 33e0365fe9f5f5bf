"""What a potential must be, asked before anything is compiled."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._checks import first_line, shown
from .._devices import devices
from .._jax_settings import own_settings
from .._types import Floats
from ..ensembles import Laguerre, Quadratic, Quartic, RBMPotential
from ..errors import InvalidInputError, require
from ._geometry import Levels
from ._implicit import Potential

TimedPotential = Callable[[Levels, Array], Levels]

_BEYOND_JAX = (jax.errors.JAXTypeError, jax.errors.JAXIndexError)
_PERIODIC = 1e-9  # of the values of a potential: above rounding, below any other potential
_ALONE = 1e-6  # of a slope; rounding is far below it, and forces of other levels far above


def at_time(potential: Potential | TimedPotential, time: float | Array) -> Potential:
    """The potential of a time; itself where it asks for levels alone."""
    if _takes_time(potential):
        return lambda levels: cast(TimedPotential, potential)(levels, jnp.asarray(time))
    return cast(Potential, potential)


def never_changes(potential: Potential | TimedPotential) -> bool:
    """Whether an equal potential is the same function for ever, as are ours of plain numbers."""
    if not isinstance(potential, Quadratic | Quartic | Laguerre | RBMPotential):
        return False
    try:
        hash(potential)
    except TypeError:  # of arrays or lists, which may be written to
        return False
    return True


def _takes_time(potential: Potential | TimedPotential) -> bool:
    """Whether a function asks for two arguments, levels and time."""
    try:
        given = inspect.signature(potential).parameters.values()
    except (TypeError, ValueError):  # of functions that tell none
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in given) == 2


def check_potential(
    potential: Potential | TimedPotential, levels: Floats, time: float, period: float | None = None
) -> None:
    """Refuse what the solver cannot use, at these initial levels and this first time.

    Raises:
        InvalidInputError: a potential that JAX cannot trace or differentiate twice, of another
            shape or of numbers that are not real and double, that is not finite where the levels
            begin, or in which a level feels where the others are; one without the period.
    """
    words = f"potential = {shown(potential)}"
    with own_settings():
        _check_trace(at_time(potential, time), words, len(levels))
        with jax.default_device(devices(1)[0]):
            _check_values(at_time(potential, time), words, levels)
            if period is not None:
                _check_period(at_time(potential, time), words, levels, period)


def _check_trace(potential: Potential, words: str, n: int) -> None:
    shape = jax.ShapeDtypeStruct((n,), jnp.float64)  # type: ignore[no-untyped-call]
    try:
        value = jax.eval_shape(potential, shape)
    except _BEYOND_JAX as error:
        raise InvalidInputError(
            f"{words} must be written with jax.numpy, not NumPy or Python's math, and without `if`"
            " on levels (jax.numpy.where does it)."
        ) from error
    except Exception as error:  # whatever a user's function raises
        raise InvalidInputError(
            f"{words} failed on an array of {n} levels ({first_line(error)}); write it with"
            " jax.numpy, for all levels at once."
        ) from error
    require(
        getattr(value, "shape", None) == (n,),
        f"{words} must return an array of the levels' shape ({n},), not"
        f" {shown(getattr(value, 'shape', value))}.",
    )
    require(
        value.dtype == jnp.float64,
        f"{words} must return float64, as the levels are, not {value.dtype}.",
    )
    try:
        jax.eval_shape(lambda x: _slopes(potential, x, x), shape)
    except Exception as error:
        raise InvalidInputError(
            f"{words} must have two derivatives that JAX can take ({first_line(error)}); write it"
            " with jax.numpy alone."
        ) from error


def _slopes(potential: Potential, levels: Array, along: Array) -> tuple[Array, Array]:
    """Changes of V_i along a direction, and of the forces."""
    force = jax.grad(lambda x: jnp.sum(potential(x)))
    return _change(potential, levels, along), jax.jvp(force, (levels,), (along,))[1]


def _change(potential: Potential, levels: Array, along: Array) -> Array:
    return jax.jvp(potential, (levels,), (along,))[1]


def _seen(
    potential: Potential, levels: Array, between: Array, first: Array, second: Array
) -> tuple[Array, Array, Array]:
    """Values at the levels, and changes along two directions between them."""
    changed = partial(_change, potential, between)
    return potential(levels), changed(first), changed(second)


# One program: called as it is, a potential has each of its operations compiled for itself. It is
# kept for potentials that never change; what a user's function reads may change between two runs.
_lasting = jax.jit(_seen, static_argnums=0)


def _check_values(potential: Potential, words: str, levels: Floats) -> None:
    random = np.random.default_rng(0)
    # not at the levels themselves, where a force may vanish for their symmetry
    between = levels - random.uniform(0.1, 0.4, len(levels)) * _to_the_next(levels)
    weights = random.uniform(0.5, 1.5, len(levels))
    lasting = never_changes(potential)
    program = partial(_lasting, potential) if lasting else jax.jit(partial(_seen, potential))
    seen = program(levels, between, weights, np.ones(len(levels)))
    values, mixed, own = (np.asarray(each) for each in seen)
    lost = levels[~np.isfinite(values)]
    require(
        len(lost) == 0,
        f"{words} is not finite at initial_levels = {shown(lost.tolist())}; begin where it is.",
    )
    # on each level alone: then a slope along any direction is the direction times the own slope
    off = np.abs(mixed - weights * own)
    require(
        not bool((off > _ALONE * np.abs(own).max(initial=0.0)).any()),
        f"{words} must act on each level alone, V_i(x_i), and here a level"
        " feels where the others are; repulsion is in the equation already.",
    )


def _check_period(potential: Potential, words: str, levels: Floats, period: float) -> None:
    here, there = (np.asarray(potential(jnp.asarray(levels + by))) for by in (0.0, period))
    require(
        bool((np.abs(here - there) <= _PERIODIC * (1 + np.abs(here))).all()),
        f"{words} must have the period 2 pi, as jax.numpy.cos has.",
    )


def _to_the_next(levels: Floats) -> Floats:
    """Gaps below descending levels; none below the last."""
    return np.append(-np.diff(levels), 0.0)
