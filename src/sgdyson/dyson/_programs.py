"""How a process moves, and the programs that move it, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .._types import Floats

Numbers: TypeAlias = Mapping[str, Any]  # of a process and its step, arrays in a program
# levels after a step, given numbers, levels before it, standard normal numbers, how many were made
Stepper = Callable[[Numbers, Array, Array, Array], Array]

_KEPT = 64  # steppers whose programs serve the next run; the least recently used one is forgotten


def as_they_are(coordinates: Floats) -> Floats:
    """Levels that are stepped themselves."""
    return coordinates


@dataclass(frozen=True)
class Motion:
    """How a process moves.

    Attributes:
        start: what is stepped, (n,), descending.
        stepper: makes a step.
        numbers: that the stepper is given.
        settings: of the process, for the attributes of a result.
        levels: of what is stepped.
        lasting: whether steppers that are equal do the same for ever. A function of a user's own
            may read what changes between two runs: it is traced in each.
    """

    start: Floats
    stepper: Stepper
    numbers: Numbers
    settings: dict[str, Any]
    levels: Callable[[Floats], Floats] = as_they_are
    lasting: bool = True


class Programs:
    """The programs of a stepper: one for each number of levels, records and replicas at a time."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        members = (None, None, None, 0, 0, None)
        self.several = jax.jit(jax.vmap(self._several, members), static_argnums=5)
        self.one = jax.jit(self._one)  # of one replica: the LAPACK of a batch takes ten times

    def _one(
        self, numbers: Numbers, root: PRNGKeyArray, every: Array, replica: Array, levels: Array,
        slot: Array,
    ) -> Array:  # fmt: skip
        """Levels of a replica from one record to the next."""
        key = jax.random.fold_in(root, replica)

        def advance(number: Array, levels: Array) -> Array:
            # by seed, replica and step: how records divide the steps changes no number
            noise = jax.random.normal(jax.random.fold_in(key, number), levels.shape, levels.dtype)
            return self._stepper(numbers, levels, noise, number)

        return jax.lax.fori_loop(slot * every, (slot + 1) * every, advance, levels)

    def _several(
        self, numbers: Numbers, root: PRNGKeyArray, every: Array, replica: Array, start: Array,
        records: int,
    ) -> Float[Array, "time level"]:  # fmt: skip
        def record(levels: Array, slot: Array) -> tuple[Array, Array]:
            levels = self._one(numbers, root, every, replica, levels, slot)
            return levels, levels

        return jax.lax.scan(record, start, jnp.arange(records))[1]


_lasting = lru_cache(_KEPT)(Programs)


def compiled(motion: Motion, step: float) -> tuple[Programs, Numbers]:
    """Programs, and the numbers that they are given.

    One program serves a process for all its numbers and steps, but where compiling is due anyway.
    """
    numbers = {**motion.numbers, "step": step}
    if motion.lasting:
        return _lasting(motion.stepper), numbers
    return Programs(lambda _, *state: motion.stepper(numbers, *state)), {}
