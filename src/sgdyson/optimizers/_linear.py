r"""Linear optimisers as matrices of the state (w, v), and the covariances that they make."""

import numpy as np

from ..errors import NoPredictionError
from ._optimizers import SGD, HeavyBall, Nesterov, Optimizer

Linear = tuple[np.ndarray, np.ndarray]  # F and G


def linear_one(optimizer: Optimizer | None) -> SGD | HeavyBall | Nesterov:
    """The optimiser, if it is linear; plain SGD of None."""
    if optimizer is None:
        return SGD()
    if not isinstance(optimizer, SGD | HeavyBall | Nesterov):
        raise NoPredictionError(
            f"optimizer = {optimizer!r} has no closed-form prediction here; SGD, HeavyBall and"
            " Nesterov have."
        )
    return optimizer


def matrices_of(
    optimizer: SGD | HeavyBall | Nesterov, alpha: float, *, decayed: bool = True
) -> Linear:
    """F and G of z' = F z + G g."""
    decay = optimizer.weight_decay if decayed else 0.0
    if isinstance(optimizer, SGD):
        return np.array([[1 - alpha * decay]]), np.array([-alpha])
    beta = optimizer.momentum
    ahead = 1 + beta if isinstance(optimizer, Nesterov) else 1.0  # of the gradient in the step
    behind = beta**2 if isinstance(optimizer, Nesterov) else beta  # of v in it
    # w' = w - alpha [ahead (g + lambda w) + behind v]; Nesterov's g + lambda w + beta v' is (1 +
    # beta)(g + lambda w) + beta^2 v
    drift = np.array([[1 - alpha * ahead * decay, -alpha * behind], [decay, beta]])
    return drift, np.array([-alpha * ahead, 1.0])


def unit_variance(drift: np.ndarray, kick: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Variance of the weight for noise of variance 1; infinite where not stable."""
    return unit_covariance(drift, kick, curvature, curvature)


def unit_covariance(
    drift: np.ndarray, kick: np.ndarray, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Covariance of two weights of these curvatures that feel one noise of variance 1."""
    # A = F + h G e_0^T, (17) of docs, "Theory": h w enters where the noise does
    pull = np.outer(kick, np.eye(len(kick))[0])
    first, second = (drift + curvature[..., None, None] * pull for curvature in (left, right))
    return np.asarray(lyapunov(first, second, np.outer(kick, kick))[..., 0, 0])


def lyapunov(first: np.ndarray, second: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Sigma = A Sigma B^T + source, infinite where A or B does not contract."""
    # of two weights A and B differ, which SciPy's discrete Lyapunov equation does not have; a state
    # has at most three numbers, so that nine equations are solved directly, all modes at once
    size = source.shape[-1]
    radii = [np.abs(np.linalg.eigvals(step)).max(axis=-1) for step in (first, second)]
    stable = (np.maximum(*radii) < 1)[..., None, None]
    product = np.einsum("...ij,...kl->...ikjl", first, second)
    product = product.reshape(*first.shape[:-2], size**2, size**2)
    # vec(A Sigma B^T) = (A x B) vec(Sigma); one system that is singular would stop all the others
    product = np.where(stable, product, 0.0)
    solved = np.linalg.solve(np.eye(size**2) - product, source.reshape(size**2, 1))
    return np.where(stable, solved.reshape(*first.shape[:-2], size, size), np.inf)
