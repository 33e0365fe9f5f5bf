r"""Stationary fluctuations of one quadratic mode under an optimiser.

A weight w of curvature h sees the gradient $g = h w + n$, n noise of variance q. Optimisers with
momentum are linear: with the state z = (w, v), $z' = F z + G g$, and the stationary covariance
solves $\Sigma = A \Sigma A^T + q G G^T$, $A = F + h G e_0^T$: no approximation. Optimisers that
divide by the size of the gradient are linear in the mean: curvature $c_1 h/\sqrt v$, noise $c_2$,
$v = q + h^2 \langle w^2 \rangle$. Derivation: docs, "Theory".
"""

import numpy as np
from scipy import integrate

from .._types import ArrayLike
from ..errors import NoPredictionError, require
from ._optimizers import SGD, Adam, HeavyBall, Nesterov, Optimizer, RMSProp

Linear = tuple[np.ndarray, np.ndarray]  # F and G


def effective_rate(optimizer: Optimizer | None, learning_rate: float) -> float:
    r"""Distance moved, in all, for one unit of gradient: $\alpha/(1-\beta)$ under momentum.

    Args:
        optimizer: a linear one; None is plain SGD.
        learning_rate: alpha.

    Raises:
        NoPredictionError: an optimiser that is not linear.
    """
    beta = getattr(_linear_one(optimizer), "momentum", 0.0)
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
    drift, kick = _matrices(_linear_one(optimizer), learning_rate)
    step = drift + curvature * np.outer(kick, np.eye(len(kick))[0])
    counts = np.atleast_1d(np.asarray(updates)).astype(int)
    return np.array([np.linalg.matrix_power(step, int(count))[0, 0] for count in counts])


def response(optimizer: Optimizer | None, learning_rate: float, memory: np.ndarray) -> np.ndarray:
    r"""$-e_0^T (1 - r F)^{-1} G$ without weight decay: what noise of memory r leaves in the weight.

    The distance moved after a unit of gradient, summed over the updates since with weights r^t.
    """
    drift, kick = _matrices(_linear_one(optimizer), learning_rate, decayed=False)
    unit = np.eye(len(kick))
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
        return _normalised_variance(optimizer, learning_rate, h, q)
    unit = _unit_variance(*_matrices(_linear_one(optimizer), learning_rate), h)
    stable = np.isfinite(unit)
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
    drift, kick = _matrices(_linear_one(optimizer), learning_rate, decayed=False)
    size = len(kick) + 1
    gradient = np.zeros((*curvature.shape, size))  # y' + h_0 w, as a row on (z, y)
    gradient[..., 0] = (1 - memory) * curvature + at_once
    gradient[..., -1] = memory
    step = np.zeros((*curvature.shape, size, size))
    step[..., :-1, :-1] = drift
    step[..., :-1, :] += kick[:, None] * gradient[..., None, :]
    step[..., -1, :] = gradient
    step[..., -1, 0] -= at_once  # which acts, and is not remembered
    source = np.append(kick, 1.0 if remembers else 0.0)
    unit = _solved(step, step, np.outer(source, source))[..., 0, 0]
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
    linear = _linear_one(optimizer)
    curvatures, directions = np.linalg.eigh(hessian)
    source = directions.T @ gradient_noise @ directions
    total = curvatures + linear.weight_decay
    # to the rounding of `eigh`, which is that of the largest
    flat = np.abs(total) <= 1e-10 * np.abs(total).max()
    curvatures = np.where(flat, 1.0, curvatures)
    left, right = np.meshgrid(curvatures, curvatures, indexing="ij")
    unit = _unit_covariance(*_matrices(linear, learning_rate), left, right)
    moving = ~flat[:, None] & ~flat
    return np.asarray(directions @ np.where(moving, unit * source, 0.0) @ directions.T)


def _linear_one(optimizer: Optimizer | None) -> SGD | HeavyBall | Nesterov:
    if optimizer is None:
        return SGD()
    if not isinstance(optimizer, SGD | HeavyBall | Nesterov):
        raise NoPredictionError(
            f"optimizer = {optimizer!r} has no closed-form prediction here; SGD, HeavyBall and"
            " Nesterov have."
        )
    return optimizer


