"""A student that begins as noise and learns a teacher of low rank, as far as noise lets it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .._checks import at_least_zero, reals, whole
from .._normals import normals
from .._types import ArrayLike
from ..errors import NoPredictionError, require
from ..optimizers import Optimizer
from ..spectra import levels_of_gram
from ._bartlett import wishart_factor
from ._learning_moments import Inputs
from ._learning_path import LearningPath
from ._prediction import Prediction
from .model import Model

Weights = Float[Array, "m n"]
Memory = tuple[Array, ...]  # of fresh data nothing; of a data set what `start` says
_ESCAPED = 1e6  # times the teacher's scale: no student comes back from there


class LowRankTeacher(Model):
    r"""$W' = W - \frac{\alpha}{|B|}\sum_b [(W - T) x_b - \epsilon\,\eta_b]\,x_b^T$, T of low rank.

    Inputs x and label noise eta are normal, W_0 has entries N(0, initial_width^2). T is taken in
    the basis of its singular vectors: mode k reads one input, by default the k-th, and writes
    the k-th output. Levels are the singular values of W; the observable "overlaps" holds for each
    mode of the teacher, k-th for k-th, the squared overlaps of left and right singular vectors,
    shape (..., mode, 2).

    Data are fresh at every update; or, with `samples`, each replica has a data set of its own, of
    which mini-batches are drawn with replacement, and an infinite batch is all of it. Noise in its
    labels is then learnt in the end, and may drown what stood out before: a *transient* mode.

    A mode is learnt when its level steps out of the noise's bulk, see `predict_path` (settings of
    arXiv:2606.28486, and of arXiv:2604.18450 with two variances of inputs).

    Args:
        strengths: singular values of T, positive, descending; as many as its rank.
        shape: (M, N), outputs and inputs.
        label_noise: epsilon, the label noise.
        initial_width: standard deviation of the entries of W_0.
        input_variances: of every input, or of each, (N,); all equal, or of two kinds, say.
        mode_inputs: the input, from 0, that each mode reads; the first ones by default.
        samples: D, of a data set that each replica has; None for fresh data at every update.

    Raises:
        InvalidInputError: a value that breaks one of these rules.

    Examples:
        >>> student = LowRankTeacher([6.0, 3.0], shape=(160, 80), label_noise=0.5)
        >>> student.predict_path(0.02, 64, [0, 500]).detached[-1]
        array([ True,  True])
    """

    strengths: np.ndarray
    shape: tuple[int, int] = eqx.field(static=True)
    label_noise: np.ndarray  # an array, as the width: another value compiles nothing
    initial_width: np.ndarray
    input_variances: np.ndarray
    mode_inputs: tuple[int, ...] = eqx.field(static=True)
    samples: int | None = eqx.field(static=True)

    def __init__(
        self,
        strengths: ArrayLike = (6.0, 3.0, 1.5),
        shape: tuple[int, int] = (160, 80),
        *,
        label_noise: float = 0.1,
        initial_width: float = 0.05,
        input_variances: ArrayLike = 1.0,
        mode_inputs: Sequence[int] | None = None,
        samples: int | None = None,
    ) -> None:
        theta = np.atleast_1d(reals("strengths", strengths))
        self.strengths = theta
        self.shape = (whole("shape", shape[0]), whole("shape", shape[1]))
        self.label_noise = np.array(at_least_zero("label_noise", label_noise))
        self.initial_width = np.array(at_least_zero("initial_width", initial_width))
        require(
            theta.ndim == 1 and bool((theta > 0).all() and (np.diff(theta) <= 0).all()),
            f"strengths = {theta.tolist()} must be positive and descending.",
        )
        require(
            theta.size <= min(self.shape),
            f"{theta.size} strengths in a matrix of shape {self.shape}: at most {min(self.shape)}.",
        )
        self.input_variances = _variances(input_variances, self.shape[1])
        self.mode_inputs = _places(mode_inputs, theta.size, self.shape[1])
        self.samples = None if samples is None else whole("samples", samples)

    def init(self, key: PRNGKeyArray) -> Weights:
        """W_0."""
        return jnp.asarray(self.initial_width) * normals(key, self.shape)

    def start(self, key: PRNGKeyArray, batch_size: float) -> Memory:
        """Nothing of fresh data; of a data set its inputs (N, D) and the noise of its labels.

        Of all of it at every step, C = X X^T/D and the noise's share of the gradient are enough.
        """
        if self.samples is None:
            return ()
        input_key, noise_key = jax.random.split(key)
        inputs = self._scale() * normals(input_key, (self.shape[1], self.samples))
        labels = self.label_noise * normals(noise_key, (self.shape[0], self.samples))
        if batch_size == np.inf:
            inputs, labels = inputs @ inputs.T / self.samples, labels @ inputs.T / self.samples
        return jnp.asarray(inputs), jnp.asarray(labels)

    def gradient(
        self, key: PRNGKeyArray, weights: Weights, memory: Memory, batch_size: float
    ) -> tuple[Weights, Memory]:
        """Gradient of half the squared error of a mini-batch; NaN once a student has escaped."""
        modes = np.arange(len(self.strengths))
        error = weights.at[modes, np.array(self.mode_inputs)].add(-self.strengths)
        lost = (_ESCAPED * (1 + self.strengths[0])) ** 2
        error = jnp.where(jnp.sum(error**2) > lost, jnp.nan, error)
        if self.samples is None:
            return self._of_fresh(key, error, batch_size), ()
        if batch_size == np.inf:
            moment, taught = memory
            return error @ moment - taught, memory
        chosen = jax.random.randint(key, (int(batch_size),), 0, self.samples)
        inputs, labels = (part[:, chosen] for part in memory)
        gradient: Array = (error @ inputs - labels) @ inputs.T / batch_size
        return gradient, memory

    def _of_fresh(self, key: PRNGKeyArray, error: Weights, batch_size: float) -> Weights:
        if batch_size == np.inf:
            return error * jnp.asarray(self.input_variances)
        input_key, noise_key = jax.random.split(key)
        # x x^T = T T^T in law, and given the inputs eta x^T = Z T^T, Z standard normal
        factor = self._scale() * wishart_factor(input_key, self.shape[1], int(batch_size))
        labels = self.label_noise * normals(noise_key, (self.shape[0], factor.shape[1]))
        gradient: Array = (error @ factor - labels) @ factor.T / batch_size
        return gradient

    def _scale(self) -> Array:
        """Standard deviation of each input, a column."""
        return jnp.sqrt(jnp.asarray(self.input_variances))[:, None]

    def levels(self, weights: np.ndarray) -> np.ndarray:
        """Singular values of W, descending."""
        tall = weights if self.shape[0] >= self.shape[1] else np.swapaxes(weights, -1, -2)
        return np.sqrt(levels_of_gram(tall))

    def overlaps(self, weights: np.ndarray) -> np.ndarray:
        """Squared overlaps with the teacher's singular vectors, (..., mode, 2): left, right."""
        left, _, right = np.linalg.svd(weights, full_matrices=False)
        modes, inputs = np.arange(len(self.strengths)), np.array(self.mode_inputs)
        return np.stack([left[..., modes, modes], right[..., modes, inputs]], axis=-1) ** 2

    def observables(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
        """The overlaps."""
        return {"overlaps": self.overlaps}

    def matrix_names(self) -> tuple[str, ...]:
        """All levels are those of the one weight matrix."""
        return ("weights",) * min(self.shape)

    def predict(
        self, learning_rate: float, batch_size: float, optimizer: Optimizer | None = None
    ) -> Prediction:
        """Raises: the whole path has a prediction here, `predict_path`."""
        raise NoPredictionError(
            "the levels of a LowRankTeacher are a bulk of noise and what stands out of it; ask for"
            " predict_path(learning_rate, batch_size, times)."
        )

    def predict_path(
        self, learning_rate: float, batch_size: float, times: ArrayLike
    ) -> LearningPath:
        """Bulk, level and overlaps of each mode at these times, under plain SGD.

        Args:
            learning_rate: alpha.
            batch_size: |B|, or infinity.
            times: updates, not negative, shape (time,).

        Raises:
            InvalidInputError: a value that breaks one of these rules; as many samples as inputs.
        """
        inputs = Inputs(self.input_variances, self.mode_inputs, self.samples)
        return LearningPath(
            self.strengths, self.shape, float(self.label_noise), float(self.initial_width), inputs,
            learning_rate, batch_size, times,
        )  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """Plain values for the attributes of a result."""
        return {
            "model": "low_rank_teacher",
            "strengths": self.strengths.tolist(),
            "shape": list(self.shape),
            "label_noise": float(self.label_noise),
            "initial_width": float(self.initial_width),
            "input_variances": self.input_variances.tolist(),
            "mode_inputs": list(self.mode_inputs),
            **({} if self.samples is None else {"samples": self.samples}),
        }


def _variances(values: ArrayLike, inputs: int) -> np.ndarray:
    """One for each input."""
    variances = reals("input_variances", values)
    require(
        variances.shape in ((), (inputs,)) and bool((variances > 0).all()),
        f"input_variances of shape {variances.shape} must be one positive number, or {inputs}.",
    )
    return np.ones(inputs) * variances


def _places(places: Sequence[int] | None, modes: int, inputs: int) -> tuple[int, ...]:
    """The input of each mode."""
    if places is None:
        return tuple(range(modes))
    chosen = tuple(whole("mode_inputs", place, least=0, most=inputs - 1) for place in places)
    require(
        len(chosen) == modes == len(set(chosen)),
        f"mode_inputs = {list(places)} must name {modes} different inputs, one for each strength.",
    )
    return chosen
