"""The labelled data set that `simulate` returns too, so that one analysis serves all."""

from typing import Any

import numpy as np
import xarray as xr

from .._attributes import attributes_of
from .._checks import seed_of, whole
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
    whole("replicas", replicas)
    seed_of("seed", seed)


def check_repulsion(beta: float) -> None:
    """Refuse a repulsion too weak to keep levels apart."""
    require(
        bool(np.isfinite(beta)) and beta >= 1,
        f"beta = {beta!r} must be at least 1: below, levels collide, and the equation no"
        " longer says how they go on.",
    )


def apart(initial_levels: ArrayLike) -> np.ndarray:
    """Initial levels in falling order, all different."""
    start = descending(initial_levels, np.size(initial_levels))
    require(
        bool((np.diff(start) < 0).all()),
        f"initial_levels = {initial_levels!r} must all differ: levels that meet have no force.",
    )
    return start


def descending(initial_levels: ArrayLike, n: int) -> np.ndarray:
    """Initial levels in falling order, finite ones."""
    levels = np.asarray(initial_levels, dtype=float)
    require(
        levels.shape == (n,) and bool(np.isfinite(levels).all()),
        f"initial_levels = {initial_levels!r} must be {n} finite numbers.",
    )
    return np.sort(levels)[::-1].copy()
