"""What all networks share: gradients by automatic differentiation, levels as singular values."""

from abc import abstractmethod
from typing import Any, Literal, Never, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ..errors import NoPredictionError, require
from ..spectra import levels_of_gram, numeric_matrices
from .model import Memory, Model, Weights

Precision: TypeAlias = Literal["float32", "float64"]


class Network(Model):
    """A model that is given by a loss and by mini-batches that are drawn afresh.

    Levels are the singular values of the matrices followed, descending, one matrix after another.
    """

    @abstractmethod
    def loss(self, weights: Weights, batch: Any) -> Float[Array, ""]:
        """Mean loss of a mini-batch under the weights of one replica."""

    @abstractmethod
    def batch(self, key: PRNGKeyArray, batch_size: float) -> Any:
        """A mini-batch, independent of all others."""

    @abstractmethod
    def matrices(self, weights: PyTree[Any]) -> dict[str, Any]:
        """The matrices followed, by name, of weights with any leading axes."""

    def start(self, key: PRNGKeyArray, batch_size: float) -> Memory:
        """Memory of a new replica: a network remembers nothing."""
        return ()

    def gradient(
        self, key: PRNGKeyArray, weights: Weights, memory: Memory, batch_size: float
    ) -> tuple[Weights, Memory]:
        r"""Gradient of the mean loss of a fresh mini-batch, to be descended.

        JAX gives $\partial L/\partial x - i\, \partial L/\partial y$ of a complex weight x + i y.
        """
        gradient = jax.grad(self.loss)(weights, self.batch(key, batch_size))
        return jax.tree.map(jnp.conj, gradient), memory

    def levels(self, weights: PyTree[np.ndarray]) -> Float[np.ndarray, "*batch level"]:
        """Singular values of every matrix followed, in float64."""
        return np.concatenate(
            [_singular_values(np.asarray(m)) for m in self.matrices(weights).values()], axis=-1
        )

    def matrix_names(self) -> tuple[str, ...]:
        """A matrix of M x N has min(M, N) levels."""
        with jax.enable_x64(True):
            # as a list: JAX would sort the names of a dictionary
            matrices = eqx.filter_eval_shape(
                lambda: list(self.matrices(self.init(jax.random.key(0))).items())
            )
        return tuple(name for name, m in matrices for _ in range(min(m.shape[-2:])))


def unpredicted(model: Model) -> Never:
    """Refuse a prediction."""
    raise NoPredictionError(
        f"{type(model).__name__} has no closed-form prediction; measure its levels instead, with"
        " `sgdyson.analysis` or `sgdyson analyze`."
    )


def check_precision(precision: str) -> None:
    """Refuse another precision of weights than JAX has."""
    require(
        precision in ("float32", "float64"),
        f'precision = {precision!r} must be "float32" or "float64".',
    )


def two_dimensional(model: Model, weights: PyTree[Any]) -> dict[str, Any]:
    """The leaves of the weights that are matrices in one replica, by their path."""
    shapes = jax.tree.leaves(model.weight_shapes())
    leaves = jax.tree_util.tree_leaves_with_path(weights)
    return {
        jax.tree_util.keystr(path, simple=True, separator=".") or "weights": leaf
        for (path, leaf), shape in zip(leaves, shapes, strict=True)
        if len(shape.shape) == 2
    }


def normal_matrices(
    key: PRNGKeyArray, shapes: dict[str, tuple[int, int]], precision: str, transposed: Any = ()
) -> dict[str, Array]:
    """Independent entries N(0, 1/fan in), the first axis, or the second of those `transposed`.

    All from one draw: the random generator compiles slowly.
    """
    entries = jax.random.normal(key, (sum(n * m for n, m in shapes.values()),), precision)
    ends = np.cumsum([n * m for n, m in shapes.values()])[:-1]
    return {
        name: float(m if name in transposed else n) ** -0.5 * entry.reshape(n, m)
        for (name, (n, m)), entry in zip(shapes.items(), jnp.split(entries, ends), strict=True)
    }


def rows(key: PRNGKeyArray, count: int, available: int) -> Array:
    """Indices of rows, uniform with replacement, by a multiplication: no division, no rejection."""
    # the high word of bits times rows; relative chances differ by rows/2^32 at most
    bits = jax.random.bits(key, (count,), jnp.uint32).astype(jnp.uint64)
    return ((bits * np.uint64(available)) >> np.uint64(32)).astype(jnp.int32)


def whole_batch(batch_size: float) -> int:
    """|B| as a whole number; fresh data have no exact gradient."""
    require(
        batch_size != np.inf,
        "batch_size = inf: data that are drawn afresh have no exact gradient here; give a number.",
    )
    return int(batch_size)


def _singular_values(matrix: np.ndarray) -> np.ndarray:
    w = numeric_matrices("weights", matrix)
    tall = w if w.shape[-1] <= w.shape[-2] else w.mT
    # a diverging replica's squares may overflow where its entries do not
    scale = np.abs(tall).max(axis=(-2, -1), keepdims=True)
    scale[scale == 0] = 1.0
    return np.asarray(scale[..., 0] * np.sqrt(levels_of_gram(tall / scale)))
