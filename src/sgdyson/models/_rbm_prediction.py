r"""The stationary state of a Gaussian RBM, to first order in alpha/|B|.

In the eigenbasis of the target, $X = X^* + M$, $K^* = \mu^2 - X^*$ with eigenvalues
$\kappa^*_i$ ($= \kappa_i$ where learnt, $\mu^2$ elsewhere). The mini-batch scatters
$D = K_\varphi^{-1} - C_B$ with variances $[1 + (2/\beta - 1)\,\delta_{ij}]/(\kappa^*_i \kappa^*_j
|B|)$ (its beta components together), and one
update moves $M_{ij}$ by $\alpha (x_i + x_j) D_{ij}$ and pulls it back at the rate
$\alpha[(x_i + x_j)/(\kappa^*_i \kappa^*_j) - D^*_i - D^*_j]$, $D^*_i = 1/\kappa_i - 1/\kappa^*_i$.
Weight decay lambda lowers $1/\kappa_i$ by lambda, exactly; momentum beta makes the rate
$\alpha/(1-\beta)$. Derivation: docs, "Theory".
"""

from functools import partial

import numpy as np
from jaxtyping import Bool, Float
from scipy import special
from scipy.integrate import solve_ivp

from ..optimizers import Optimizer, effective_rate
from ..optimizers.stationary import response
from ._leading import LeadingOrder, Levels, level_repulsion_shift, mixing
from ._prediction import Prediction
from ._rbm_contrastive import Restarted, divided, fixed_points
from ._rbm_law import rbm_theory
from ._rbm_phases import Phases, covariance, wick

Square = Float[np.ndarray, "level level"]
_PLAIN = Phases()
_SMALL = 1e-6  # of a step, at the same alpha/|B|: what it is without its finite size


def predict_rbm(
    target_modes: Levels,
    rbm_mass: float,
    n_hidden: int,
    learning_rate: float,
    batch_size: float,
    sweeps: int | None,
    optimizer: Optimizer | None = None,
    phases: Phases = _PLAIN,
) -> Prediction:
    """Predict the levels of a Gaussian RBM.

    Args:
        target_modes: kappa, ascending.
        rbm_mass: mu.
        n_hidden: hidden units; only so many modes can be learnt, the infrared ones first.
        learning_rate: alpha.
        batch_size: |B| or infinity.
        sweeps: Gibbs sweeps between updates; None for independent samples.
        optimizer: a linear one; None is plain SGD.
        phases: how an update averages.
    """
    mass2 = rbm_mass**2
    alpha = effective_rate(optimizer, learning_rate)
    target, decay = 1 / target_modes, float(getattr(optimizer, "weight_decay", 0.0))
    redrawn = sweeps if phases.restarts else None
    levels, learnt = _fixed_point(target, decay, mass2, n_hidden, redrawn)
    restarted = None if redrawn is None else Restarted(levels, target, mass2, redrawn)
    kernel = mass2 - levels
    pull = np.where(learnt, 0.0, target - decay - 1.0 / kernel)
    both = levels[:, None] + levels[None, :]
    known = both / np.outer(kernel, kernel) if restarted is None else both * restarted.pull
    curvature = known - pull[:, None] - pull[None, :]
    memory = np.zeros_like(both) if sweeps is None else _chain_memory(levels, mass2, sweeps)
    v = covariance(
        phases, optimizer, learning_rate, batch_size, levels, kernel, target, curvature, memory,
        restarted,
    )  # fmt: skip
    shift = _drift_shift(levels, kernel, v) if restarted is None else restarted.shift(v)
    if sweeps is not None and restarted is None:
        left = response(optimizer, learning_rate, memory)
        noise = left * wick(len(levels), phases.beta) / batch_size
        shift = shift + _chain_shift(levels, kernel, mass2, noise, sweeps)
    slowest = alpha * np.where(learnt, np.diag(curvature), np.abs(pull))
    width = np.sqrt(np.diag(v))
    relative = np.divide(width, levels, out=np.zeros_like(width), where=learnt)
    leading = LeadingOrder(
        learning_rate=learning_rate,
        batch_size=batch_size,
        levels=levels,
        target_modes=target_modes,
        learnt=learnt,
        curvature=np.where(learnt, levels / kernel**2, 0.0),
        covariance=v,
        width=width,
        mean_shift=np.where(learnt, shift + level_repulsion_shift(levels, v), 0.0),
        relaxation_time=1.0 / slowest,
        next_order=relative**2 + (width / kernel) ** 2 + mixing(levels, v) + slowest / 2,
        _curve=partial(_learning_curve, target, decay, mass2, alpha, redrawn),
        drift_shift=np.where(learnt, shift, 0.0),
        accuracy_limit=phases.beta * _divergence(levels, kernel, target, v, shift),
        beta=phases.beta,
        _start=partial(_typical_start, n_hidden, len(target_modes), phases.beta),
    )
    small_step = partial(
        covariance, phases, optimizer, _SMALL * learning_rate, _SMALL * batch_size, levels, kernel,
        target, curvature, memory, restarted,
    )  # fmt: skip
    theory = rbm_theory(leading, rbm_mass, sweeps, optimizer, small_step, phases)
    return Prediction(leading, theory)


