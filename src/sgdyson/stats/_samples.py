"""What every statistic asks of its samples."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import real_array
from ..errors import require

Floats = NDArray[np.float64]


def finite(x: ArrayLike, name: str) -> Floats:
    """`x` as float64; refused when it is empty, no real numbers, or not finite."""
    array = real_array(name, x)
    require(array.size > 0, f"{name} is empty; give at least one sample.")
    bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    require(
        bad == 0,
        f"{name} holds {bad} values that are NaN or infinite out of {array.size}; "
        "leave out the replicas that diverged before measuring.",
    )
    return array


def by_replica(x: ArrayLike, name: str = "x") -> Floats:
    """Samples as a (replica, sample) array of at least two replicas.

    A one-dimensional array holds one sample of each replica: independent samples.
    """
    array = finite(x, name)
    require(array.ndim > 0, f"{name} is a single number; its first axis must be replica.")
    require(
        array.shape[0] >= 2,
        f"{name} has {array.shape[0]} replica and an error over replicas needs at least 2; run "
        "more of them, or use mean_along_time for an error from one time series.",
    )
    return array.reshape(array.shape[0], -1)


def replicas_of(data: NDArray[Any]) -> int:
    """Length of the replica axis of `data`, at least two, all of it finite."""
    return len(by_replica(data, "data"))