def _matrices(
    optimizer: SGD | HeavyBall | Nesterov, alpha: float, *, decayed: bool = True
) -> Linear:
    """F and G of z' = F z + G g."""
    decay = optimizer.weight_decay if decayed else 0.0
    if isinstance(optimizer, SGD):
        return np.array([[1 - alpha * decay]]), np.array([-alpha])
    beta = optimizer.momentum
    ahead = 1 + beta if isinstance(optimizer, Nesterov) else 1.0  # of the gradient in the step
    behind = beta**2 if isinstance(optimizer, Nesterov) else beta  # of v in it
    drift = np.array([[1 - alpha * ahead * decay, -alpha * behind], [decay, beta]])
    return drift, np.array([-alpha * ahead, 1.0])


def _averaging(alpha: float, b1: float) -> Linear:
    """F and G of m' = b1 m + (1 - b1) g, w' = w - alpha m'."""
    drift = np.array([[1.0, -alpha * b1], [0.0, b1]])
    return drift, np.array([-alpha * (1 - b1), 1 - b1])


def _unit_variance(drift: np.ndarray, kick: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Variance of the weight for noise of variance 1; infinite where not stable."""
    return _unit_covariance(drift, kick, curvature, curvature)


def _unit_covariance(
    drift: np.ndarray, kick: np.ndarray, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Covariance of two weights of these curvatures that feel one noise of variance 1."""
    pull = np.outer(kick, np.eye(len(kick))[0])
    first, second = (drift + curvature[..., None, None] * pull for curvature in (left, right))
    return np.asarray(_solved(first, second, np.outer(kick, kick))[..., 0, 0])


def _solved(first: np.ndarray, second: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Sigma = A Sigma B^T + source, infinite where A or B does not contract."""
    size = source.shape[-1]
    radii = [np.abs(np.linalg.eigvals(step)).max(axis=-1) for step in (first, second)]
    stable = (np.maximum(*radii) < 1)[..., None, None]
    product = np.einsum("...ij,...kl->...ikjl", first, second)
    product = product.reshape(*first.shape[:-2], size**2, size**2)
    # vec(A Sigma B^T) = (A x B) vec(Sigma); one system that is singular would stop all the others
    product = np.where(stable, product, 0.0)
    solved = np.linalg.solve(np.eye(size**2) - product, source.reshape(size**2, 1))
    return np.where(stable, solved.reshape(*first.shape[:-2], size, size), np.inf)


def _normalised_variance(
    optimizer: RMSProp | Adam, alpha: float, h: np.ndarray, q: np.ndarray
) -> np.ndarray:
    """The gradient's mean square holds the weight's own fluctuation: a fixed point, iterated."""
    if isinstance(optimizer, RMSProp):
        linear, (drift_gain, noise_gain) = _averaging(alpha, 0.0), _gains(optimizer.decay)
    else:
        linear, (drift_gain, noise_gain) = _averaging(alpha, optimizer.b1), (1.0, 1.0)
    variance = np.zeros(h.shape)
    for _ in range(200):
        square = np.where(q > 0, q + h**2 * variance, 1.0)
        unit = _unit_variance(*linear, drift_gain * h / np.sqrt(square))
        previous, variance = variance, np.where(q > 0, unit * noise_gain * q / square, 0.0)
        if np.allclose(variance, previous, rtol=1e-12, atol=0):
            break
    return variance


def _gains(decay: float) -> tuple[float, float]:
    r"""$\langle n^2/\sqrt v \rangle$ and $\langle n^2/v \rangle$ of unit noise, v its mean square.

    $v = \sum_k a_k n_k^2$, $a_k = (1-b) b^k$, n_0 being the n above: with $v^{-p} = \int t^{p-1}
    e^{-t v} dt/\Gamma(p)$ each is an integral of $(1 + 2 t a_0)^{-1} \prod_k (1 + 2 t a_k)^{-1/2}$.
    """
    # 40,000 terms at b = 0.999: what they leave out is b^terms = exp(-40), below rounding
    terms = max(int(np.ceil(-40 / np.log(decay))), 1) if decay > 0 else 1
    weights = (1 - decay) * decay ** np.arange(terms)

    def law(t: float) -> float:
        return float(np.exp(-0.5 * np.log1p(2 * t * weights).sum()) / (1 + 2 * t * weights[0]))

    # t = x^2 takes the root singularity of p = 1/2 away
    half = integrate.quad(lambda x: 2 * law(x**2), 0, np.inf)[0] / np.sqrt(np.pi)
    return half, integrate.quad(law, 0, np.inf)[0]