def _fixed_point(
    target: Levels, decay: float, mass2: float, n_hidden: int, redrawn: int | None
) -> tuple[Levels, Bool[np.ndarray, "level"]]:
    """Where learning comes to rest, and which modes are learnt.

    `redrawn` is the number of sweeps of chains that begin at the data, and None of others.
    """
    propagators = target - decay
    # the infrared ones first: a state that lacks one of them is unstable against it
    learnt = (np.arange(len(target)) < n_hidden) & (propagators > 1 / mass2)
    levels = np.where(learnt, mass2 - 1 / np.where(learnt, propagators, 1.0), 0.0)
    if redrawn is not None and decay:  # not that of another target, as with persistent chains
        levels[learnt] = fixed_points(target[learnt], decay, mass2, redrawn)
    return levels, learnt


def _divergence(
    levels: Levels, kernel: Levels, target: Levels, covariance: Square, shift: Levels
) -> float:
    r"""$\langle KL \rangle$ to first order in alpha/|B|, P the target's covariance.

    That of the fixed point, $\frac12 \sum_i [P_i \kappa^*_i - 1 - \ln P_i \kappa^*_i]$, zero where
    all is learnt without decay; $\frac12 \sum_i (1/\kappa^*_i - P_i) \langle M_{ii} \rangle$; and
    $\frac14 \sum_{ij} V_{ij}/(\kappa^*_i \kappa^*_j)$. Of a mode that is not learnt
    $\langle M_{ii} \rangle = \sum_j V_{ij}/x_j$, what leaks into it from those that are.
    """
    finite = np.where(np.isfinite(covariance), covariance, 0.0)
    at_rest = 0.5 * (target * kernel - 1 - np.log(target * kernel)).sum()
    above = levels > 0
    leaks = finite @ np.divide(1.0, levels, out=np.zeros_like(levels), where=above)
    moved = 0.5 * ((1 / kernel - target) * np.where(above, shift, leaks)).sum()
    return float(at_rest + moved + 0.25 * (finite / np.outer(kernel, kernel)).sum())


def _chain_memory(levels: Levels, mass2: float, sweeps: int) -> Square:
    """r: correlation of the chain's noise from one update to the next."""
    return np.asarray((np.outer(levels, levels) / mass2**2) ** sweeps)


def _drift_shift(levels: Levels, kernel: Levels, covariance: Square) -> Levels:
    r"""$E_i = -\sum_j (V_{ij}/\kappa_j) [1 + \kappa_i/(x_i + x_j)]$.

    The mean of $X_{ii}$ where the noise balances the curvature of the drift.
    """
    finite = np.where(np.isfinite(covariance), covariance, 0.0)
    both = levels[:, None] + levels
    push = np.divide(kernel[:, None], both, out=np.zeros_like(both), where=both > 0)
    return np.asarray(-np.sum(finite / kernel * (1 + push), axis=1))


