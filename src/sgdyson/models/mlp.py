"""A multilayer perceptron on real data, made for ensembles of hundreds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from .._checks import positive, whole_numbers
from .._types import ArrayLike
from ..errors import require
from ..optimizers import Optimizer
from ._arrays import check_pairs, fingerprint, scikit_learn
from ._dense import dense
from ._prediction import Prediction
from .model import Weights
from .network import Network, Precision, check_precision, normal_matrices, rows, unpredicted

Activation: TypeAlias = Literal["tanh", "relu", "identity"]
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh, "relu": jax.nn.relu, "identity": lambda x: x,
}  # fmt: skip


class MLP(Network):
    r"""Layers $x \to \phi(x W_k + b_k)$, the last without $\phi$, on the data given.

    Whole targets are classes, learnt with the mean cross entropy; real ones are learnt with half
    the squared error, summed over outputs. Mini-batches are rows drawn with replacement;
    |B| = infinity is all of them. Entries of $W_k$ start as N(0, w^2/fan in), biases at zero.
    Levels: singular values of "layer1", "layer2", ...

    Args:
        inputs: shape (row, feature).
        targets: classes 0, 1, ..., shape (row,); or real numbers, shape (row,) or (row, output).
        hidden: sizes of the hidden layers, any number of them.
        activation: phi.
        initial_width: w.
        precision: of weights and data.

    Raises:
        InvalidInputError: data without a target a row, not finite, or a size below 1.
    """

    inputs: np.ndarray
    targets: np.ndarray
    sizes: tuple[int, ...] = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)
    initial_width: float = eqx.field(static=True)
    precision: Precision = eqx.field(static=True)

    def __init__(
        self,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        hidden: tuple[int, ...] = (32,),
        activation: Activation = "tanh",
        initial_width: float = 1.0,
        precision: Precision = "float32",
    ) -> None:
        x, y = np.asarray(inputs), np.asarray(targets)
        check_pairs(x, y)
        widths = whole_numbers("hidden", hidden)
        require(
            activation in ACTIVATIONS,
            f"activation = {activation!r} must be one of {', '.join(ACTIVATIONS)}.",
        )
        self.initial_width = positive("initial_width", initial_width)
        check_precision(precision)
        self.inputs = x.astype(precision)
        if y.dtype.kind == "f":
            self.targets = y.astype(precision).reshape(len(y), -1)
            outputs = self.targets.shape[1]
        else:
            # at least two: of one class the cross entropy is zero whatever the weights
            self.targets, outputs = y.astype(np.int32), max(int(y.max()) + 1, 2)
        self.sizes = (x.shape[1], *widths, outputs)
        self.activation, self.precision = activation, precision

    @classmethod
    def digits(cls, **how: Any) -> Self:
        """Handwritten digits: 1797 images of 8 x 8 pixels from 0 to 1, ten classes.

        Args:
            how: `hidden` and whatever else follows the data.

        Raises:
            InvalidInputError: scikit-learn, which the data come with, is missing.
        """
        inputs, targets = scikit_learn("digits")
        return cls(inputs / 16.0, targets, **how)

    @classmethod
    def breast_cancer(cls, **how: Any) -> Self:
        """Tumours: 569 rows of 30 features, each of mean 0 and variance 1, two classes.

        Args:
            how: `hidden` and whatever else follows the data.

        Raises:
            InvalidInputError: scikit-learn, which the data come with, is missing.
        """
        inputs, targets = scikit_learn("breast_cancer")
        return cls((inputs - inputs.mean(axis=0)) / inputs.std(axis=0), targets, **how)

    @property
    def is_classifier(self) -> bool:
        """Whether targets are classes."""
        return self.targets.dtype.kind == "i"

    def init(self, key: PRNGKeyArray) -> Weights:
        """Independent normal entries, and biases of zero."""
        pairs = enumerate(zip(self.sizes, self.sizes[1:], strict=False), 1)
        shapes = {f"layer{number}": shape for number, shape in pairs}
        matrices = normal_matrices(key, shapes, self.precision)
        biases = {
            f"bias{number}": jnp.zeros(size, self.precision)
            for number, size in enumerate(self.sizes[1:], 1)
        }
        return {name: self.initial_width * m for name, m in matrices.items()} | biases

    def outputs(self, weights: Weights, inputs: Float[Array, "row n"]) -> Float[Array, "row m"]:
        """What the network answers: logits of the classes, or numbers.

        Args:
            weights: of one replica.
            inputs: shape (row, feature).
        """
        phi, last = ACTIVATIONS[self.activation], len(self.sizes) - 1
        x = inputs
        for number in range(1, last + 1):
            x = dense(x, weights[f"layer{number}"], weights[f"bias{number}"])
            x = phi(x) if number < last else x
        return x

    def loss(self, weights: Weights, batch: Any) -> Float[Array, ""]:
        """Mean cross entropy, or mean of half the squared error."""
        inputs, targets = batch
        answers = self.outputs(weights, inputs)
        if not self.is_classifier:
            return 0.5 * jnp.mean(jnp.sum((answers - targets) ** 2, axis=1))
        # a mask instead of an index: its gradient is no scatter
        right = targets[:, None] == jnp.arange(answers.shape[1], dtype=targets.dtype)
        chosen = jnp.where(right, answers, 0.0).sum(axis=1)
        return jnp.mean(jax.nn.logsumexp(answers, axis=1) - chosen)

    def batch(self, key: PRNGKeyArray, batch_size: float) -> Any:
        """Inputs and targets of rows drawn with replacement, or all of them if |B| is infinite."""
        inputs, targets = jnp.asarray(self.inputs), jnp.asarray(self.targets)
        if batch_size == np.inf:
            return inputs, targets
        chosen = rows(key, int(batch_size), len(self.inputs))
        return inputs[chosen], targets[chosen]

    def matrices(self, weights: PyTree[Any]) -> dict[str, Any]:
        """The weight matrix of every layer, `layer1` first."""
        names = [f"layer{number}" for number in range(1, len(self.sizes))]
        return {name: weights[name] for name in names}

    def predict(
        self, learning_rate: float, batch_size: float, optimizer: Optimizer | None = None
    ) -> Prediction:
        """Refused: no closed form is known."""
        return unpredicted(self)

    def settings(self) -> dict[str, Any]:
        """Sizes, form, and the data by a hash."""
        return {
            "model": "mlp",
            "sizes": list(self.sizes),
            "activation": self.activation,
            "initial_width": self.initial_width,
            "precision": self.precision,
            "loss": "cross entropy" if self.is_classifier else "squared error",
            "rows": len(self.inputs),
            "data": fingerprint(self.inputs, self.targets),
        }
