"""What every statistic asks of its samples."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import finite as checked
from .._checks import reals, shown, whole
from .._types import ArrayLike, Floats
from ..errors import require


def finite(x: Any, name: str) -> Floats:
    """`x` as float64; refused when it is empty, no real numbers, or not finite."""
    array = reals(name, x, "leave out the replicas that hold them")
    require(array.size > 0, f"{name} is empty; give at least one sample.")
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


def with_replicas(data: Any) -> NDArray[Any]:
    """`data` as an array, its first axis of at least two replicas, all of it finite."""
    by_replica(data, "data")
    return np.asarray(data)


def value_of(statistic: Callable[[NDArray[Any]], float], data: NDArray[Any]) -> float:
    """A statistic of data; refused when it is no finite number."""
    return checked("the value of statistic", statistic(data))


def dyson_index(beta: int) -> int:
    """1, 2 or 4.

    Raises:
        InvalidInputError: anything else.
    """
    index = whole("beta", beta)
    require(index in (1, 2, 4), f"beta = {shown(beta)} must be 1, 2 or 4.")
    return index
