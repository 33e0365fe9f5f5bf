"""Means, jackknife and bootstrap over replicas, which alone are independent of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import whole
from .._types import ArrayLike, Floats
from ..errors import require
from ._clusters import clustered_covariance, effective_size
from ._estimate import Estimate
from ._samples import by_replica, finite, value_of, with_replicas


def mean_over_replicas(x: ArrayLike) -> Estimate:
    r"""Mean over replicas and times, with the error of the replica means.

    The error is $\sqrt{\sum_r (\bar x_r - \bar x)^2/(R(R-1))}$, whatever the correlation of the
    times within a replica; the effective size is var(x)/error$^2$.

    Args:
        x: (replica, time), or (replica,).

    Returns:
        The mean.

    Raises:
        InvalidInputError: NaN, fewer than two replicas, or more than two axes.

    Examples:
        The error is that of four means, 1, 2, 3, 4, however many times each replica has:

        >>> estimate = mean_over_replicas([[1, 1, 1], [2, 2, 2], [3, 3, 3], [4, 4, 4]])
        >>> estimate.value, round(estimate.error, 12) == round((5 / 12) ** 0.5, 12)
        (2.5, True)
    """
    array = finite(x, "x")
    require(
        array.ndim <= 2,
        f"x has shape {array.shape} and one mean needs (replica, time); use means_over_replicas "
        "for a mean of each trailing element.",
    )
    samples = by_replica(array)
    mean = float(samples.mean())
    error = float(np.sqrt(clustered_covariance((samples - mean)[None])[0, 0]))
    return Estimate(mean, error, effective_size(float(samples.var()), error, samples.size))


def means_over_replicas(x: ArrayLike) -> list[Estimate]:
    """`mean_over_replicas` of each element of the last axis.

    Args:
        x: (replica, time, k), or (replica, k).

    Returns:
        k estimates; `covariance_over_replicas` tells how they are correlated.

    Raises:
        InvalidInputError: as `mean_over_replicas`.

    Examples:
        >>> [round(mean.value, 6) for mean in means_over_replicas([[[1.0, 5.0]], [[3.0, 7.0]]])]
        [2.0, 6.0]
    """
    array = finite(x, "x")
    require(
        array.ndim in (2, 3),
        f"x has shape {array.shape}; give (replica, time, k) or (replica, k).",
    )
    return [mean_over_replicas(array[..., k]) for k in range(array.shape[-1])]


def covariance_over_replicas(x: ArrayLike) -> Floats:
    """Covariance matrix of the means of `means_over_replicas`, for a fit to all of them.

    Args:
        x: (replica, time, k), or (replica, k).

    Returns:
        (k, k).

    Raises:
        InvalidInputError: as `mean_over_replicas`.
    """
    array = finite(x, "x")
    require(array.ndim in (2, 3), f"x has shape {array.shape}; give (replica, time, k).")
    replica_means = by_replica(array.reshape(array.shape[0], -1, array.shape[-1]).mean(axis=1))
    return clustered_covariance((replica_means - replica_means.mean(axis=0)).T[:, :, None])


def jackknife(
    statistic: Callable[[NDArray[Any]], float], data: NDArray[Any], groups: int = 100
) -> Estimate:
    r"""Delete-one-block jackknife over replicas.

    With blocks of unequal size $m_j$, $h_j = R/m_j$ (Busing, Meijer and van der Leeden, Stat.
    Comput. 9, 3 (1999)):

    $$\hat v = \frac1G \sum_j \frac{(\tilde\theta_j - \hat\theta_J)^2}{h_j - 1}, \qquad
    \tilde\theta_j = h_j \hat\theta - (h_j - 1) \hat\theta_{(j)} .$$

    With equal blocks it is the usual $\frac{G-1}{G} \sum_j (\hat\theta_{(j)} - \bar\theta)^2$. It
    holds for smooth statistics (moments, fits, quantiles in large blocks), not for extremes.

    Args:
        statistic: of an array like `data` with fewer replicas; called `groups` + 1 times.
        data: (replica, ...), replicas in no particular order.
        groups: number of blocks; at most one a replica is used.

    Returns:
        The statistic of all data; the effective size is the number of replicas.

    Raises:
        InvalidInputError: NaN, fewer than two replicas or groups, a statistic that is no number.
    """
    data = with_replicas(data)
    replicas, groups = len(data), whole("groups", groups, 2)
    blocks = np.array_split(np.arange(replicas), min(groups, replicas))
    of_all = value_of(statistic, data)
    left_out = np.array([value_of(statistic, np.delete(data, block, axis=0)) for block in blocks])
    h = np.array([replicas / len(block) for block in blocks])
    centred = (1.0 - h) * (left_out - of_all)  # pseudo-values from the whole, without cancellation
    centre = -np.sum((1.0 - 1.0 / h) * (left_out - of_all))
    variance = float(np.mean((centred - centre) ** 2 / (h - 1.0)))
    return Estimate(of_all, float(np.sqrt(variance)), float(replicas))


def jackknife_of_means(function: Callable[[Floats], ArrayLike], means: ArrayLike) -> Estimate:
    r"""Delete-one jackknife of a function of means, all replicas left out at once.

    The left-out means are $(R \bar m - m_r)/(R - 1)$: one vectorised call, no loop.

    Args:
        function: maps means (..., k) to values (...), as `lambda m: m[..., 0] / m[..., 1]` does.
        means: (replica, k), the means of each replica; (replica,) counts as k = 1.

    Returns:
        The function at the overall means; the effective size is the number of replicas.

    Raises:
        InvalidInputError: NaN, fewer than two replicas.

    Examples:
        Of a ratio of means, exact where all replicas have the same ratio:

        >>> ratio = jackknife_of_means(lambda m: m[..., 0] / m[..., 1], [[2, 1], [4, 2], [6, 3]])
        >>> ratio.value, ratio.error
        (2.0, 0.0)
    """
    samples = by_replica(means, "means")
    replicas = samples.shape[0]
    overall = samples.mean(axis=0)
    rest = (replicas * overall - samples) / (replicas - 1)
    left_out = finite(function(rest), "the values of function")
    require(
        left_out.shape == (replicas,),
        f"function turned means of shape {samples.shape} into shape {left_out.shape}; it must act "
        "on the last axis alone and give one value a replica.",
    )
    # (R - 1)/R times the sum of squares
    variance = (replicas - 1) * float(np.var(left_out))
    value = finite(function(overall), "the value of function").item()
    return Estimate(float(value), variance**0.5, float(replicas))


def bootstrap(
    statistic: Callable[[NDArray[Any]], float],
    data: NDArray[Any],
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Bootstrap over replicas: each resample draws whole replicas with replacement.

    Args:
        statistic: of an array like `data`; called `resamples` + 1 times.
        data: (replica, ...).
        resamples: number of them; the error of the error is 1/sqrt(2 resamples) of it.
        seed: of NumPy's default generator.

    Returns:
        The statistic of all data, its error the standard deviation among the resamples; the
        effective size is the number of replicas.

    Raises:
        InvalidInputError: NaN, fewer than two replicas or resamples, a statistic that is no
            number, a seed that is none.
    """
    data = with_replicas(data)
    replicas, resamples = len(data), whole("resamples", resamples, 2)
    rng = np.random.default_rng(whole("seed", seed, 0, 2**128 - 1))
    values = [
        value_of(statistic, data[rng.integers(replicas, size=replicas)]) for _ in range(resamples)
    ]
    return Estimate(value_of(statistic, data), float(np.std(values, ddof=1)), float(replicas))
