r"""The stationary state of a Gaussian RBM under SGD, to first order in alpha/|B|.

In the eigenbasis of the target, $X = X^* + M$, $K^* = \mu^2 - X^*$ with eigenvalues
$\kappa^*_i$ ($= \kappa_i$ where learnt, $\mu^2$ elsewhere). The mini-batch scatters
$D = K_\varphi^{-1} - C_B$ with variances $(1+\delta_{ij})/(\kappa^*_i \kappa^*_j |B|)$, and one
update moves $M_{ij}$ by $\alpha (x_i + x_j) D_{ij}$ and pulls it back at the rate
$\alpha[(x_i + x_j)/(\kappa^*_i \kappa^*_j) - D^*_i - D^*_j]$, $D^*_i = 1/\kappa_i - 1/\kappa^*_i$.
Derivation: docs, "Theory".
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp

from ._prediction import Levels, Prediction, level_repulsion_shift, mixing

Square = Float[np.ndarray, "level level"]


def predict_rbm(
    target_modes: Levels,
    rbm_mass: float,
    n_hidden: int,
    learning_rate: float,
    batch_size: float,
    sweeps: int | None,
) -> Prediction:
    """Predict the levels of a Gaussian RBM.

    Args:
        target_modes: kappa, ascending.
        rbm_mass: mu.
        n_hidden: hidden units; only so many modes can be learnt, the infrared ones first.
        learning_rate: alpha.
        batch_size: |B| or infinity.
        sweeps: Gibbs sweeps between updates; None for independent samples.
    """
    mass2 = rbm_mass**2
    learnt = (np.arange(len(target_modes)) < n_hidden) & (target_modes < mass2)
    levels = np.where(learnt, mass2 - target_modes, 0.0)
    kernel = mass2 - levels
    pull = 1.0 / target_modes - 1.0 / kernel
    both = levels[:, None] + levels[None, :]
    rate = learning_rate * (
        both / np.outer(kernel, kernel) - np.where(learnt, 0, pull)[:, None]
        - np.where(learnt, 0, pull)[None, :]
    )  # fmt: skip
    step_variance = both**2 * (1 + np.eye(len(levels))) / np.outer(kernel, kernel)
    step_variance *= _chain_factor(levels, mass2, sweeps) * learning_rate**2 / batch_size
    covariance = _stationary(step_variance, rate)
    ratio = learning_rate / batch_size
    shift = _drift_shift(levels, kernel, mass2, covariance, ratio)
    if sweeps is not None:
        shift = shift + _chain_shift(levels, kernel, mass2, ratio, sweeps)
    slowest = np.where(learnt, np.diag(rate), learning_rate * np.abs(pull))
    width = np.sqrt(np.diag(covariance))
    relative = np.divide(width, levels, out=np.zeros_like(width), where=learnt)
    return Prediction(
        learning_rate=learning_rate,
        batch_size=batch_size,
        levels=levels,
        target_modes=target_modes,
        learnt=learnt,
        curvature=np.where(learnt, levels / target_modes**2, 0.0),
        covariance=covariance,
        width=width,
        mean_shift=np.where(learnt, shift + level_repulsion_shift(levels, covariance), 0.0),
        relaxation_time=1.0 / slowest,
        next_order=relative**2 + (width / kernel) ** 2 + mixing(levels, covariance) + slowest / 2,
        _curve=_learning_curve(target_modes, mass2, learnt, learning_rate),
    )


def _chain_factor(levels: Levels, mass2: float, sweeps: int | None) -> Square | float:
    """(1+r)/(1-r): successive mini-batches of a persistent chain are correlated by r."""
    if sweeps is None:
        return 1.0
    r = (np.outer(levels, levels) / mass2**2) ** sweeps
    return np.asarray((1 + r) / (1 - r))


def _stationary(step_variance: Square, rate: Square) -> Square:
    """Variance that gains `step_variance` and decays at `rate`; infinite where flat."""
    flat = rate <= 1e-12 * np.max(np.abs(rate))
    variance = step_variance / (2 * np.where(flat, 1.0, rate))
    return np.where(flat & (step_variance > 0), np.inf, variance)


def _drift_shift(
    levels: Levels, kernel: Levels, mass2: float, covariance: Square, ratio: float
) -> Levels:
    r"""$E_i$: the mean of $X_{ii}$ where the noise balances the curvature of the drift."""
    finite = np.where(np.isfinite(covariance), covariance, 0.0)
    pulled = mass2 * np.sum(finite / kernel, axis=1)
    pushed = kernel * ratio / 2 * ((levels / kernel).sum() + levels / kernel)
    return np.divide(pushed - pulled, levels, out=np.zeros_like(levels), where=levels > 0)


def _chain_shift(levels: Levels, kernel: Levels, mass2: float, ratio: float, sweeps: int) -> Levels:
    r"""What a persistent chain adds to $E_i$, for it remembers the noise that made the weights.

    With $q_{ij} = \alpha (x_i + x_j) v_{ij}/(1 - r_{ij})$ and $h_{ij}$ the divided difference of
    $a^k$, $\kappa_i^2 \sum_j q_{ij} [2 a_i^k h_{ij}/(\mu^2 (1 - a_i^{2k})) + r_{ij}/x_i]$.
    """
    a = levels / mass2
    memory = np.outer(a, a) ** sweeps
    noise = ratio * (levels[:, None] + levels) * (1 + np.eye(len(a))) / np.outer(kernel, kernel)
    slope = sum(np.outer(a ** (sweeps - 1 - power), a**power) for power in range(sweeps))
    contraction = a**sweeps
    bias = 2 * (contraction / (1 - contraction**2) / mass2)[:, None] * slope
    pull = np.divide(memory, levels[:, None], out=np.zeros_like(memory), where=levels[:, None] > 0)
    return np.asarray(kernel**2 * np.sum(noise / (1 - memory) * (bias + pull), axis=1))


def _learning_curve(
    target_modes: Levels, mass2: float, learnt: np.ndarray, learning_rate: float
) -> Callable[[Levels, Levels], Float[np.ndarray, "time level"]]:
    r"""$d\xi_i/dt = \alpha (1/\kappa_i - 1/(\mu^2 - \xi_i^2)) \xi_i$, solved for $\ln x_i$."""

    def curve(initial: Levels, updates: Levels) -> Float[np.ndarray, "time level"]:
        grows = initial > 0
        modes = target_modes[grows]

        def velocity(_: float, log_levels: Levels) -> Levels:
            return 2 * learning_rate * (1 / modes - 1 / (mass2 - np.exp(log_levels)))

        result = np.zeros((len(updates), len(initial)))
        if grows.any() and len(updates):
            end = max(float(updates[-1]), 1.0)
            solution = solve_ivp(
                velocity, (0.0, end), np.log(initial[grows]), "LSODA",
                t_eval=updates, rtol=1e-9, atol=1e-10,
            )  # fmt: skip
            result[:, grows] = np.exp(solution.y.T)
        return result

    return curve
