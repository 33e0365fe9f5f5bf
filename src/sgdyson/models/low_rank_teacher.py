"""A student that begins as noise and learns a teacher of low rank, as far as noise lets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .._checks import finite, reals, whole
from .._normals import normals
from .._types import ArrayLike
from ..errors import NoPredictionError, require
from ..optimizers import Optimizer
from ..spectra import levels_of_gram
from ._bartlett import wishart_factor
from ._learning_path import LearningPath
from ._prediction import Prediction
from .model import Model

Weights = Float[Array, "m n"]
_ESCAPED = 1e6  # times the teacher's scale: no student comes back from there


class LowRankTeacher(Model):
    r"""$W' = W - \frac{\alpha}{|B|}\sum_b [(W - T) x_b - \epsilon\,\eta_b]\,x_b^T$, T of low rank.

    Inputs x and label noise eta are standard normal and fresh at every update, W_0 has entries
    N(0, initial_width^2). None of these prefers a basis, so T is taken in that of its singular
    vectors: the strengths stand on its diagonal. Levels are the singular values of W; the
    observable "overlaps" holds for each mode of the teacher, k-th for k-th, the squared overlaps
    of left and right singular vectors, shape (..., mode, 2).

    A mode is learnt when its level steps out of the noise's bulk, see `predict_path` (setting of
    arXiv:2606.28486).

    Args:
        strengths: singular values of T, positive, descending; as many as its rank.
        shape: (M, N), outputs and inputs.
        noise: epsilon, the label noise.
        initial_width: standard deviation of the entries of W_0.

    Raises:
        InvalidInputError: a value that breaks one of these rules.

    Example:
        >>> student = LowRankTeacher([6.0, 3.0], shape=(160, 80), noise=0.5)
        >>> student.predict_path(0.02, 64, [0, 500]).detached[-1]
        array([ True,  True])
    """

    strengths: np.ndarray
    shape: tuple[int, int] = eqx.field(static=True)
    noise: np.ndarray  # an array, as the width: another value compiles nothing
    initial_width: np.ndarray

    def __init__(
        self,
        strengths: ArrayLike = (6.0, 3.0, 1.5),
        shape: tuple[int, int] = (160, 80),
        *,
        noise: float = 0.1,
        initial_width: float = 0.05,
    ) -> None:
        theta = np.atleast_1d(reals("strengths", strengths))
        self.strengths = theta
        self.shape = (whole("shape", shape[0]), whole("shape", shape[1]))
        self.noise = np.array(finite("noise", noise))
        self.initial_width = np.array(finite("initial_width", initial_width))
        require(
            theta.ndim == 1 and bool((theta > 0).all() and (np.diff(theta) <= 0).all()),
            f"strengths = {theta.tolist()} must be positive and descending.",
        )
        require(
            theta.size <= min(self.shape),
            f"{theta.size} strengths in a matrix of shape {self.shape}: at most {min(self.shape)}.",
        )
        require(float(noise) >= 0, f"noise = {noise!r} must be a number that is not negative.")
        require(
            float(initial_width) >= 0,
            f"initial_width = {initial_width!r} must be a number that is not negative.",
        )

    def init(self, key: PRNGKeyArray) -> Weights:
        """W_0."""
        return jnp.asarray(self.initial_width) * normals(key, self.shape)

    def start(self, key: PRNGKeyArray, batch_size: float) -> tuple[()]:
        """Nothing is remembered: all data are fresh."""
        return ()

    def gradient(
        self, key: PRNGKeyArray, weights: Weights, memory: tuple[()], batch_size: float
    ) -> tuple[Weights, tuple[()]]:
        """Gradient of half the squared error of a mini-batch; NaN once a student has escaped."""
        modes = np.arange(len(self.strengths))
        error = weights.at[modes, modes].add(-self.strengths)
        lost = (_ESCAPED * (1 + self.strengths[0])) ** 2
        error = jnp.where(jnp.sum(error**2) > lost, jnp.nan, error)
        if batch_size == np.inf:
            return error, ()
        input_key, noise_key = jax.random.split(key)
        # x x^T = T T^T in law, and given the inputs eta x^T = Z T^T, Z standard normal
        factor = wishart_factor(input_key, self.shape[1], int(batch_size))
        labels = self.noise * normals(noise_key, (self.shape[0], factor.shape[1]))
        gradient: Array = (error @ factor - labels) @ factor.T / batch_size
        return gradient, ()

    def levels(self, weights: np.ndarray) -> np.ndarray:
        """Singular values of W, descending."""
        tall = weights if self.shape[0] >= self.shape[1] else np.swapaxes(weights, -1, -2)
        return np.sqrt(levels_of_gram(tall))

    def overlaps(self, weights: np.ndarray) -> np.ndarray:
        """Squared overlaps with the teacher's singular vectors, (..., mode, 2): left, right."""
        left, _, right = np.linalg.svd(weights, full_matrices=False)
        modes = np.arange(len(self.strengths))
        return np.stack([left[..., modes, modes], right[..., modes, modes]], axis=-1) ** 2

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
            InvalidInputError: a value that breaks one of these rules.
        """
        return LearningPath(
            self.strengths, self.shape, float(self.noise), float(self.initial_width), learning_rate,
            batch_size, times,
        )  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """Plain values for the attributes of a result."""
        return {
            "model": "low_rank_teacher",
            "strengths": self.strengths.tolist(),
            "shape": list(self.shape),
            "noise": float(self.noise),
            "initial_width": float(self.initial_width),
        }
