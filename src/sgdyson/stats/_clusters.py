"""Covariances of means when samples of one replica are not independent."""

import numpy as np

from .._types import Floats


def clustered_covariance(influence: Floats) -> Floats:
    r"""Covariance of a mean of influence functions, each replica one cluster.

    $$C = \frac{R}{R-1} \frac{1}{n^2} \sum_r \Big(\sum_s \psi_{rs}\Big) \Big(\sum_s
    \psi_{rs}\Big)^T, \qquad n = R \times \text{samples},$$

    the sandwich estimator of Liang and Zeger, Biometrika 73, 13 (1986), which asks for
    independence of the replicas alone.

    Args:
        influence: (parameter, replica, sample); how far each sample moves each parameter, zero on
            average.

    Returns:
        (parameter, parameter).
    """
    replicas = influence.shape[1]
    means = influence.mean(axis=2)
    return np.asarray(means @ means.T / (replicas * (replicas - 1)))


def clustered_variances(replica_means: Floats) -> Floats:
    """Variances of the means over replicas of (replica, k); the diagonal of the above, (k,)."""
    return np.asarray(np.var(replica_means, axis=0, ddof=1) / len(replica_means))


def effective_size(variance: float, error: float, samples: int) -> float:
    """variance/error^2: how many independent samples would give this error; all, if no error."""
    return (variance**0.5 / error) ** 2 if error > 0 else float(samples)
