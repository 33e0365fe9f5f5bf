"""What `simulate` was asked for, checked before anything is compiled."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
import optax

from .._capacity import require_memory
from .._checks import first_line, seed_of, shown, truth, whole
from ..errors import InvalidInputError, require
from ..models import Model
from ..models.model import check_rates
from ._replica import OptimizerFactory

Optimizer: TypeAlias = Any  # an optax.GradientTransformation or an OptimizerFactory


class Request(NamedTuple):
    """The arguments of `simulate`, as plain values."""

    learning_rate: float
    batch_size: float
    replicas: range
    updates: int
    record_every: int
    record_from: int
    seed: int
    record_weights: bool
    workers: int | None

    @property
    def records(self) -> int:
        """Records after the first one."""
        return self.updates // self.record_every


def checked(
    model: Model,
    learning_rate: Any,
    batch_size: Any,
    replicas: Any,
    updates: Any,
    record_every: Any,
    record_from: Any,
    seed: Any,
    record_weights: Any,
    workers: Any,
) -> Request:
    """All arguments but the optimiser.

    Raises:
        InvalidInputError: one of them breaks a rule, or the result would not fit into memory.
    """
    require(
        isinstance(model, Model),
        f"model = {shown(model)} is no model; give one of sgdyson.models, or a loss of your own to"
        " Model.from_loss.",
    )
    rate, batch = check_rates(learning_rate, batch_size)
    request = Request(
        rate,
        batch,
        _chosen(replicas),
        whole("updates", updates),
        whole("record_every", record_every),
        whole("record_from", record_from, least=0),
        seed_of("seed", seed),
        truth("record_weights", record_weights),
        None if workers is None else whole("workers", workers, most=4096),
    )
    require(
        request.record_every <= request.updates,
        f"record_every = {request.record_every} is more than updates = {request.updates}: nothing"
        " would be recorded; lower record_every or raise updates.",
    )
    _require_memory(model, request)
    return request


def factory(optimizer: Optimizer | None, learning_rate: float) -> OptimizerFactory:
    """A function from the learning rate to an Optax transformation, tried on this one.

    Raises:
        InvalidInputError: neither a transformation nor a function that makes one.
    """
    if optimizer is None:
        return _sgd
    # has init and update, and yet is no GradientTransformation to isinstance
    if isinstance(optimizer, optax.MultiSteps):
        optimizer = optimizer.gradient_transformation()
    if isinstance(optimizer, optax.GradientTransformation):
        return _Fixed(optimizer)
    require(
        callable(optimizer),
        f"optimizer = {shown(optimizer)} must be an Optax transformation, or a function from the"
        " learning rate to one, such as optax.adam.",
    )
    _require_transformation(optimizer, learning_rate)
    return optimizer


def _chosen(replicas: Any) -> range:
    if not isinstance(replicas, range):
        try:
            # fold_in takes a number of 32 bits: below 2^31 the last block, rounded up, stays within
            return range(whole("replicas", replicas, most=2**31))
        except InvalidInputError as error:
            raise InvalidInputError(f"{str(error)[:-1]}, or a range.") from error
    require(
        replicas.step == 1 and 0 <= replicas.start < replicas.stop <= 2**31,
        f"replicas = {replicas!r} must be a range of step 1 that is not empty, from 0 upwards.",
    )
    return replicas


def _require_memory(model: Model, request: Request) -> None:
    """The result lies in memory as a whole; a block's states are small beside it, or one each."""
    numbers = sum(
        math.prod(leaf.shape) * (2 if np.issubdtype(leaf.dtype, np.complexfloating) else 1)
        for leaf in jax.tree.leaves(model.weight_shapes())
    )
    levels = len(model.matrix_names())
    each = levels + (numbers if request.record_weights else 0)
    chosen = request.replicas.stop - request.replicas.start
    require_memory(
        8.0 * (chosen * (request.records + 1) * each + 16 * numbers),
        f"{chosen} replicas with {request.records + 1} records of {each} numbers",
        "ask for fewer replicas or records, or write them chunk by chunk with a campaign",
    )


def _require_transformation(optimizer: Callable[[float], Any], learning_rate: float) -> None:
    try:
        made = optimizer(learning_rate)
    except Exception as error:  # of any kind: the function is the user's
        raise InvalidInputError(
            f"optimizer = {shown(optimizer)} makes nothing of a learning rate"
            f" ({first_line(error)}); give a function such as optax.adam."
        ) from error
    require(
        isinstance(made, optax.GradientTransformation),
        f"optimizer = {shown(optimizer)} makes {shown(made)} of a learning rate, and not an"
        " Optax transformation; give a function such as optax.adam.",
    )


def _sgd(learning_rate: float) -> optax.GradientTransformation:
    return optax.sgd(learning_rate)


@dataclass(frozen=True)
class _Fixed:
    """The same transformation whatever the learning rate.

    A value, as the optimisers of this package are: a second run with it compiles nothing.
    """

    optimizer: optax.GradientTransformation

    def __call__(self, learning_rate: float) -> optax.GradientTransformation:
        return self.optimizer

    def __repr__(self) -> str:
        return repr(self.optimizer)
