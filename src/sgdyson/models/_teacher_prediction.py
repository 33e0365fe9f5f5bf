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
normalise each entry of the gradient by itself. For beta = 2, 4 a row holds $[2 + \beta (N - 1)] t$,
t growing by $(N + 2/\beta - 1)/|B|$; see docs, "Theory", also for the derivation.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..errors import NoPredictionError
from ..optimizers import Adam, Optimizer, RMSProp, effective_rate, stationary_variance
from ..optimizers.stationary import remaining
from ._leading import LeadingOrder, Levels, has_partner, level_repulsion_shift, mixing
from ._noisy_matrix import NoisyMatrix
from ._prediction import Prediction
from ._theory import Theory, given

Square = Float[np.ndarray, "level level"]


def predict_teacher_student(
    teacher: Levels,
    label_noise: float,
    learning_rate: float,
    batch_size: float,
    optimizer: Optimizer | None = None,
    beta: int = 1,
) -> Prediction:
    """Predict the singular values of the student.

    Args:
        teacher: its eigenvalues; the levels are their absolute values.
        label_noise: epsilon.
        learning_rate: alpha.
        batch_size: |B| or infinity.
        optimizer: None is plain SGD.
        beta: 1, 2 or 4: real, complex or quaternion weights.
    """
    n = len(teacher)
    order = np.argsort(-np.abs(teacher), kind="stable")
    decay = float(getattr(optimizer, "weight_decay", 0.0))
    # where decay and the teacher pull alike
    modes = teacher[order] / (1 + decay)
    levels = np.abs(modes)
    offset = decay * modes  # of the mean student from its teacher
    # of one component: the inputs' scatter has variance 1/beta in each
    scatter = label_noise**2 + ((offset[:, None] + offset) / 2) ** 2 / beta
    if isinstance(optimizer, RMSProp | Adam):
        moments = _normalised(optimizer, learning_rate, scatter, batch_size, beta)
    else:
        moments = _second_moments(optimizer, learning_rate, scatter, batch_size, beta)
    covariance = moments.of_levels()

    shift = np.sign(modes) * level_repulsion_shift(modes, covariance)
    bent = np.full(n, moments.rate * (n + 1) / (2 * batch_size))
    leading = LeadingOrder(
        learning_rate=learning_rate,
        batch_size=batch_size,
        levels=levels,
        target_modes=teacher[order],
        learnt=np.full(n, moments.stable),
        curvature=np.full(n, 1 + decay),
        covariance=covariance,
        width=np.sqrt(np.diag(covariance) - np.where(has_partner(levels), moments.common, 0.0)),
        mean_shift=shift,
        relaxation_time=np.full(n, 1 / (moments.rate * (1 + decay)) if moments.stable else np.inf),
        # the second moments are exact; the scatter of the inputs bends the Gaussian they belong to
        next_order=mixing(modes, covariance) + bent,
        _curve=partial(_learning_curve, levels, optimizer, learning_rate),
        drift_shift=np.zeros(n),
        common=moments.common,
        accuracy_limit=float(moments.variance.sum() + np.sum(moments.twist) + (offset**2).sum()),
        beta=beta,
        _start=partial(_typical_start, n),
    )
    matrix = NoisyMatrix(
        modes, moments.variance, moments.mirrored, moments.common, beta, moments.twist
    )
    return Prediction(leading, Theory(partial(given, matrix), bent))


def _learning_curve(
    levels: Levels,
    optimizer: Optimizer | None,
    learning_rate: float,
    initial: Levels,
    updates: Levels,
) -> Float[np.ndarray, "time level"]:
    left = remaining(optimizer, learning_rate, 1.0, updates)[:, None]
    return np.asarray(np.abs(levels + (initial - levels) * left))


def _typical_start(n: int, width: float) -> Levels:
    """The teacher is learnt from nothing, whatever the width."""
    return np.zeros(n)


