"""A deep linear network: several weight matrices that share their noise, a many-species gas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .._checks import at_least_zero, whole_numbers
from .._normals import normals
from .._types import ArrayLike
from ..errors import require
from ..optimizers import Optimizer
from ._bartlett import wishart_factor
from ._linear_network_prediction import predict_linear_network
from ._prediction import Prediction
from .model import check_rates
from .network import Network, whole_batch

_ESCAPED = 1e6  # times the teacher's scale: no network comes back from there
Weights = dict[str, Array]  # "w1" (applied first), "w2", ...
Batch = tuple[Float[Array, "n m"], Float[Array, "out m"]]


class LinearNetwork(Network):
    r"""$y = W_D \cdots W_1 x$ learns $T x + \epsilon\,\xi$, with x and $\xi$ from N(0, 1).

    The loss is half the squared error. Levels are the singular values of the product (first), of
    W_1, W_2 and so on. A mini-batch enters through $C = X X^T/|B|$ and $\Xi X^T/|B|$ alone, which
    are drawn directly: the cost does not depend on |B|.

    Args:
        teacher: eigenvalues, shape (N,), of a diagonal T; or T itself, shape (out, N).
        hidden: widths of the hidden layers, one or more.
        label_noise: epsilon, of the labels.
        initial_width: standard deviation of the entries of every W before the first update,
            times the square root of its columns.
        initial_weights: W_1, W_2, ... themselves before the first update, instead.

    Raises:
        InvalidInputError: a value that breaks one of these rules.

    Examples:
        >>> network = LinearNetwork([2.0, 1.0], hidden=(3,))
        >>> network.matrix_names()
        ('product', 'product', 'w1', 'w1', 'w2', 'w2')
    """

    teacher: np.ndarray
    label_noise: np.ndarray
    initial_width: np.ndarray
    initial_weights: tuple[np.ndarray, ...] | None
    hidden: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self,
        teacher: ArrayLike = (2.0, 2.0),
        *,
        hidden: tuple[int, ...] = (2,),
        label_noise: float = 0.1,
        initial_width: float = 1.0,
        initial_weights: Sequence[ArrayLike] | None = None,
    ) -> None:
        matrix = np.asarray(teacher, dtype=float)
        self.teacher = np.diag(matrix) if matrix.ndim == 1 else matrix
        self.hidden = whole_numbers("hidden", hidden)
        self.label_noise = np.asarray(at_least_zero("label_noise", label_noise))
        self.initial_width = np.asarray(at_least_zero("initial_width", initial_width))
        self.initial_weights = None
        if initial_weights is not None:
            self.initial_weights = tuple(np.asarray(w, dtype=float) for w in initial_weights)
        require(
            self.teacher.ndim == 2 and self.teacher.size > 0 and np.isfinite(matrix).all(),
            f"teacher = {teacher!r} must be finite numbers of shape (N,) or (out, N).",
        )
        require(
            len(self.hidden) >= 1,
            f"hidden = {hidden!r} must be one whole number or more, each at least 1.",
        )
        given = tuple(w.shape for w in self.initial_weights or ())
        require(
            self.initial_weights is None or given == self._shapes,
            f"initial_weights of shapes {given} must have the shapes {self._shapes}.",
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of every layer, inputs first."""
        return (self.teacher.shape[1], *self.hidden, self.teacher.shape[0])

    @property
    def _shapes(self) -> tuple[tuple[int, int], ...]:
        return tuple(zip(self.widths[1:], self.widths[:-1], strict=True))

    def init(self, key: PRNGKeyArray) -> Weights:
        """Entries N(0, initial_width^2/columns)."""
        keys = jax.random.split(key, len(self._shapes))
        drawn = self.initial_weights or [
            self.initial_width / shape[1] ** 0.5 * normals(k, shape)
            for k, shape in zip(keys, self._shapes, strict=True)
        ]
        return {f"w{number}": jnp.asarray(w) for number, w in enumerate(drawn, 1)}

    def batch(self, key: PRNGKeyArray, batch_size: float) -> Batch:
        r"""Factors F and Z of $C = F F^T$ and $\Xi X^T/|B| = Z F^T$, both over $\sqrt{|B|}$.

        Given the inputs, the rows of $\Xi X^T$ are normal with covariance $X X^T$: with Bartlett's
        $X X^T = F F^T$ they have the law of the rows of $Z F^T$.
        """
        if batch_size == np.inf:
            n, out = self.widths[0], self.widths[-1]
            return jnp.eye(n), jnp.zeros((out, n))
        count = whole_batch(batch_size)
        input_key, noise_key = jax.random.split(key)
        factor = wishart_factor(input_key, self.widths[0], count)
        labels = normals(noise_key, (self.widths[-1], factor.shape[1]))
        return factor / count**0.5, labels / count**0.5

    def loss(self, weights: Weights, batch: Batch) -> Float[Array, ""]:
        """Half the squared error, up to a constant of the labels; NaN once it has escaped."""
        factor, labels = batch
        off = _product(weights) - self.teacher
        escaped = jnp.sum(off**2) > (_ESCAPED * (1 + jnp.abs(self.teacher).max())) ** 2
        error = off @ factor - self.label_noise * labels
        # a factor: NaN chosen in place of the loss would have the gradient zero, and no flag
        return 0.5 * jnp.sum(error**2) * jnp.where(escaped, jnp.nan, 1.0)

    def matrices(self, weights: dict[str, Any]) -> dict[str, Any]:
        """The product, and each W."""
        return {"product": _product(weights), **weights}

    def predict(
        self,
        learning_rate: float,
        batch_size: float,
        optimizer: Optimizer | None = None,
        *,
        order: int = 1,
    ) -> Prediction:
        """Prediction of the product, whose levels come first; see `predict_matrices`."""
        predictions = self.predict_matrices(learning_rate, batch_size, optimizer)
        return predictions["product"].at_order(order)

    def predict_matrices(
        self, learning_rate: float, batch_size: float, optimizer: Optimizer | None = None
    ) -> dict[str, Prediction]:
        """The stationary state of the product and of every W, by name.

        Needs weight decay, which balances the layers: without it the weights have directions in
        which the loss is flat, and no stationary state.

        Raises:
            NoPredictionError: no weight decay, a teacher that is not square and diagonal, too few
                hidden units, an optimiser that is not linear.
        """
        check_rates(learning_rate, batch_size)
        return predict_linear_network(
            self.teacher, self.hidden, float(self.label_noise), learning_rate, batch_size, optimizer
        )

    def settings(self) -> dict[str, Any]:
        """Plain values for the attributes of a result."""
        return {
            "model": "linear_network",
            "teacher": self.teacher.tolist(),
            "hidden": list(self.hidden),
            "label_noise": float(self.label_noise),
            "initial_width": float(self.initial_width),
        }


def _product(weights: dict[str, Any]) -> Any:
    matrix = weights["w1"]
    for number in range(2, len(weights) + 1):
        matrix = weights[f"w{number}"] @ matrix
    return matrix
