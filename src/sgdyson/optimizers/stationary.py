r"""Stationary fluctuations of one quadratic mode under an optimiser.

A weight w of curvature h sees the gradient $g = h w + n$, n noise of variance q. Optimisers with
momentum are linear: with the state z = (w, v), $z' = F z + G g$, and the stationary covariance
solves $\Sigma = A \Sigma A^T + q G G^T$, $A = F + h G e_0^T$: no approximation. Optimisers that
divide by the size of the gradient are linear in the mean: curvature $c_1 h/\sqrt v$, noise $c_2$,
$v = q + h^2 \langle w^2 \rangle$. Derivation: docs, "Theory".
"""

import numpy as np

from .._types import ArrayLike
from ..errors import require
from ._linear import linear_one, lyapunov, matrices_of, unit_covariance, unit_variance
from ._normalising import normalised_variance
from ._optimizers import Adam, Optimizer, RMSProp


def effective_rate(optimizer: Optimizer | None, learning_rate: float) -> float:
    r"""Distance moved, in all, for one unit of gradient: $\alpha/(1-\beta)$ under momentum.

    Args:
        optimizer: a linear one; None is plain SGD.
        learning_rate: alpha.

    Raises:
        NoPredictionError: an optimiser that is not linear.
    """
    beta = getattr(linear_one(optimizer), "momentum", 0.0)
    return learning_rate / (1 - beta)


def remaining(
    optimizer: Optimizer | None, learning_rate: float, curvature: float, updates: ArrayLike
) -> np.ndarray:
    """Share of a displacement that is left after so many noise-free updates from rest.

    Args:
        optimizer: a linear one; None is plain SGD.
        learning_rate: alpha.
        curvature: h.
        updates: shape (time,), counts.
    """
    drift, kick = matrices_of(linear_one(optimizer), learning_rate)
    step = drift + curvature * np.outer(kick, np.eye(len(kick))[0])
    counts = np.atleast_1d(np.asarray(updates)).astype(int)
    # [0, 0]: from rest, v = 0, the state begins as the weight alone
    return np.array([np.linalg.matrix_power(step, int(count))[0, 0] for count in counts])


def response(optimizer: Optimizer | None, learning_rate: float, memory: np.ndarray) -> np.ndarray:
    r"""$-e_0^T (1 - r F)^{-1} G$ without weight decay: what noise of memory r leaves in the weight.

    The distance moved after a unit of gradient, summed over the updates since with weights r^t.
    """
    drift, kick = matrices_of(linear_one(optimizer), learning_rate, decayed=False)
    unit = np.eye(len(kick))
    # the sum of r^t F^t G over all updates since, in closed form
    solved = np.linalg.solve(unit - memory[..., None, None] * drift, kick[:, None])
    return np.asarray(-solved[..., 0, 0])


def stationary_variance(
    optimizer: Optimizer | None,
    learning_rate: float,
    curvature: ArrayLike,
    gradient_noise: ArrayLike,
    *,
    multiplicative: ArrayLike = 0.0,
) -> np.ndarray:
    r"""Variance of a weight of curvature h under gradient noise, in the stationary state.

    Exact for `SGD`, `HeavyBall` and `Nesterov`. For plain SGD $\alpha q/(h (2 - \alpha h))$; with
    momentum, for small $\alpha$, $\alpha q/(2 h (1-\beta))$. For `RMSProp` and `Adam`, whose step
    does not know the size of the noise, $\propto \alpha \sqrt q/(2 h)$: with Gaussian noise, many
    updates to a relaxation time and, for Adam, $b_2$ near 1.

    Args:
        optimizer: None is plain SGD.
        learning_rate: alpha.
        curvature: h, positive; any shape.
        gradient_noise: variance q of the gradient; any shape that fits.
        multiplicative: m, if the gradient's variance is $q + m w^2$ (linear optimisers only).

    Returns:
        Variances; infinite where the optimiser is not stable.

    Raises:
        NoPredictionError: an optimiser without a theory here.
    """
    h, q, m = np.broadcast_arrays(
        *(np.asarray(a, float) for a in (curvature, gradient_noise, multiplicative))
    )
    require(bool((h > 0).all()), f"curvature = {curvature!r} must be positive.")
    if isinstance(optimizer, RMSProp | Adam):
        require(not m.any(), "multiplicative noise has a theory under linear optimisers alone.")
        return normalised_variance(optimizer, learning_rate, h, q)
    unit = unit_variance(*matrices_of(linear_one(optimizer), learning_rate), h)
    stable = np.isfinite(unit)
    # V = S (q + m V), S = `unit`: the noise holds the variance that it makes
    growth = np.where(stable, unit, 0.0) * m  # of the noise with the weight's own variance
    stable = stable & (growth < 1)
    return np.where(stable, unit * q / np.where(stable, 1 - growth, 1.0), np.inf)


