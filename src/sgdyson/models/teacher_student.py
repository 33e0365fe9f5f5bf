"""A linear student that learns a symmetric teacher from noisy labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from .._checks import at_least_zero, seed_of, truth, whole
from .._types import ArrayLike
from ..errors import require
from ..optimizers import Optimizer
from ._bartlett import wishart_factor
from ._numbers import Numbers, dagger, numbers_of
from ._prediction import Prediction
from ._quenched import MOST, quenched_theory
from ._teacher import hermitian_noise, teacher_eigenvalues
from ._teacher_prediction import predict_teacher_student
from .model import Model, check_rates

Weights = Array  # (n, n)
Memory = tuple[PRNGKeyArray, Array]
DATA = ("online", "quenched")
_ESCAPED = 1e6  # times the teacher's scale: no student comes back from there


class TeacherStudent(Model):
    r"""$W' = W + \alpha\,[(W_t - W) C_b + a_b]$, C_b = (1/|B|) sum x x^T of a mini-batch.

    Inputs $x \sim N(0, 1)$; the label noise a_b is the batch mean of symmetric matrices with
    off-diagonal variance $A = \epsilon^2$ and diagonal 2A (Aarts, Lucini and Park,
    arXiv:2407.16427, section on the teacher-student model). Inputs, noise and W_0 have no
    preferred basis, so the teacher $O\,\mathrm{diag}(d)\,O^T$ is taken in its eigenbasis.
    Levels are the singular values of W.

    Weights, inputs and noise of beta = 2 are complex, of beta = 4 quaternions; $\langle x x^\dagger
    \rangle = 1$ and the noise is Hermitian, of variance A in each of the beta components off the
    diagonal and 2A on it, so that the levels are a Coulomb gas of this beta and, to leading order,
    of the same width. Weights of quaternions are complex matrices $((A, B), (-B^*, A^*))$ of
    twice the size; each level is given once.

    Args:
        teacher: the teacher's eigenvalues d, shape (N,), or the symmetric teacher itself, (N, N),
            which may be Hermitian if beta = 2.
        label_noise: epsilon, the label noise.
        data: "online" (fresh draws) or "quenched" (a finite set, passed in a fixed order).
        batches: mini-batches in the quenched set.
        shared_inputs: whether all replicas see the same quenched inputs (their noise is always
            their own).
        data_seed: of the shared inputs.
        initial_width: standard deviation of the entries of W before the first update.
        beta: 1, 2 or 4: real, complex or quaternion weights.

    Raises:
        InvalidInputError: a value that breaks one of these rules.

    Examples:
        >>> student = TeacherStudent([1.0, -2.0])
        >>> student.predict(0.1, 16).leading.levels  # singular values, descending
        array([2., 1.])
    """

    teacher: np.ndarray
    label_noise: float
    data: str = eqx.field(static=True)
    batches: int = eqx.field(static=True)
    shared_inputs: bool = eqx.field(static=True)
    data_seed: int = eqx.field(static=True)
    initial_width: float = eqx.field(static=True)
    _numbers: Numbers = eqx.field(static=True)

    def __init__(
        self,
        teacher: ArrayLike = (2.0, 2.0),
        *,
        label_noise: float = 0.1,
        data: str = "online",
        batches: int = 500,
        shared_inputs: bool = False,
        data_seed: int = 0,
        initial_width: float = 0.1,
        beta: int = 1,
    ) -> None:
        self._numbers = numbers_of(beta)
        self.teacher = teacher_eigenvalues(teacher, self.beta)
        self.label_noise = at_least_zero("label_noise", label_noise)
        self.data = data
        self.batches = whole("batches", batches)
        self.shared_inputs = truth("shared_inputs", shared_inputs)
        self.data_seed = seed_of("data_seed", data_seed)
        self.initial_width = at_least_zero("initial_width", initial_width)
        require(data in DATA, f"data = {data!r} is unknown; choose one of {', '.join(DATA)}.")
        require(
            not (shared_inputs and data == "online"),
            'shared_inputs needs data = "quenched": online inputs are drawn afresh.',
        )

    @property
    def beta(self) -> int:
        """1, 2 or 4: of real, complex or quaternion weights."""
        return self._numbers.beta

    @property
    def n(self) -> int:
        """Inputs, and outputs, N."""
        return len(self.teacher)

    def init(self, key: PRNGKeyArray) -> Weights:
        """W_0, with entries of mean square initial_width^2."""
        return self.initial_width * self._numbers.normals(key, (self.n, self.n))

    def start(self, key: PRNGKeyArray, batch_size: float) -> Memory:
        """The key of this replica's data set, and its place in it."""
        return key, jnp.zeros((), jnp.uint32)

    def gradient(
        self, key: PRNGKeyArray, weights: Weights, memory: Memory, batch_size: float
    ) -> tuple[Weights, Memory]:
        """Gradient of half the squared error of noisy labels; NaN once a student has escaped."""
        data_key, place = memory
        if self.data == "online":
            input_key, noise_key = jax.random.split(key)
        else:
            input_key, noise_key = jax.random.split(jax.random.fold_in(data_key, place))
            if self.shared_inputs:
                input_key = self._shared_key(place)
            place = (place + 1) % self.batches
        numbers = self._numbers
        error = weights - numbers.lift(jnp.diag(self.teacher))
        gradient = error
        if batch_size != jnp.inf:
            gradient = error @ self._moment(input_key, batch_size)
            noise = hermitian_noise(numbers, noise_key, self.n)
            gradient = numbers.exact(gradient - self.label_noise / batch_size**0.5 * noise)
        square = error**2 if self.beta == 1 else jnp.abs(error) ** 2
        escaped = jnp.sum(square) > (_ESCAPED * (1 + jnp.abs(self.teacher).max())) ** 2
        return jnp.where(escaped, jnp.nan, gradient), (data_key, place)

    def shared_moment(self, place: Array, batch_size: float) -> Array:
        """C_b of the mini-batch at this place of the shared inputs."""
        return self._moment(self._shared_key(place), batch_size)

    def _shared_key(self, place: Array) -> PRNGKeyArray:
        # by the seed of the data and not of the replica: all replicas see the same inputs
        return jax.random.fold_in(jax.random.key(self.data_seed), place)

    def _moment(self, key: PRNGKeyArray, batch_size: float) -> Array:
        factor = wishart_factor(key, self.n, int(batch_size), self.beta)
        return factor @ dagger(factor) / batch_size

    def levels(self, weights: np.ndarray) -> np.ndarray:
        """Singular values of W, descending."""
        return np.sqrt(self._numbers.levels(weights))

    def matrix_names(self) -> tuple[str, ...]:
        """All levels are those of the one weight matrix."""
        return ("weights",) * self.n

    def predict(
        self,
        learning_rate: float,
        batch_size: float,
        optimizer: Optimizer | None = None,
        *,
        order: int = 1,
    ) -> Prediction:
        """The stationary levels under online data; see `Prediction`.

        Quenched data of each replica's own are as online ones if they are forgotten before they
        come back: learning_rate * batches well above one. Of shared inputs: `predict_quenched`.
        """
        check_rates(learning_rate, batch_size)
        prediction = predict_teacher_student(
            self.teacher, self.label_noise, learning_rate, batch_size, optimizer, self.beta
        )
        return prediction.at_order(order)

    def predict_quenched(self, learning_rate: float, batch_size: int) -> Prediction:
        """The exact law at the end of a pass, given the shared inputs, under plain SGD.

        `leading` is that of online data.

        Raises:
            InvalidInputError: inputs that are not shared; more than 24 levels; beta above 1.
            NoPredictionError: a step at which a pass does not contract, when levels are asked for.
        """
        check_rates(learning_rate, batch_size)
        require(
            self.beta == 1,
            f"beta = {self.beta}: the law given the inputs is derived for real weights, beta = 1.",
        )
        require(
            self.shared_inputs and self.n <= MOST,
            f"shared_inputs = {self.shared_inputs} with {self.n} levels: the law given the inputs"
            f" needs shared_inputs = True and at most {MOST} levels.",
        )
        online = self.predict(learning_rate, batch_size)
        return replace(online, _theory=quenched_theory(self, learning_rate, batch_size))

    def settings(self) -> dict[str, Any]:
        """Plain values for the attributes of a result."""
        return {
            "model": "teacher_student",
            "teacher": self.teacher.tolist(),
            "label_noise": float(self.label_noise),
            "data": self.data,
            "batches": self.batches,
            "shared_inputs": self.shared_inputs,
            "data_seed": self.data_seed,
            "initial_width": self.initial_width,
            "beta": self.beta,
        }
