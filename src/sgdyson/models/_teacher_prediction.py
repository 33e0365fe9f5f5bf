r"""The stationary state of the teacher-student model under online data, exact second moments.

With $\delta = W - \bar W$, $\bar W = W_t/(1+\lambda)$ under weight decay $\lambda$, the gradient is
$\delta C + (\bar W - W_t)(C - 1) - a$. Gaussian inputs give $\mathrm{Cov}(C_{kj}, C_{li}) =
(\delta_{kl}\delta_{ij} + \delta_{ki}\delta_{jl})/|B|$, so that the second moments of $\delta$ close
among themselves, each a quadratic mode of curvature 1 whose noise grows with the mode itself:

* mean square of a row, over N + 1: t, noise growing by (N+1)/|B|,
* $\langle\delta_{ii}^2\rangle - \langle\delta_{ij}^2\rangle = \langle\delta_{ij}\delta_{ji}\rangle
  + \langle\delta_{ii}\delta_{jj}\rangle$: $p_+$, growing by 1/|B|,
* $\langle\delta_{ij}\delta_{ji}\rangle - \langle\delta_{ii}\delta_{jj}\rangle$: $p_-$, by -1/|B|.

The levels feel the symmetric part alone, M: off the diagonal $2 V_{ij} = \sigma^2 =
\langle\delta_{ij}^2\rangle + \langle\delta_{ij}\delta_{ji}\rangle = [(N+1) t - p_+]/N + (p_+ +
p_-)/2$, and on it $V_{ii} = \sigma^2 + \langle\delta_{ii}\delta_{jj}\rangle$, the last
$(p_+ - p_-)/2$: all levels move together a little, which no spacing feels. Under plain SGD
$t = \alpha A/|B|/[2 - \alpha(1 + (N+1)/|B|)]$, and to first order in 1/|B| $\sigma^2$ is $2/(2 -
\alpha)$ times $1 + \alpha (N+2)/(2 |B| (2 - \alpha))$, in units of $\alpha A/|B|$. Adam and RMSProp
normalise each entry of the gradient by itself. Derivation: docs, "Theory".
"""

import numpy as np
from jaxtyping import Float

from ..errors import NoPredictionError
from ..optimizers import Adam, Optimizer, RMSProp, effective_rate, stationary_variance
from ..optimizers._stationary import remaining
from ._prediction import Levels, Prediction, has_partner, level_repulsion_shift, mixing

Square = Float[np.ndarray, "level level"]


def predict_teacher_student(
    teacher: Levels,
    noise: float,
    learning_rate: float,
    batch_size: float,
    optimizer: Optimizer | None = None,
) -> Prediction:
    """Predict the singular values of the student.

    Args:
        teacher: its eigenvalues; the levels are their absolute values.
        noise: epsilon.
        learning_rate: alpha.
        batch_size: |B| or infinity.
        optimizer: None is plain SGD.
    """
    n = len(teacher)
    order = np.argsort(-np.abs(teacher), kind="stable")
    decay = float(getattr(optimizer, "weight_decay", 0.0))
    modes = teacher[order] / (1 + decay)
    levels = np.abs(modes)
    offset = decay * modes  # of the mean student from its teacher
    label_noise = noise**2 + ((offset[:, None] + offset) / 2) ** 2
    if isinstance(optimizer, RMSProp | Adam):
        covariance, rate = _normalised(optimizer, learning_rate, label_noise, batch_size)
        common, stable = np.zeros(n), True
    else:
        moments, together = _second_moments(n, learning_rate, batch_size, optimizer)
        acting = label_noise if batch_size < np.inf else np.zeros((n, n))
        stable = bool(np.isfinite(moments))
        of_unit = moments / 2 * (1 + np.eye(n)) + np.diag(np.full(n, together if stable else 0.0))
        # no noise, no fluctuation, stable or not
        covariance = np.multiply(acting, of_unit, out=np.zeros((n, n)), where=acting > 0)
        common = np.diag(acting) * (together if stable else 0.0)
        rate = effective_rate(optimizer, learning_rate)

    def curve(initial: Levels, updates: Levels) -> Float[np.ndarray, "time level"]:
        left = remaining(optimizer, learning_rate, 1.0, updates)[:, None]
        return np.asarray(np.abs(levels + (initial - levels) * left))

    shift = np.sign(modes) * level_repulsion_shift(modes, covariance)
    return Prediction(
        learning_rate=learning_rate,
        batch_size=batch_size,
        levels=levels,
        target_modes=teacher[order],
        learnt=np.full(n, stable),
        curvature=np.full(n, 1 + decay),
        covariance=covariance,
        width=np.sqrt(np.diag(covariance) - np.where(has_partner(levels), common, 0.0)),
        mean_shift=shift,
        relaxation_time=np.full(n, 1 / (rate * (1 + decay)) if stable else np.inf),
        # the second moments are exact; the scatter of the inputs bends the Gaussian they belong to
        next_order=mixing(modes, covariance) + rate * (n + 1) / (2 * batch_size),
        _curve=curve,
        common=common,
    )


def _second_moments(
    n: int, learning_rate: float, batch_size: float, optimizer: Optimizer | None
) -> tuple[float, float]:
    r"""$\sigma^2/A$ and $\langle\delta_{ii}\delta_{jj}\rangle/A$; infinite where not stable."""
    growth = np.array([n + 1, 1, -1]) / batch_size
    noise = 0.0 if batch_size == np.inf else 1 / batch_size
    row, plus, minus = stationary_variance(
        optimizer, learning_rate, 1.0, noise, multiplicative=growth
    )
    if not np.isfinite(row):
        return np.inf, np.inf
    return float(((n + 1) * row - plus) / n + (plus + minus) / 2), float(plus - minus) / 2


def _normalised(
    optimizer: RMSProp | Adam, learning_rate: float, label_noise: Square, batch_size: float
) -> tuple[Square, float]:
    """Entry by entry, and the rate of the slowest: the noise of labels alone, not of inputs."""
    if not (label_noise > 0).all() or batch_size == np.inf:
        raise NoPredictionError(
            f"optimizer = {optimizer!r} divides by the noise of the gradient; a model without noise"
            " has no stationary state under it that is predicted here."
        )
    noise = label_noise * (1 + np.eye(len(label_noise))) / batch_size
    variance = stationary_variance(optimizer, learning_rate, 1.0, noise)
    return variance, learning_rate / float(np.sqrt(noise.max()))
