"""What every model is: pure functions of one replica; the engine adds the replica axis."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray, PyTree

from .._checks import positive, whole
from .._tabular import Table
from ..errors import InvalidInputError, require
from ..optimizers import Optimizer
from ._prediction import Prediction

Weights: TypeAlias = Any  # a pytree of arrays
Memory: TypeAlias = Any  # a tree of arrays too


_FIRST = 4  # of a list that are shown


class Model(eqx.Module):
    """A model that learns by stochastic gradient descent.

    `memory` is whatever a source of mini-batches remembers from one update to the next: the
    persistent chains of a Boltzmann machine, or nothing.

    Examples:
        >>> from sgdyson import GaussianRBM
        >>> rbm = GaussianRBM([[1.0, 0.0], [0.0, 3.0]], rbm_mass=2.0, n_hidden=5)
        >>> rbm.weight_shapes().shape
        (5, 2)
    """

    @property
    def beta(self) -> int:
        """Dyson index of the weights: 1 where they are real, 2 complex, 4 quaternion.

        Read off their type; a model whose complex numbers make quaternions says so itself.
        """
        leaves = jax.tree.leaves(self.weight_shapes())
        return 2 if all(np.issubdtype(leaf.dtype, np.complexfloating) for leaf in leaves) else 1

    @abstractmethod
    def init(self, key: PRNGKeyArray) -> Weights:
        """The weights before the first update."""

    def weight_shapes(self) -> PyTree[jax.ShapeDtypeStruct]:
        """Shapes and types of the weights of one replica; nothing is computed."""
        with jax.enable_x64(True):
            return jax.eval_shape(lambda: self.init(jax.random.key(0, impl="threefry2x32")))

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

    def observables(self) -> dict[str, Callable[[PyTree[np.ndarray]], np.ndarray]]:
        """What `simulate(record=...)` may keep beside the levels, by name; none by default.

        Functions from NumPy weights with any leading axes to arrays with these in front.
        """
        return {}

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

    def __repr__(self) -> str:
        """The settings, long lists cut short; in a traced function they have no values."""
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(self)):
            return super().__repr__()
        settings = ", ".join(f"{key}={value}" for key, value in self._short_settings().items())
        return f"{type(self).__name__}({settings})"

    def _repr_html_(self) -> str:
        settings = self._short_settings()
        columns = {"setting": list(settings), "value": list(settings.values())}
        return Table(type(self).__name__, columns, {"setting": "setting", "value": "value"}).html()

    def _short_settings(self) -> dict[str, str]:
        settings = {key: value for key, value in self.settings().items() if key != "model"}
        return {key: _short(value) for key, value in settings.items()}

    @staticmethod
    def from_loss(
        loss: Callable[[Weights, Any], Any],
        init: Callable[[PRNGKeyArray], Weights],
        batches: Any,
        *,
        matrices: Callable[[Weights], dict[str, Any]] | None = None,
    ) -> Model:
        r"""A model of your own: a loss and a tree of weights, nothing else.

        Args:
            loss: from the weights of one replica and a mini-batch to a number, the mean loss.
            init: from a JAX key to the weights before the first update, any pytree of arrays, real
                or complex. Of complex ones the loss descends along $-2\,\partial L/\partial W^*$:
                JAX's gradient is its conjugate, which is taken back here.
            batches: a tree of arrays with one first axis, from whose rows mini-batches are drawn
                with replacement; or a function from a key and |B| to a mini-batch.
            matrices: from the weights to the matrices followed, by name, on any leading axes; by
                default every leaf with two axes. Levels are their singular values.

        Raises:
            InvalidInputError: arrays of different lengths, weights without a matrix.
        """
        # late: a LossModel is itself a Model, and a door on the class is what people look for
        from .loss_model import LossModel

        return LossModel(loss, init, batches, matrices)


def _short(value: Any) -> str:
    """A setting for a line: numbers to four digits, the first few of many."""
    if isinstance(value, list | tuple):
        first = [_short(item) for item in value[:_FIRST]]
        return f"[{', '.join(first)}{', …' if len(value) > _FIRST else ''}]"
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


def check_rates(learning_rate: Any, batch_size: Any) -> tuple[float, float]:
    """The learning rate, and the batch size: a whole number, or infinity.

    Raises:
        InvalidInputError: a learning rate that is not positive, a batch that is not whole.
    """
    require(
        not callable(learning_rate),
        "learning_rate is a function; give a number here, and the schedule to the optimizer, as in"
        " optimizer=optax.sgd(schedule).",
    )
    rate = positive("learning_rate", learning_rate, "try 0.1")
    if isinstance(batch_size, float | np.floating):
        if batch_size == np.inf:
            return rate, np.inf
        batch_size = int(batch_size) if float(batch_size).is_integer() else batch_size
    try:
        return rate, whole("batch_size", batch_size)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"{str(error)[:-1]}, or math.inf for the exact gradient; try 16."
        ) from error
