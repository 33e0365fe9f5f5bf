"""A student with two hidden layers that learns from a teacher of its own architecture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from .._checks import at_least_zero, whole
from .._normals import normals, normals_across
from ..errors import require
from ..optimizers import Optimizer
from ._prediction import Prediction
from .model import Memory, check_rates
from .network import Network, unpredicted, whole_batch
from .stability import mean_square_limit

Weights: TypeAlias = Float[Array, "k l"]
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
}
SLOPES: dict[str, Callable[[Any], Any]] = {  # from the value of the activation
    "identity": jnp.ones_like,
    "tanh": lambda value: 1.0 - value**2,
    "relu": lambda value: (value > 0).astype(value.dtype),
}
INPUTS = 3
_SMALL = 6  # a batch; larger ones fill a processor's vectors by themselves
_ESCAPED = 1e6  # times the teacher's scale: no student comes back from there


class TwoLayerTeacher(Network):
    r"""$f_W(x) = b^T \phi(W \phi(A x))$, 3 inputs, L and K hidden units: W learns, A and b do not.

    Loss $\frac{1}{2}\langle (f_W(x) - f_{W^*}(x) - \epsilon\,\eta)^2 \rangle$ over fresh inputs
    $x \sim N(0, 1)$ and label noise $\eta \sim N(0, 1)$. A, b and the teacher $W^*$, K x L, are
    drawn once from `teacher_seed` and scaled such that signals are of order one: rows of A and
    b have length 1, the entries of $W^*$ mean square 1/L. Levels are the singular values of W.

    Args:
        activation: phi, "identity", "tanh" or "relu".
        inner: L, units of the first hidden layer.
        outer: K, units of the second.
        initial_width: sigma_W, the entries of W before the first update being
            N(0, sigma_W^2/L); the teacher's is 1.
        label_noise: epsilon, the label noise.
        teacher_seed: of A, b and the teacher.

    Raises:
        InvalidInputError: a value that breaks one of these rules.

    Examples:
        >>> model = TwoLayerTeacher("identity", inner=8, outer=4)
        >>> model.teacher.shape
        (4, 8)
    """

    teacher: np.ndarray
    inner_weights: np.ndarray
    outer_weights: np.ndarray
    initial_width: np.ndarray  # an array, as the noise: another value compiles nothing
    label_noise: np.ndarray
    activation: str = eqx.field(static=True)
    noisy: bool = eqx.field(static=True)
    teacher_seed: int = eqx.field(static=True)

    def __init__(
        self,
        activation: str = "tanh",
        *,
        inner: int = 8,
        outer: int = 4,
        initial_width: float = 1.0,
        label_noise: float = 0.0,
        teacher_seed: int = 0,
    ) -> None:
        require(
            activation in ACTIVATIONS,
            f"activation = {activation!r} is unknown; choose one of {', '.join(ACTIVATIONS)}.",
        )
        inner, outer = whole("inner", inner), whole("outer", outer)
        self.teacher_seed = whole("teacher_seed", teacher_seed, least=0, most=2**128 - 1)
        generator = np.random.default_rng(self.teacher_seed)
        rows = generator.standard_normal((inner, INPUTS))
        output = generator.standard_normal(outer)
        teacher = generator.standard_normal((outer, inner))
        self.inner_weights = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self.outer_weights = output / np.linalg.norm(output)
        self.teacher = teacher / np.linalg.norm(teacher) * outer**0.5
        self.initial_width = np.asarray(at_least_zero("initial_width", initial_width))
        self.label_noise = np.asarray(at_least_zero("label_noise", label_noise))
        self.activation = activation
        self.noisy = bool(self.label_noise > 0)

    def init(self, key: PRNGKeyArray) -> Weights:
        """W_0, with entries N(0, initial_width^2/L)."""
        shape = self.teacher.shape
        return self.initial_width / shape[1] ** 0.5 * normals(key, shape)

    def batch(self, key: PRNGKeyArray, batch_size: float) -> tuple[Array, Array]:
        """Inputs (|B|, 3), and label noise (|B|,) if there is any."""
        numbers = normals(key, self.numbers(batch_size))
        return numbers[:INPUTS].T, jnp.asarray(self.label_noise) * numbers[INPUTS:].sum(axis=0)

    def numbers(self, batch_size: float) -> tuple[int, int]:
        """Shape of the normal numbers behind a mini-batch."""
        return INPUTS + self.noisy, whole_batch(batch_size)

    def loss(self, weights: Weights, batch: tuple[Array, Array]) -> Float[Array, ""]:
        """Half the mean squared error, label noise included."""
        inputs, noise = batch
        phi = ACTIVATIONS[self.activation]
        hidden = phi(inputs @ self.inner_weights.T)
        student, teacher = phi(hidden @ weights.T), phi(hidden @ self.teacher.T)
        return jnp.mean(((student - teacher) @ self.outer_weights - noise) ** 2) / 2

    def gradient(
        self, key: PRNGKeyArray, weights: Weights, memory: Memory, batch_size: float
    ) -> tuple[Weights, Memory]:
        """Gradient of the loss of a fresh mini-batch; NaN for a student that has escaped."""
        gradient = _laid_out(whole_batch(batch_size))(self, key, weights)
        escaped = jnp.sum(weights**2) > _ESCAPED**2 * self.teacher.size
        return jnp.where(escaped, jnp.nan, gradient), memory

    def gradient_across(
        self, numbers: Float[Array, "in batch replica"], weights: Float[Array, "k l replica"]
    ) -> Float[Array, "k l replica"]:
        """Gradients of many replicas at once, by hand, from the numbers behind their batches."""
        phi, size = ACTIVATIONS[self.activation], numbers.shape[1]
        hidden = phi(jnp.tensordot(self.inner_weights, numbers[:INPUTS], 1))
        teacher = phi(jnp.tensordot(self.teacher, hidden, 1))
        student = phi(sum(weights[:, i, None] * hidden[i] for i in range(len(hidden))))
        error = jnp.tensordot(self.outer_weights, student - teacher, 1)
        error = error - self.label_noise * numbers[INPUTS:].sum(axis=0)
        back = self.outer_weights[:, None, None] * SLOPES[self.activation](student) * error / size
        return sum(back[:, None, i] * hidden[:, i] for i in range(size))

    def matrices(self, weights: PyTree[Any]) -> dict[str, Any]:
        """The student's matrix W, by the name "weights"."""
        return {"weights": weights}

    def matrix_names(self) -> tuple[str, ...]:
        """All levels are those of the one weight matrix."""
        return ("weights",) * min(self.teacher.shape)

    def predict(
        self, learning_rate: float, batch_size: float, optimizer: Optimizer | None = None
    ) -> Prediction:
        """No closed form; the boundary of stability has one, see `stability_limit`."""
        return unpredicted(self)

    def rates(self) -> Float[np.ndarray, 3]:
        r"""Curvatures g of the loss of an identity network: eigenvalues of $|b|^2 A^T A$."""
        gram = self.inner_weights.T @ self.inner_weights
        return np.linalg.eigvalsh(gram)[::-1] * float(self.outer_weights @ self.outer_weights)

    def stability_limit(self, batch_size: float) -> float:
        r"""The learning rate up to which the mean square error of an identity network stays finite.

        The exact second moments of Gaussian inputs close; $\alpha_{max}$ is the root of
        $\sum_i \alpha g_i/[2 |B| - \alpha g_i (|B| + 1)] = 1$ below its first pole, g being
        `rates`; $2/g_1$ for an infinite batch. Derivation: docs, "Theory".

        Args:
            batch_size: |B|, a whole number, or infinity.

        Raises:
            InvalidInputError: another activation, whose limit has no closed form.
        """
        require(
            self.activation == "identity",
            f"activation = {self.activation!r} has no closed-form limit of stability; measure it"
            ' with `sgdyson study phase-diagram`, or take "identity".',
        )
        check_rates(1.0, batch_size)
        return mean_square_limit(self.rates(), batch_size)

    def settings(self) -> dict[str, Any]:
        """Plain values for the attributes of a result."""
        return {
            "model": "two_layer_teacher",
            "activation": self.activation,
            "inner": self.teacher.shape[1],
            "outer": self.teacher.shape[0],
            "initial_width": float(self.initial_width),
            "label_noise": float(self.label_noise),
            "teacher_seed": self.teacher_seed,
        }


