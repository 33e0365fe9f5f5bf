"""A block of replicas: the unit of computation, always of one shape and one program.

Replica r always sits at place r mod size of its block, whatever else is asked for, so its numbers
do not depend on chunks, devices or the total number of replicas, not even in the last bit.
"""

from collections.abc import Callable, Iterator
from functools import partial

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
_MOST_RECORDS = 256  # of one call, whose cost is lost among theirs
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
    model: Model, rule: Rule, states: ReplicaState, updates: Array, records: Array, room: int
) -> tuple[ReplicaState, Record]:
    """`records` times: `updates` updates, then a record; axis 1 has room for more of them.

    Both numbers are arguments of the program: one serves the burn-in and what is recorded, of any
    length, where each would take seconds to compile.
    """
    step: Callable[[ReplicaState], ReplicaState] = jax.vmap(partial(next_state, model, rule))

    def slot(number: Array, carry: tuple[ReplicaState, Record]) -> tuple[ReplicaState, Record]:
        states, kept = carry
        states = jax.lax.fori_loop(0, updates, lambda _, states: step(states), states)
        kept = jax.tree.map(
            lambda record, new: jax.lax.dynamic_update_index_in_dim(record, new, number, 1),
            kept,
            _record(states),
        )
        return states, kept

    empty = jax.tree.map(
        lambda leaf: jnp.zeros((len(leaf), room, *leaf.shape[1:]), leaf.dtype), _record(states)
    )
    return jax.lax.fori_loop(0, records, slot, (states, empty))


def _record(states: ReplicaState) -> Record:
    return Record(states.weights, states.diverged_at)


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
    numbers = sum(leaf.size for leaf in jax.tree.leaves(states.weights))
    room = min(max(_RECORDED_AT_ONCE // numbers, 1), _MOST_RECORDS)
    advance = partial(_ADVANCE, device, model, rule)
    for stretch in _stretches(burn_in, at_once) if burn_in else []:
        if _repeated(states, 1) is None:
            # arrays, not Python numbers, which would be compiled in: one program for each stretch
            states, _ = advance(states, jnp.int32(stretch), jnp.int32(1), room)
            # JAX returns before the work is done: progress, and Ctrl-C, wait for it here
            states.update.block_until_ready()
        yield stretch, None
    yield 0, _repeat(_record(states), 1)
    most = min(max(at_once // every, 1), room)
    # records that are far apart are reached in several calls, of which the last one records
    stretches = [every] if every <= at_once else _stretches(every, at_once)
    for begin in range(0, records, most):
        together = min(most, records - begin)
        for number, stretch in enumerate(stretches, 1):
            record = _repeated(states, together)
            if record is None:
                states, record = advance(states, jnp.int32(stretch), jnp.int32(together), room)
            is_due = number == len(stretches)
            yield stretch * together, _first(record, together) if is_due else None


def _repeated(states: ReplicaState, records: int) -> Record | None:
    """So many records, on axis 1, of a block that has diverged; None of one that still changes.

    A replica that fails is frozen for good: where all have failed there is nothing left to do.
    """
    if (np.asarray(states.diverged_at) < 0).any():
        return None
    return _repeat(_record(states), records)


def _repeat(record: Record, records: int) -> Record:
    """So many times, on an axis of its own."""
    return jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[:, None], records, axis=1), record)


def _first(record: Record, records: int) -> Record:
    """So many records, in NumPy, of the room that there is."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:, :records], record)


def _stretches(updates: int, at_once: int) -> list[int]:
    """`updates` in equal parts, but for rounding, of `at_once` at the most."""
    parts = -(-updates // at_once)
    ends = np.linspace(0, updates, parts + 1).astype(int)
    return [int(stretch) for stretch in np.diff(ends)]
