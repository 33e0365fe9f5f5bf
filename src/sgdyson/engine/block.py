"""A block of replicas: the unit of computation, always of one shape and one program.

Replica r always sits at place r mod size of its block, whatever else is asked for, so its numbers
do not depend on chunks, devices or the total number of replicas, not even in the last bit.
"""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from ..models import Model
from ._program import Program
from ._replica import Record, ReplicaState, Rule, first_state, next_state

_CPU_NUMBERS = 6_400  # weights in a block that keep its temporaries in a core's cache
_GPU_NUMBERS = 1 << 22
_LARGE = 1 << 17  # weights in a block, above which it gains nothing from a second replica
_RECORDED_AT_ONCE = 1 << 21  # weights recorded in one call: bounds its memory, 16 MB
_UPDATES_AT_ONCE = 500_000  # replica-updates between two looks at the clock, and at Ctrl-C


def block_size(model: Model, platform: str) -> int:
    """Replicas in a block of this model: a power of two, fixed for a platform."""
    numbers = sum(leaf.size for leaf in jax.tree.leaves(model.weight_shapes()))
    budget = _CPU_NUMBERS if platform == "cpu" else _GPU_NUMBERS
    fitting, least = (int(np.floor(np.log2(limit / numbers))) for limit in (budget, _LARGE))
    # beyond the cache a block gains from up to eight replicas still, which share the cost of a
    # call, until it is so large that memory sets the pace
    return 1 << max(fitting, min(max(least, 0), 3))


def _start(model: Model, rule: Rule, root: PRNGKeyArray, replicas: Array) -> ReplicaState:
    """States of these replicas before the first update."""
    return jax.vmap(lambda replica: first_state(model, rule, root, replica))(replicas)


def _advance(
    model: Model, rule: Rule, states: ReplicaState, updates: Array, records: int
) -> tuple[ReplicaState, Record]:
    """`records` times: `updates` updates, then a record; the records are on axis 1."""

    def one(state: ReplicaState) -> tuple[ReplicaState, Record]:
        def slot(state: ReplicaState, _: None) -> tuple[ReplicaState, Record]:
            state = jax.lax.fori_loop(
                0, updates, lambda _, state: next_state(model, rule, state), state
            )
            return state, Record(state.weights, state.diverged_at)

        return jax.lax.scan(slot, state, None, length=records)

    return jax.vmap(one)(states)


_START, _ADVANCE = Program(_start), Program(_advance)


def run_block(
    device: jax.Device,
    model: Model,
    rule: Rule,
    root: PRNGKeyArray,
    replicas: np.ndarray,
    *,
    burn_in: int,
    records: int,
    every: int,
) -> Iterator[tuple[int, Record | None]]:
    """Train one block; yields the updates done since the last yield, and a record where one is due.

    A record holds arrays with axes (replica, time, ...), one time or several. The first yield is
    the record after the burn-in.
    """
    at_once = max(_UPDATES_AT_ONCE // len(replicas), 1)
    states = _START(device, model, rule, root, jnp.asarray(replicas))
    for stretch in _stretches(burn_in, at_once) if burn_in else []:
        if _repeated(states, 1) is None:
            # the number of updates is an argument of the program: one program runs every stretch
            states, _ = _ADVANCE(device, model, rule, states, jnp.int32(stretch), 1)
            # JAX returns before the work is done: progress, and Ctrl-C, wait for it here
            states.update.block_until_ready()
        yield stretch, None
    first = Record(states.weights, states.diverged_at)
    yield 0, jax.tree.map(lambda array: np.asarray(array)[:, None], first)
    numbers = sum(leaf.size for leaf in jax.tree.leaves(states.weights))
    most = min(at_once // every, _RECORDED_AT_ONCE // numbers)
    together = _largest_divisor(records, at_most=max(most, 1))
    # records that are far apart are reached in several calls, of which the last one records
    stretches = [every] if every <= at_once else _stretches(every, at_once)
    for _ in range(records // together):
        for number, stretch in enumerate(stretches, 1):
            record = _repeated(states, together)
            if record is None:
                states, record = _ADVANCE(device, model, rule, states, jnp.int32(stretch), together)
            due = jax.tree.map(np.asarray, record) if number == len(stretches) else None
            yield stretch * together, due


def _repeated(states: ReplicaState, records: int) -> Record | None:
    """So many records, on axis 1, of a block that has diverged; None of one that still changes.

    A replica that fails is frozen for good: where all have failed there is nothing left to do.
    """
    if (np.asarray(states.diverged_at) < 0).any():
        return None
    last = Record(states.weights, states.diverged_at)
    return jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[:, None], records, axis=1), last)


def _stretches(updates: int, at_once: int) -> list[int]:
    """`updates` in equal parts, but for rounding, of `at_once` at the most."""
    parts = -(-updates // at_once)
    ends = np.linspace(0, updates, parts + 1).astype(int)
    return [int(stretch) for stretch in np.diff(ends)]


def _largest_divisor(number: int, at_most: int) -> int:
    """So that one compiled program, with so many records in a call, serves all of them."""
    return next(d for d in range(min(number, at_most), 0, -1) if number % d == 0)
