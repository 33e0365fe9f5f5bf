r"""The stationary state of the teacher-student model under online data, exact second moments.

With $\delta = W - W_t$, $\delta' = \delta (1 - \alpha C) + \alpha a$. Gaussian inputs give
$\mathrm{Cov}(C_{kj}, C_{li}) = (\delta_{kl}\delta_{ij} + \delta_{ki}\delta_{jl})/|B|$, so that,
in units of $\alpha A/|B|$, the second moments of $\delta$ close among themselves:

* mean square of a row, over N + 1: $t = 1/[2 - \alpha(1 + (N+1)/|B|)]$,
* $\langle\delta_{ii}^2\rangle - \langle\delta_{ij}^2\rangle = \langle\delta_{ij}\delta_{ji}\rangle
  + \langle\delta_{ii}\delta_{jj}\rangle$: $q = 1/[2 - \alpha(1 + 1/|B|)]$,
* $\langle\delta_{ij}\delta_{ji}\rangle - \langle\delta_{ii}\delta_{jj}\rangle$:
  $p = 1/[2 - \alpha(1 - 1/|B|)]$.

The levels feel the symmetric part alone: $\sigma^2 = \langle\delta_{ij}^2\rangle +
\langle\delta_{ij}\delta_{ji}\rangle = [(N+1) t - q]/N + (q + p)/2$. To first order in 1/|B| this is
$2/(2 - \alpha)$ times $1 + \alpha (N+2)/(2 |B| (2 - \alpha))$. Derivation: docs, "Theory".
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
    stable = learning_rate * (1 + (n + 1) / batch_size) < 2
    moments = _second_moments(n, learning_rate, batch_size) if stable else np.inf
    width2 = learning_rate * noise**2 / batch_size * moments if noise else 0.0
    covariance = width2 / 2 * (1 + np.eye(n))
    width = np.full(n, np.sqrt(width2))

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
        # the second moments are exact; the scatter of the inputs bends the Gaussian they belong to
        next_order=mixing(modes, covariance) + learning_rate * (n + 1) / (2 * batch_size),
        _curve=curve,
    )


def _second_moments(n: int, learning_rate: float, batch_size: float) -> float:
    r"""$\sigma^2$ in units of alpha A/|B|."""
    row = 1 / (2 - learning_rate * (1 + (n + 1) / batch_size))
    plus = 1 / (2 - learning_rate * (1 + 1 / batch_size))
    minus = 1 / (2 - learning_rate * (1 - 1 / batch_size))
    return ((n + 1) * row - plus) / n + (plus + minus) / 2
