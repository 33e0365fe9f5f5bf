r"""The exact mean spacing of two levels when all replicas share the same quenched inputs.

Given the inputs, $\delta' = \delta (1 - \alpha C_b) + \alpha a_b$ is linear in Gaussian noise, so
$\delta$ is Gaussian and its covariance obeys a recursion through the data set. The spacing is the
length of $(\delta_{11} - \delta_{22}, \delta_{12} + \delta_{21})$.
"""

import jax
import jax.numpy as jnp
import numpy as np

from ..errors import require
from ._leading import mean_length
from .teacher_student import TeacherStudent


def quenched_mean_spacing(model: TeacherStudent, learning_rate: float, batch_size: int) -> float:
    r"""<S> of a degenerate pair at the end of a pass through shared, quenched inputs.

    $\langle S \rangle = a \sqrt{2/\pi}\, E(1 - b^2/a^2)$ for a plane Gaussian vector of standard
    deviations a >= b, E the complete elliptic integral of parameter m.

    Args:
        model: of two equal levels, with quenched and shared inputs.
        learning_rate: alpha.
        batch_size: |B|.
    """
    require(
        model.n == 2 and model.shared_inputs and bool(np.ptp(model.teacher) == 0),
        "quenched_mean_spacing needs a teacher of two equal levels and shared_inputs = True.",
    )
    covariance = np.zeros((2, 2, 2, 2))  # of delta_ij and delta_kl
    unit = np.eye(2)
    noise = np.einsum("ik,jl->ijkl", unit, unit) + np.einsum("il,jk->ijkl", unit, unit)
    noise *= (learning_rate * model.noise) ** 2 / batch_size
    passes = int(np.ceil(20 / (learning_rate * model.batches))) + 1  # forgotten to exp(-40)
    for moment in np.tile(_input_moments(model, batch_size), (passes, 1, 1)):
        left = unit - learning_rate * moment
        covariance = np.einsum("ijkl,jm,ln->imkn", covariance, left, left) + noise
    spacing = np.array([[[1.0, 0.0], [0.0, -1.0]], [[0.0, 1.0], [1.0, 0.0]]])
    plane = np.einsum("aij,ijkl,bkl->ab", spacing, covariance, spacing)
    return float(mean_length(*np.linalg.eigvalsh(plane)))


def _input_moments(model: TeacherStudent, batch_size: int) -> np.ndarray:
    """C_b of every mini-batch of the shared data set, shape (batches, N, N)."""
    with jax.enable_x64(True):
        places = jnp.arange(model.batches, dtype=jnp.uint32)
        return np.asarray(jax.vmap(lambda place: model.shared_moment(place, batch_size))(places))