def _chain_shift(
    levels: Levels, kernel: Levels, mass2: float, response: Square, sweeps: int
) -> Levels:
    r"""What a persistent chain adds to $E_i$, for it remembers the noise that made the weights.

    `response` is that of the weights times the mean square of unit noise. With $q_{ij} =
    -\langle M_{ij} \zeta_{ji} \rangle$, for plain SGD $\alpha (x_i + x_j) v_{ij}/(1 - r_{ij})$, and
    $h_{ij}$ the divided difference of $a^k$, $\kappa_i^2 \sum_j q_{ij} [2 a_i^k h_{ij}/(\mu^2 (1 -
    a_i^{2k})) + r_{ij}/(x_i + x_j)]$.
    """
    a, both = levels / mass2, levels[:, None] + levels
    noise = response * both / np.outer(kernel, kernel)
    slope = divided(a, sweeps)
    contraction = a**sweeps
    bias = 2 * (contraction / (1 - contraction**2) / mass2)[:, None] * slope
    memory = _chain_memory(levels, mass2, sweeps)
    pull = np.divide(memory, both, out=np.zeros_like(memory), where=both > 0)
    return np.asarray(kernel**2 * np.sum(noise * (bias + pull), axis=1))


def stable_rate(levels: Levels, mass2: float, sweeps: int | None, *, restarts: bool) -> float:
    """The largest alpha of a stable fixed point; see `GaussianRBM.stability_limit`."""
    kernel, both = mass2 - levels, levels[:, None] + levels[None, :]
    memory = np.zeros_like(both) if sweeps is None else _chain_memory(levels, mass2, sweeps)
    factor = 1.0 if restarts else 1.0 + memory
    return float(np.min(2 * factor / (1 - memory) * np.outer(kernel, kernel) / both))


def _typical_start(n_hidden: int, n_visible: int, beta: int, width: float) -> Levels:
    r"""$e^{\langle\ln x_0\rangle}$ of chi^2 of the hidden units that faster modes leave."""
    # modes beyond the hidden units are not learnt: any number at which digamma is finite
    left = np.maximum(n_hidden - np.arange(n_visible), 1)
    return np.asarray(width**2 * 2 / beta * np.exp(special.digamma(beta * left / 2)))


def _learning_curve(
    target: Levels,
    decay: float,
    mass2: float,
    alpha: float,
    sweeps: int | None,
    initial: Levels,
    updates: Levels,
) -> Float[np.ndarray, "time level"]:
    r"""$d\xi_i/dt = \alpha (1/\kappa_i - \lambda - C_i)\, \xi_i$, solved for $\ln x_i$.

    $C_i = 1/(\mu^2 - \xi_i^2)$, to which chains that begin at the data add $a^{2k} (1/\kappa_i -
    C_i)$; `sweeps` is None of those that do not.
    """
    grows = initial > 0
    pushes = target[grows]

    def velocity(_: float, log_levels: Levels) -> Levels:
        # a level grows over decades, and a step of the solver must not make it negative
        x = np.exp(log_levels)
        known = 1.0 if sweeps is None else 1 - (x / mass2) ** (2 * sweeps)
        return np.asarray(2 * alpha * (known * (pushes - 1 / (mass2 - x)) - decay))

    result = np.zeros((len(updates), len(initial)))
    if grows.any() and len(updates):
        end = max(float(updates[-1]), 1.0)
        solution = solve_ivp(
            velocity, (0.0, end), np.log(initial[grows]), "LSODA",
            t_eval=updates, rtol=1e-9, atol=1e-10,
        )  # fmt: skip
        result[:, grows] = np.exp(solution.y.T)
    return result