class _Moments(NamedTuple):
    r"""Moments of the weights about their mean.

    Attributes:
        variance: $\langle |\delta_{ij}|^2\rangle$, on the diagonal of the real part.
        mirrored: $\langle\delta_{ij} \delta_{ji}\rangle$, i != j; the diagonal is not used.
        common: $\langle\mathrm{Re}\,\delta_{ii}\,\mathrm{Re}\,\delta_{jj}\rangle$.
        rate: of relaxation, alpha of plain SGD.
        stable: whether there is a stationary state.
        twist: mean square of the imaginary part of delta_ii.
    """

    variance: Square
    mirrored: Square
    common: Levels
    rate: float
    stable: bool = True
    twist: Levels | float = 0.0

    def of_levels(self) -> Square:
        """Variances V of the Hermitian part, which moves the levels."""
        diagonal = np.eye(len(self.common), dtype=bool)
        return np.where(diagonal, self.variance, (self.variance + self.mirrored) / 2)


def _second_moments(
    optimizer: Optimizer | None,
    learning_rate: float,
    scatter: Square,
    batch_size: float,
    beta: int,
) -> _Moments:
    """Exact under a linear optimiser; infinite where it is not stable."""
    n, rate = len(scatter), effective_rate(optimizer, learning_rate)
    unit = _unit_moments(optimizer, learning_rate, n, batch_size, beta)
    acting = scatter if batch_size < np.inf else np.zeros((n, n))
    square = unit.entry + (unit.real - unit.entry if unit.stable else 0.0) * np.eye(n)
    # no noise, no fluctuation, stable or not
    variance, mirrored = (
        np.multiply(acting, moment, out=np.zeros((n, n)), where=acting > 0)
        for moment in (square, unit.mirrored)
    )
    own = np.diag(acting)
    return _Moments(variance, mirrored, own * unit.common, rate, unit.stable, own * unit.imaginary)


class _Unit(NamedTuple):
    """Moments of delta for label noise of variance one in each component off the diagonal."""

    entry: float
    mirrored: float
    common: float
    real: float  # of the diagonal
    imaginary: float = 0.0
    stable: bool = True


def _unit_moments(
    optimizer: Optimizer | None, learning_rate: float, n: int, batch_size: float, beta: int
) -> _Unit:
    """The closed equations of the second moments, for real, complex and quaternion inputs."""
    mixes = 0.5 if beta == 4 else 1.0
    growth = np.array([n + 2 / beta - 1, mixes, -mixes]) / batch_size
    noise = 0.0 if batch_size == np.inf else 1 / batch_size
    row, plus, minus = stationary_variance(
        optimizer, learning_rate, 1.0, noise, multiplicative=growth
    )
    if not np.isfinite(row):
        return _Unit(np.inf, np.inf, 0.0, np.inf, stable=False)
    mirrored, common = beta * (plus + minus) / 2, (plus - minus) / (2 * mixes)
    # of an entry of the diagonal over one off it
    excess = {1: plus, 2: 0.0, 4: common - mirrored / 2}[beta]
    entry = ((2 + beta * (n - 1)) * row - excess) / n
    if beta == 1:
        return _Unit(entry, mirrored, common, entry + excess)
    real = common + (entry + mirrored) / beta
    return _Unit(entry, mirrored, common, real, entry + excess - real)


def _normalised(
    optimizer: RMSProp | Adam,
    learning_rate: float,
    scatter: Square,
    batch_size: float,
    beta: int,
) -> _Moments:
    """Entry by entry, and the rate of the slowest: the noise of labels alone, not of inputs."""
    if beta > 1:
        raise NoPredictionError(
            f"optimizer = {optimizer!r} has a prediction for real weights alone, and these have"
            f" beta = {beta}; take SGD, HeavyBall or Nesterov."
        )
    if not (scatter > 0).all() or batch_size == np.inf:
        raise NoPredictionError(
            f"optimizer = {optimizer!r} divides by the noise of the gradient; a model without noise"
            " has no stationary state under it that is predicted here."
        )
    noise = scatter * (1 + np.eye(len(scatter))) / batch_size
    variance = stationary_variance(optimizer, learning_rate, 1.0, noise)
    rate = learning_rate / float(np.sqrt(noise.max()))
    # the noise of labels is symmetric, and so is what it leaves
    return _Moments(variance, variance, np.zeros(len(noise)), rate)
