"""A user's own model, from a loss function and a tree of weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ..errors import require
from ..optimizers import Optimizer
from ._prediction import Prediction
from .model import Weights
from .network import Network, rows, two_dimensional, unpredicted


class LossModel(Network):
    """A network that is known by its loss alone; made by `Model.from_loss`."""

    _loss: Callable[[Weights, Any], Any] = eqx.field(static=True)
    _init: Callable[[PRNGKeyArray], Weights] = eqx.field(static=True)
    _matrices: Callable[[Weights], dict[str, Any]] | None = eqx.field(static=True)
    _draw: Callable[[PRNGKeyArray, float], Any] | None = eqx.field(static=True)
    data: PyTree[np.ndarray]

    def __init__(
        self,
        loss: Callable[[Weights, Any], Any],
        init: Callable[[PRNGKeyArray], Weights],
        batches: Any,
        matrices: Callable[[Weights], dict[str, Any]] | None = None,
    ) -> None:
        self._loss, self._init, self._matrices = loss, init, matrices
        self._draw = batches if callable(batches) else None
        self.data = None if callable(batches) else jax.tree.map(np.asarray, batches)
        lengths = {len(leaf) if leaf.ndim else 0 for leaf in jax.tree.leaves(self.data)}
        require(
            self._draw is not None or (len(lengths) == 1 and lengths != {0}),
            f"batches must be arrays of one length, not of the lengths {sorted(lengths)}; or a"
            " function from a key and a batch size to a mini-batch.",
        )
        types = {str(leaf.dtype) for leaf in jax.tree.leaves(self.weight_shapes())}
        require(
            all("float" in name or "complex" in name for name in types),
            f"the weights are of type {', '.join(sorted(types))}; give floating-point numbers, real"
            " or complex.",
        )
        require(
            bool(self.matrix_names()),
            "the weights hold no matrix; say with `matrices` what is to be followed.",
        )

    @property
    def beta(self) -> int:
        """2 where all matrices followed are complex, otherwise 1."""
        with jax.enable_x64(True):
            matrices = jax.eval_shape(lambda: self.matrices(self._init(jax.random.key(0))))
        every = [np.issubdtype(leaf.dtype, np.complexfloating) for leaf in matrices.values()]
        return 2 if all(every) else 1

    def init(self, key: PRNGKeyArray) -> Weights:
        """The weights before the first update."""
        return self._init(key)

    def loss(self, weights: Weights, batch: Any) -> Float[Array, ""]:
        """The mean loss of a mini-batch, by the user's function."""
        return self._loss(weights, batch)

    def batch(self, key: PRNGKeyArray, batch_size: float) -> Any:
        """Drawn by the user's function, or rows of the data; all of them if |B| is infinite."""
        if self._draw is not None:
            return self._draw(key, batch_size)
        if batch_size == np.inf:
            return self.data
        length = len(jax.tree.leaves(self.data)[0])
        chosen = rows(key, int(batch_size), length)
        return jax.tree.map(lambda leaf: jax.numpy.asarray(leaf)[chosen], self.data)

    def matrices(self, weights: PyTree[Any]) -> dict[str, Any]:
        """The user's, or every leaf with two axes."""
        return self._matrices(weights) if self._matrices else two_dimensional(self, weights)

    def predict(
        self, learning_rate: float, batch_size: float, optimizer: Optimizer | None = None
    ) -> Prediction:
        """Refuse: no theory knows a loss that may be anything."""
        return unpredicted(self)

    def settings(self) -> dict[str, Any]:
        """The names of the user's functions, as plain values."""
        names = {"loss": self._loss, "init": self._init, "batches": self._draw}
        return {
            "model": "from_loss",
            **{
                key: getattr(function, "__qualname__", repr(function))
                for key, function in names.items()
            },
        }
