"""The labelled data set that `simulate` returns too, so that one analysis serves all."""

from typing import Any

import numpy as np
import xarray as xr

from .._attributes import attributes_of
from .._checks import real_array, seed_of, shown, whole
from .._types import ArrayLike
from .._version import __version__
from ..errors import require

_CLOSEST = 1e-140  # levels at the start: squares of forces are then finite


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
    start = descending(initial_levels, np.size(real_array("initial_levels", initial_levels)))
    gaps = -np.diff(start)
    require(
        bool((gaps > 0).all()),
        f"initial_levels = {shown(initial_levels)} must all differ: levels that meet have no"
        " force.",
    )
    require(
        bool((gaps > _CLOSEST).all()),
        f"initial_levels = {shown(initial_levels)} are {gaps.min(initial=1):.1g} apart; begin"
        f" {_CLOSEST:g} apart or more, where a force and its derivative are numbers.",
    )
    return start


def descending(initial_levels: ArrayLike, n: int) -> np.ndarray:
    """Initial levels in falling order, finite ones."""
    levels = real_array("initial_levels", initial_levels)
    require(
        levels.shape == (n,) and n > 0 and bool(np.isfinite(levels).all()),
        f"initial_levels = {shown(initial_levels)} must be {max(n, 1)} finite numbers.",
    )
    return np.sort(levels)[::-1].copy()
