"""The labelled data set that `simulate` returns too, so that one analysis serves all."""

from typing import Any

import numpy as np
import xarray as xr

from .._attributes import attributes_of
from .._types import ArrayLike
from .._version import __version__
from ..errors import require


def labelled(
    levels: np.ndarray, times: np.ndarray, diverged: np.ndarray, settings: dict[str, Any]
) -> xr.Dataset:
    """Levels of shape (replica, time, level), descending, with the settings as attributes."""
    return xr.Dataset(
        {"levels": (("replica", "time", "level"), levels), "diverged": ("replica", diverged)},
        coords={"replica": np.arange(len(levels)), "time": times},
        attrs=attributes_of({**settings, "sgdyson_version": __version__}),
    )


def check_ensemble(replicas: int, seed: int) -> None:
    """Refuse numbers of replicas or seeds that are not whole."""
    require(
        isinstance(replicas, int | np.integer) and replicas >= 1,
        f"replicas = {replicas!r} must be a whole number of at least 1.",
    )
    require(
        isinstance(seed, int | np.integer) and 0 <= seed < 2**63,
        f"seed = {seed!r} must be a whole number, not negative.",
    )


def descending(initial_levels: ArrayLike, n: int) -> np.ndarray:
    """Initial levels in falling order; finite ones, and all apart where a process needs it."""
    levels = np.asarray(initial_levels, dtype=float)
    require(
        levels.shape == (n,) and bool(np.isfinite(levels).all()),
        f"initial_levels = {initial_levels!r} must be {n} finite numbers.",
    )
    return np.sort(levels)[::-1].copy()
