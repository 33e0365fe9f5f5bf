"""Single updates of the matrices of one architecture under one optimiser, of many replicas."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ..._files import replacing
from ..._types import Floats
from ...campaign import Setting, parse_spec
from ...engine import simulate
from ...models import Model
from ...models.network import Network
from ...tracking import level_steps_along
from .._weights import recorded_weights
from ..linear_scaling import place_of_middle, spec

_BURST = 8  # updates


def middle(architecture: str, optimizer: str, seed: int) -> Setting:
    """The setting in the middle of both scans of the study `linear-scaling`."""
    settings = parse_spec(spec(architecture, optimizer, seed), architecture).settings
    return settings[place_of_middle(settings)]


def recorded(setting: Setting, replicas: int, bursts: int, store: Path) -> dict[str, Any]:
    """Bursts of steps, and last levels, of each matrix; not run again where they are stored.

    Args:
        setting: model and learning.
        replicas: how many.
        bursts: of eight updates each, one after the other.
        store: an .npz.

    Returns:
        By matrix: `steps` (burst, step, level, 5) of replicas that did not diverge, and `levels`
        (replica, level) at the end.
    """
    if not store.exists():
        arrays = _measured(setting, replicas, bursts)
        store.parent.mkdir(parents=True, exist_ok=True)
        with replacing(store) as scratch:
            np.savez(scratch, **arrays)
    with np.load(store) as arrays:
        names = dict.fromkeys(name.rpartition("/")[0] for name in arrays.files)
        return {
            name: {kind: arrays[f"{name}/{kind}"] for kind in ("steps", "levels", "shape")}
            for name in names
        }


def _measured(setting: Setting, replicas: int, bursts: int) -> dict[str, Any]:
    model, learning = setting.build(), setting.learning
    run = simulate(
        model, learning_rate=learning.learning_rate, batch_size=learning.batch_size,
        optimizer=learning.factory(), replicas=replicas, updates=_BURST * bursts, record_every=1,
        record_from=setting.burn_in_updates, seed=setting.stream, record_weights=True,
        progress=False,
    )  # fmt: skip
    good = ~run.diverged.values
    arrays = {}
    for name, matrix in matrices(model, run).items():
        history = matrix[good]
        steps = [
            level_steps_along(history[r, _BURST * b : _BURST * (b + 1) + 1])
            for b in range(bursts)  # so that a block of bursts holds all replicas
            for r in range(len(history))
        ]
        arrays[f"{name}/steps"] = np.array(steps)
        arrays[f"{name}/levels"] = np.linalg.svd(history[:, -1], compute_uv=False)
        arrays[f"{name}/shape"] = np.array(history.shape[2:])
    return arrays


def matrices(model: Model, run: xr.Dataset) -> dict[str, Floats]:
    """Each matrix by its name, (replica, time, row, column)."""
    if not isinstance(model, Network):
        return {"weights": run["weights"].values}
    named = model.matrices(recorded_weights(model, run))
    return {name: np.asarray(matrix, np.float64) for name, matrix in named.items()}
