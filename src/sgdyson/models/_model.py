"""What every model is: pure functions of one replica; the engine adds the replica axis."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

import equinox as eqx
import numpy as np
from jaxtyping import Float, PRNGKeyArray, PyTree

from ..errors import require
from ..optimizers import Optimizer
from ._prediction import Prediction

Weights: TypeAlias = Any  # a pytree of arrays
Memory: TypeAlias = Any  # likewise


class Model(eqx.Module):
    """A model that learns by stochastic gradient descent.

    `memory` is whatever a source of mini-batches remembers from one update to the next: the
    persistent chains of a Boltzmann machine, or nothing.
    """

    @abstractmethod
    def init(self, key: PRNGKeyArray) -> Weights:
        """The weights before the first update."""

    @abstractmethod
    def start(self, key: PRNGKeyArray, batch_size: float) -> Memory:
        """The memory before the first update."""

    @abstractmethod
    def gradient(
        self, key: PRNGKeyArray, weights: Weights, memory: Memory, batch_size: float
    ) -> tuple[Weights, Memory]:
        """The mini-batch gradient of the loss, to be descended, and the next memory.

        Weights that have left the region where the model makes sense are answered with NaN: the
        engine then freezes the replica and flags it.

        Args:
            key: of this update of this replica.
            weights: of one replica.
            memory: of one replica.
            batch_size: |B|, an integer, or infinity for the exact gradient.
        """

    @abstractmethod
    def levels(self, weights: PyTree[np.ndarray]) -> Float[np.ndarray, "*batch level"]:
        """The levels followed, in descending order, of NumPy weights with any leading axes."""

    @abstractmethod
    def matrix_names(self) -> tuple[str, ...]:
        """For each level the name of the weight matrix it belongs to."""

    @abstractmethod
    def predict(
        self, learning_rate: float, batch_size: float, optimizer: Optimizer | None = None
    ) -> Prediction:
        """The stationary state that Dyson Brownian motion predicts; plain SGD by default.

        Raises:
            NoPredictionError: a model, or an optimiser of it, without a closed form.
        """

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What defines the model, as plain values for the attributes of a result."""

    @staticmethod
    def from_loss(
        loss: Callable[[Weights, Any], Any],
        init: Callable[[PRNGKeyArray], Weights],
        batches: Any,
        *,
        matrices: Callable[[Weights], dict[str, Any]] | None = None,
    ) -> "Model":
        """A model of your own: a loss and a tree of weights, nothing else.

        Args:
            loss: from the weights of one replica and a mini-batch to a number, the mean loss.
            init: from a JAX key to the weights before the first update, any pytree of arrays.
            batches: a tree of arrays with one first axis, from whose rows mini-batches are drawn
                with replacement; or a function from a key and |B| to a mini-batch.
            matrices: from the weights to the matrices followed, by name, on any leading axes; by
                default every leaf with two axes. Levels are their singular values.

        Raises:
            InvalidInputError: arrays of different lengths, weights without a matrix.
        """
        from .loss_model import LossModel

        return LossModel(loss, init, batches, matrices)


def levels_of_gram(weights: Float[np.ndarray, "*batch hidden visible"]) -> np.ndarray:
    """Eigenvalues of W^T W, shape (*batch, visible), in descending order.

    From the smaller of the two Gram matrices: NumPy's batched solver, since two threads that run
    JAX's at the same time on a CPU wait for each other for ever (jaxlib 0.10).
    """
    hidden, visible = weights.shape[-2:]
    gram = weights.mT @ weights if visible <= hidden else weights @ weights.mT
    levels = np.maximum(np.linalg.eigvalsh(gram)[..., ::-1], 0.0)
    padding = [(0, 0)] * (levels.ndim - 1) + [(0, visible - levels.shape[-1])]
    return np.pad(levels, padding)


def check_rates(learning_rate: float, batch_size: float) -> None:
    """Refuse a learning rate that is not positive and a batch that is not a whole number."""
    require(
        bool(np.isfinite(learning_rate)) and learning_rate > 0,
        f"learning_rate = {learning_rate!r} must be a positive number; try 0.1.",
    )
    whole = batch_size == np.inf or (batch_size >= 1 and float(batch_size).is_integer())
    require(
        bool(whole),
        f"batch_size = {batch_size!r} must be a whole number of at least 1, or math.inf for the"
        " exact gradient; try 16.",
    )
