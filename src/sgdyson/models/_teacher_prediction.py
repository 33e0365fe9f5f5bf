r"""The stationary state of the teacher-student model under online data.

With $\delta = W - W_t$, $\delta' = \delta (1 - \alpha C) + \alpha a$ and
$\langle C^2 \rangle = 1 + (N+1)/|B|$ for Gaussian inputs, the stationary variance solves
$v = v\,[1 - 2\alpha + \alpha^2 (1 + (N+1)/|B|)] + \alpha^2 A/|B|$. Derivation: docs, "Theory".
"""

import numpy as np
from jaxtyping import Float

from ._prediction import Levels, Prediction, level_repulsion_shift, mixing


def predict_teacher_student(
    teacher: Levels, noise: float, learning_rate: float, batch_size: float
) -> Prediction:
    """Predict the singular values of the student.

    Args:
        teacher: its eigenvalues; the levels are their absolute values.
        noise: epsilon.
        learning_rate: alpha.
        batch_size: |B| or infinity.
    """
    n = len(teacher)
    order = np.argsort(-np.abs(teacher), kind="stable")
    modes = teacher[order]
    levels = np.abs(modes)
    damping = 2 - learning_rate * (1 + (n + 1) / batch_size)
    stable = damping > 0
    variance = learning_rate * noise**2 / batch_size / damping if stable else np.inf
    covariance = variance * (1 + np.eye(n))
    width = np.full(n, np.sqrt(2 * variance))

    def curve(initial: Levels, updates: Levels) -> Float[np.ndarray, "time level"]:
        left = (1 - learning_rate) ** updates[:, None]
        return np.asarray(np.abs(levels + (initial - levels) * left))

    shift = np.sign(modes) * level_repulsion_shift(modes, covariance)
    return Prediction(
        learning_rate=learning_rate,
        batch_size=batch_size,
        levels=levels,
        target_modes=modes,
        learnt=np.full(n, stable),
        curvature=np.ones(n),
        covariance=covariance,
        width=width,
        mean_shift=shift,
        relaxation_time=np.full(n, 1 / learning_rate if stable else np.inf),
        # inputs scatter the noise-free pull by 1/|B|; the discrete step is in `damping` already
        next_order=mixing(modes, covariance) + learning_rate * (n + 1) / batch_size,
        _curve=curve,
    )
