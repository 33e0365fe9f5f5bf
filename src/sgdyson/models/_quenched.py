r"""The exact law of a student whose replicas all share the same quenched inputs.

Given the inputs, $\delta' = \delta (1 - \alpha C_b) + \alpha a_b$ is linear in the label noise,
which comes back every pass as the inputs do. At the end of a pass $\delta = \alpha \sum_b a_b M_b$,
$M_b = Q_b (1 - Q)^{-1}$, $Q_b$ the product of $1 - \alpha C$ over the mini-batches after b and Q
that over all: a Gaussian matrix with

$$\langle \delta_{ij} \delta_{kl} \rangle = \frac{\alpha^2 A}{|B|} \sum_b [\delta_{ik} (M_b^T
M_b)_{jl} + (M_b)_{kj} (M_b)_{il}] .$$
"""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..errors import NoPredictionError, require
from ._leading import Levels, mean_length
from ._random_matrix import Matrices, RandomMatrix
from ._theory import Theory

MOST = 24  # levels: the covariance has N^4 numbers


class QuenchedStudent(Protocol):
    """What the law needs of a student whose mini-batches come back every pass."""

    teacher: np.ndarray
    label_noise: float
    batches: int
    shared_inputs: bool

    @property
    def n(self) -> int:
        """Number of levels."""

    def shared_moment(self, place: Array, batch_size: float) -> Array:
        """C_b, the second moments of the inputs of a mini-batch, shape (N, N)."""


@dataclass(frozen=True)
class GivenInputs(RandomMatrix):
    r"""$W = \mathrm{diag}(c) + \delta$ of any Gaussian delta.

    Attributes:
        centre: c.
        root: a root of the covariance of the entries of delta, shape (entry, coordinate).
    """

    centre: Levels
    root: Float[np.ndarray, "entry coordinate"]
    power = 1

    @property
    def coordinates(self) -> int:
        """Number of normal numbers behind a matrix: as many as it has entries."""
        return self.root.shape[1]

    def weights(self, normal: Float[np.ndarray, "sample coordinate"]) -> Matrices:
        """The weights W made from normal numbers."""
        n = len(self.centre)
        return np.asarray((normal @ self.root.T).reshape(-1, n, n) + np.diag(self.centre))


def quenched_theory(model: QuenchedStudent, learning_rate: float, batch_size: float) -> Theory:
    """The law given the inputs, in place of that of online data; nothing is neglected."""
    return Theory(
        first=partial(given_inputs, model, learning_rate, batch_size),
        neglected=np.zeros(model.n),
        distance=partial(_distance, np.diag(model.teacher)),
    )


def _distance(teacher: Float[np.ndarray, "level level"], weights: Matrices) -> np.ndarray:
    return np.asarray(((weights - teacher) ** 2).sum(axis=(1, 2)))


def given_inputs(model: QuenchedStudent, learning_rate: float, batch_size: float) -> GivenInputs:
    """The law of W at the end of a pass, under plain SGD.

    Raises:
        NoPredictionError: a step at which a pass does not contract.
    """
    covariance = quenched_covariance(model, learning_rate, int(batch_size))
    values, vectors = np.linalg.eigh(covariance.reshape(model.n**2, -1))
    # the largest variances first: quasi-random points are most even there
    root = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0.0))
    return GivenInputs(model.teacher, root)


def quenched_covariance(
    model: QuenchedStudent, learning_rate: float, batch_size: int
) -> Float[np.ndarray, "n n n n"]:
    """Covariance of delta_ij and delta_kl, given the shared inputs."""
    n = model.n
    after, decay = np.empty((model.batches, n, n)), np.eye(n)  # Q_b, from the last one back
    for place, moment in zip(
        reversed(range(model.batches)), _input_moments(model, batch_size)[::-1], strict=True
    ):
        after[place] = decay
        # on the left: delta' = delta (1 - alpha C), so that later mini-batches stand on the right
        decay = (np.eye(n) - learning_rate * moment) @ decay
    if np.abs(np.linalg.eigvals(decay)).max() >= 1:
        raise NoPredictionError(
            f"learning_rate = {learning_rate:g} at batch_size = {batch_size} lets a pass through"
            " the shared inputs grow: there is no stationary state; take a smaller one."
        )
    maps = after @ np.linalg.inv(np.eye(n) - decay)
    covariance = np.einsum("bkj,bil->ijkl", maps, maps, optimize=True)
    covariance += np.einsum("ik,jl->ijkl", np.eye(n), np.einsum("bmj,bml->jl", maps, maps))
    return np.asarray(covariance * (learning_rate * float(model.label_noise)) ** 2 / batch_size)


def quenched_mean_spacing(model: QuenchedStudent, learning_rate: float, batch_size: int) -> float:
    r"""<S> of a degenerate pair at the end of a pass through shared, quenched inputs.

    The spacing is the length of the plane Gaussian vector $(\delta_{11} - \delta_{22},
    \delta_{12} + \delta_{21})$: $\langle S \rangle = a \sqrt{2/\pi}\, E(1 - b^2/a^2)$ for its
    standard deviations a >= b, E the complete elliptic integral of parameter m.

    Args:
        model: of two equal levels, with quenched and shared inputs.
        learning_rate: alpha.
        batch_size: |B|.
    """
    require(
        model.n == 2 and model.shared_inputs and bool(np.ptp(model.teacher) == 0),
        "quenched_mean_spacing needs a teacher of two equal levels and shared_inputs = True.",
    )
    covariance = quenched_covariance(model, learning_rate, batch_size)
    # S is the length of (W_11 - W_22, W_12 + W_21)
    spacing = np.array([[[1.0, 0.0], [0.0, -1.0]], [[0.0, 1.0], [1.0, 0.0]]])
    plane = np.einsum("aij,ijkl,bkl->ab", spacing, covariance, spacing)
    return float(mean_length(*np.linalg.eigvalsh(plane)))


def _input_moments(model: QuenchedStudent, batch_size: int) -> np.ndarray:
    """C_b of every mini-batch of the shared data set, shape (batches, N, N)."""
    with jax.enable_x64(True):
        places = jnp.arange(model.batches, dtype=jnp.uint32)
        moments = jax.jit(jax.vmap(lambda place: model.shared_moment(place, batch_size)))
        return np.asarray(moments(places))
