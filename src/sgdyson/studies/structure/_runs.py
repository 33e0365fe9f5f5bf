"""The runs of a study of one network: levels and loss of each replica, kept once it is finished."""

import shutil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from ..._threads import cores
from ...engine import simulate
from ...errors import require
from ...models.network import Network
from ...optimizers import Optimizer
from .._weights import recorded_weights

_WINDOWS = 64  # samples on which the loss is measured


def trained(
    model: Network, optimizer: Optimizer, replicas: int, how: dict[str, Any], folder: Path
) -> xr.Dataset:
    """`levels`, `loss` and `diverged` of every replica; those that are finished are not run again.

    Args:
        model: what learns.
        optimizer: by which.
        replicas: how many.
        how: other arguments of `simulate`, plain values.
        folder: of a store for each replica, made if need be.

    Raises:
        InvalidInputError: a store of another model or of other arguments.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stores = [folder / f"replica-{number}.zarr" for number in range(replicas)]
    for store in stores:
        if store.exists():
            _check(store, {**how, **model.settings()})
    # as many as train side by side, stored before the next begin
    for first in range(0, replicas, cores()):
        chosen = range(first, min(first + cores(), replicas))
        if not all(stores[number].exists() for number in chosen):
            run = simulate(model, **how, optimizer=optimizer, replicas=chosen, record_weights=True)
            run["loss"] = (("replica", "time"), _losses(model, run))
            for number in chosen:
                _write(run[["levels", "loss", "diverged"]].sel(replica=[number]), stores[number])
    runs = xr.concat([_open(store) for store in stores], "replica", combine_attrs="override")
    return runs.assign_coords(matrix=("level", list(model.matrix_names())))


def _check(store: Path, expected: dict[str, Any]) -> None:
    settings = _open(store).attrs
    for name, value in expected.items():
        require(
            settings.get(name) == value,
            f"{store} is of a run with {name} = {settings.get(name)!r}, not {value!r}; choose"
            f" another folder, or remove {store.parent}.",
        )


def _open(store: Path) -> xr.Dataset:
    return xr.open_zarr(store, consolidated=False).load()


def _write(run: xr.Dataset, store: Path) -> None:
    """Moved into its place when complete; without names of matrices, since Zarr warns of text."""
    partial = store.with_name(f".{store.name}.partial")
    run.drop_vars("matrix", errors="ignore").to_zarr(partial, mode="w", consolidated=False)
    shutil.rmtree(store, ignore_errors=True)
    partial.rename(store)


def _losses(model: Network, run: xr.Dataset) -> Float[np.ndarray, "replica time"]:
    """Losses of every record, on the same samples."""
    weights = recorded_weights(model, run)
    with jax.enable_x64(True):
        # one program, not one for each operation
        samples = jax.jit(lambda: model.batch(jax.random.key(0), _WINDOWS))()
        ensemble = jax.jit(jax.vmap(lambda weights: model.loss(weights, samples)))
        losses = [
            ensemble(jax.tree.map(lambda leaf: jnp.asarray(leaf[:, time]), weights))  # noqa: B023
            for time in range(run.sizes["time"])
        ]
    return np.stack(losses, axis=1).astype(np.float64)