def remembered_variance(
    optimizer: Optimizer | None,
    learning_rate: float,
    curvature: np.ndarray,
    gradient_noise: np.ndarray,
    memory: np.ndarray,
    at_once: np.ndarray,
    *,
    remembers: bool = True,
) -> np.ndarray:
    r"""Variance of a weight whose gradient remembers, as that of a persistent chain does.

    The gradient is $y' + h_0 w$ with $y' = r y + (1 - r) h w + \eta$: what the samples know of the
    weight, and their noise, are both forgotten by r an update. With the state z of the optimiser,
    $z' = F z + G (y' + h_0 w)$; the covariance of (z, y) solves a discrete Lyapunov equation,
    without approximation. Under plain SGD, $h_0 = 0$ and $f = (1 + r)/(1 - r)$, it is
    $\alpha^2 q f/[\gamma (2 - \gamma/f)]$, $\gamma = \alpha h$.

    Args:
        optimizer: a linear one, its weight decay left out; None is plain SGD.
        learning_rate: alpha.
        curvature: h, any shape.
        gradient_noise: variance q of y, at a weight at rest; the same shape.
        memory: r, from 0 to below 1; the same shape.
        at_once: $h_0$; the same shape.
        remembers: whether the noise is eta, which is remembered as y is; otherwise it is fresh in
            every gradient, of variance q, and only the curvature is remembered.

    Returns:
        Variances; infinite where not stable.
    """
    drift, kick = matrices_of(linear_one(optimizer), learning_rate, decayed=False)
    size = len(kick) + 1
    gradient = np.zeros((*curvature.shape, size))  # y' + h_0 w, as a row on (z, y)
    gradient[..., 0] = (1 - memory) * curvature + at_once
    gradient[..., -1] = memory
    step = np.zeros((*curvature.shape, size, size))
    step[..., :-1, :-1] = drift
    # y' and not y: the optimiser is driven by the gradient of the same update
    step[..., :-1, :] += kick[:, None] * gradient[..., None, :]
    step[..., -1, :] = gradient
    step[..., -1, 0] -= at_once  # which acts, and is not remembered
    source = np.append(kick, 1.0 if remembers else 0.0)
    unit = lyapunov(step, step, np.outer(source, source))[..., 0, 0]
    # of eta: y, which remembers, has the variance q at rest
    fresh = gradient_noise * (1 - memory**2) if remembers else gradient_noise
    return np.where(np.isfinite(unit), unit * fresh, np.inf)


def stationary_covariance(
    optimizer: Optimizer | None,
    learning_rate: float,
    hessian: np.ndarray,
    gradient_noise: np.ndarray,
) -> np.ndarray:
    """Stationary covariance of weights that interact, under a linear optimiser; exact.

    A direction in which loss and decay are flat must be free of noise, and is left at rest.

    Args:
        optimizer: a linear one; None is plain SGD.
        learning_rate: alpha.
        hessian: hessian of the loss, without weight decay, shape (weight, weight).
        gradient_noise: covariance of the gradient, shape (weight, weight).
    """
    linear = linear_one(optimizer)
    curvatures, directions = np.linalg.eigh(hessian)
    source = directions.T @ gradient_noise @ directions
    total = curvatures + linear.weight_decay
    # to the rounding of `eigh`, which is that of the largest
    flat = np.abs(total) <= 1e-10 * np.abs(total).max()
    # any number that can be solved for: `moving` takes these entries out again
    curvatures = np.where(flat, 1.0, curvatures)
    left, right = np.meshgrid(curvatures, curvatures, indexing="ij")
    unit = unit_covariance(*matrices_of(linear, learning_rate), left, right)
    moving = ~flat[:, None] & ~flat
    return np.asarray(directions @ np.where(moving, unit * source, 0.0) @ directions.T)
