"""One replica: its state, one update of it, and the levels it leaves behind."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Int32, PRNGKeyArray, PyTree

from ..models import Model

OptimizerFactory = Callable[[Any], optax.GradientTransformation]


class ReplicaState(NamedTuple):
    """Everything a replica carries from one update to the next."""

    key: PRNGKeyArray  # of this replica's updates
    weights: PyTree[Array]
    memory: PyTree[Array]
    optimizer: PyTree[Array]
    update: Int32[Array, ""]
    diverged_at: Int32[Array, ""]  # the update that failed, -1 as long as none has


class Record(NamedTuple):
    """What is measured of a replica at one time."""

    weights: PyTree[Array]
    diverged_at: Int32[Array, ""]


class Rule(eqx.Module):
    """How a replica learns. All but the learning rate is fixed at compilation."""

    learning_rate: Array | np.float64
    optimizer: OptimizerFactory = eqx.field(static=True)
    batch_size: float = eqx.field(static=True)

    def transformation(self, weights: PyTree[Array]) -> optax.GradientTransformation:
        """The optimiser, at a learning rate of the weights' precision, real for complex ones."""
        # a float64 rate would promote float32 weights at their first update
        kind = np.finfo(jnp.result_type(*jax.tree.leaves(weights))).dtype
        return self.optimizer(self.learning_rate.astype(kind))


def first_state(model: Model, rule: Rule, root: PRNGKeyArray, replica: Array) -> ReplicaState:
    """Replica `replica` before its first update: it draws from fold_in(root, replica) alone."""
    init_key, memory_key, key = jax.random.split(jax.random.fold_in(root, replica), 3)
    weights = model.init(init_key)
    memory = model.start(memory_key, rule.batch_size)
    optimizer = rule.transformation(weights).init(weights)
    return ReplicaState(key, weights, memory, optimizer, jnp.int32(0), jnp.int32(-1))


def next_state(model: Model, rule: Rule, state: ReplicaState) -> ReplicaState:
    """One update; weights that would not be finite are left as they were, for good."""
    # a function of seed, replica and update alone: stretches of any length draw the same numbers
    key = jax.random.fold_in(state.key, state.update)
    gradient, memory = model.gradient(key, state.weights, state.memory, rule.batch_size)
    # made anew in every trace: Optax closes over the rate, which is an argument of the program
    step, optimizer = rule.transformation(state.weights).update(
        gradient, state.optimizer, state.weights
    )
    moved = optax.apply_updates(state.weights, step)
    fails = ~_all_finite(moved)
    diverged_at = jnp.where((state.diverged_at < 0) & fails, state.update, state.diverged_at)
    # chosen entry by entry: under vmap a branch would compute both sides as well. Memory and
    # optimiser may hold NaN from here on, and nothing that is kept reads them
    weights = jax.tree.map(
        lambda new, old: jnp.where(diverged_at < 0, new, old), moved, state.weights
    )
    return ReplicaState(state.key, weights, memory, optimizer, state.update + 1, diverged_at)


def _all_finite(tree: PyTree[Array]) -> Bool[Array, ""]:
    # a sum is finite only if its terms are, and needs no second pass over the entries
    return jnp.isfinite(sum(jnp.sum(leaf) for leaf in jax.tree.leaves(tree)))
