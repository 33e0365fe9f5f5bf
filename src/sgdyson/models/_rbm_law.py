r"""The law of the levels of a Gaussian RBM: X = H^2, H = sqrt(X) nearly Gaussian.

Derivation, tables and what fails: docs, "Theory".
"""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Float

from ..errors import NoPredictionError
from ..optimizers import SGD, Optimizer
from ._leading import LeadingOrder
from ._random_matrix import Matrices
from ._rbm_joint import Setting
from ._rbm_phases import Phases
from ._rbm_second_order import second_order
from ._sqrt_gram import SqrtGram, root_variance
from ._theory import Theory

Square = Float[np.ndarray, "level level"]
_PLAIN = Phases()
WIDENED = 4 / 3  # of V by the finite step: gamma/f = 1/2 of the 2 at which all is unstable


def rbm_theory(
    leading: LeadingOrder,
    rbm_mass: float,
    sweeps: int | None,
    optimizer: Optimizer | None,
    small_step: Callable[[], Square],
    phases: Phases = _PLAIN,
) -> Theory:
    """How levels are drawn, and how far the learnt distribution is from the target.

    Args:
        leading: moments of X to leading order.
        rbm_mass: mu.
        sweeps: Gibbs sweeps between updates; None for independent samples.
        optimizer: None is plain SGD.
        small_step: V at the same alpha/|B| without the finite step.
        phases: how an update averages.
    """
    relative = np.divide(
        leading.width, leading.levels, out=np.zeros_like(leading.width), where=leading.learnt
    )
    kernel = rbm_mass**2 - leading.levels
    no_second = _no_second(leading, optimizer)
    if not phases.plain:
        no_second = "is derived for the exact data average and persistent chains alone"
    # mixing and the finite step are in the law; curvature across the width is not
    skew, curvature = relative**2, (leading.width / kernel) ** 2
    if phases.data is not None:
        phases.data.refuse_directions(leading.levels)
        skew = phases.data.neglected(skew, leading.levels, leading.covariance)
    setting = Setting(kernel, rbm_mass**2, leading.learning_rate, leading.batch_size, sweeps)
    return Theory(
        first=partial(_first_order, leading, small_step),
        neglected=skew + curvature,
        second=None if no_second else partial(_second_order, leading, small_step, setting),
        no_second=no_second,
        fourth=skew,
        distance=partial(divergence, leading, rbm_mass),
    )


def _first_order(leading: LeadingOrder, small_step: Callable[[], Square]) -> SqrtGram:
    """Gaussian H, from the moments of X to first order in 1/|B|, at any step."""
    widened = widening(leading, small_step())
    if widened > WIDENED:
        warnings.warn(
            f"learning_rate = {leading.learning_rate:g} is near the limit of stability, where the"
            f" finite step widens V by {widened:.2f} and an expansion in 1/|B| fails; take a"
            " smaller one, or trust a simulation alone.",
            RuntimeWarning,
            stacklevel=2,
        )
    variance = root_variance(leading.covariance, leading.levels)
    mean = leading.levels + leading.drift_shift
    return SqrtGram(leading.levels, mean, variance, beta=leading.beta)


def _second_order(
    leading: LeadingOrder, small_step: Callable[[], Square], setting: Setting
) -> SqrtGram:
    widened = widening(leading, small_step())
    if widened > WIDENED:
        raise NoPredictionError(
            f"order = 2 is an expansion at fixed learning_rate, and {leading.learning_rate:g} is"
            f" too near the limit of stability (the finite step widens V by {widened:.2f}); take"
            " order 1 or a smaller one."
        )
    return second_order(setting)


def _no_second(leading: LeadingOrder, optimizer: Optimizer | None) -> str:
    """Why order 2 is not there, as the end of a sentence; empty where it is."""
    if not leading.learnt.all():
        return f"is derived where all modes are learnt, and {(~leading.learnt).sum()} are not"
    if optimizer is not None and not isinstance(optimizer, SGD):
        return f"is derived under plain SGD, and not under {optimizer!r}"
    if leading.beta > 1:
        return f"is derived for real weights, beta = 1, and not for beta = {leading.beta}"
    return ""


def widening(leading: LeadingOrder, small_step: Square) -> float:
    r"""The largest factor by which the finite step widens a V: $1/(1 - \gamma/2f)$."""
    moves = np.isfinite(leading.covariance) & (small_step > 0)
    ratio = np.divide(leading.covariance, small_step, out=np.ones_like(small_step), where=moves)
    return float(ratio.max())


def divergence(
    leading: LeadingOrder, rbm_mass: float, weights: Matrices
) -> Float[np.ndarray, "sample"]:
    r"""$KL = \frac\beta2 [\mathrm{tr}(K P) - N - \ln \det (K P)]$, $K = \mu^2 - W^\dagger W$.

    The complex form of quaternions has every eigenvalue twice.
    """
    copies = 2 if leading.beta == 4 else 1
    target = np.tile(1 / leading.target_modes, copies)
    root = np.sqrt(target)
    kernel = rbm_mass**2 * np.eye(len(target)) - weights.conj().mT @ weights
    ratio = np.linalg.eigvalsh(root[:, None] * kernel * root)
    if (ratio <= 0).any():
        raise NoPredictionError(
            "accuracy_limit: levels reach mu^2 in the stationary state, where the divergence is"
            " infinite; take a smaller alpha/|B|."
        )
    unit = 0.5 * leading.beta / copies
    return np.asarray(unit * (ratio - 1 - np.log(ratio)).sum(axis=1))
