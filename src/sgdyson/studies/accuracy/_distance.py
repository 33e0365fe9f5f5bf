"""How far weights are from what they learn."""

import numpy as np
import xarray as xr

from ..._types import Floats
from ...models import GaussianRBM


def divergence(weights: Floats, rbm_mass: float, target_kernel: Floats) -> Floats:
    r"""$KL = \frac12 [\mathrm{tr}(K P) - N - \ln \det(K P)]$ in nats, $K = \mu^2 - W^T W$.

    Args:
        weights: (..., hidden, visible).
        rbm_mass: mu.
        target_kernel: of the distribution, $P = K_\varphi^{-1}$.

    Returns:
        (...).
    """
    kernel = rbm_mass**2 * np.eye(len(target_kernel)) - weights.mT @ weights
    return divergence_of_kernels(kernel, target_kernel)


def divergence_of_kernels(kernel: Floats, target_kernel: Floats) -> Floats:
    """The same of the learnt kernel itself."""
    # L^-1 K L^-T, with L L^T = P^-1, has the eigenvalues of K P, and is symmetric
    root = np.linalg.inv(np.linalg.cholesky(target_kernel))
    ratio = np.linalg.eigvalsh(root @ kernel @ root.T)
    return np.asarray(0.5 * (ratio - 1 - np.log(ratio)).sum(axis=-1))


def squared_error(weights: Floats, teacher: Floats) -> Floats:
    """|W - W_t|^2, of weights (..., n, n) and a diagonal teacher."""
    return np.asarray(((weights - np.diag(teacher)) ** 2).sum(axis=(-2, -1)))


def at_the_fixed_point(model: GaussianRBM) -> Floats:
    """Weights with which a machine is begun where learning without noise ends."""
    modes, vectors = np.linalg.eigh(model.target_kernel)
    # modes above mu^2 cannot be learnt, and their level stays at zero
    scale = np.sqrt(np.maximum(model.rbm_mass**2 - modes, 0.0))
    return np.asarray(scale[:, None] * vectors.T)


def good_weights(run: xr.Dataset, first: int = 1) -> Floats:
    """Weights (replica, time, ...) from a record on, without diverged replicas."""
    return np.asarray(run.weights.values[~run.diverged.values][:, first:])