@lru_cache
def _laid_out(batch_size: int) -> Callable[[TwoLayerTeacher, PRNGKeyArray, Weights], Weights]:
    """The gradient, which of many replicas with small batches runs along the replicas.

    A processor's vectors are then full: twice as fast as `jax.grad` under `jax.vmap`.
    """

    @jax.custom_batching.custom_vmap
    def one(model: TwoLayerTeacher, key: PRNGKeyArray, weights: Weights) -> Weights:
        return jax.grad(model.loss)(weights, model.batch(key, batch_size))

    @one.def_vmap
    def many(
        size: int,
        batched: Sequence[Any],
        model: TwoLayerTeacher,
        keys: PRNGKeyArray,
        weights: Weights,
    ) -> tuple[Weights, bool]:
        # by hand only one model on many keys and weights: anything else maps as usual
        if batch_size > _SMALL or any(jax.tree.leaves(batched[0])) or not all(batched[1:]):
            axes = jax.tree.map(lambda batched_here: 0 if batched_here else None, tuple(batched))
            return jax.vmap(one.fun, axes)(model, keys, weights), True
        numbers = normals_across(keys, model.numbers(batch_size))
        gradients = model.gradient_across(numbers, jnp.moveaxis(weights, 0, -1))
        return jnp.moveaxis(gradients, -1, 0), True

    return one
