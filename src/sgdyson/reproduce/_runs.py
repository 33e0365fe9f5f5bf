"""Runs on disk: each written whole or not at all, so that a stopped reproduction goes on."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .. import __version__
from ..errors import InvalidInputError, require
from ..learning import simulate
from ._settings import Setting

MARKER = "reproduction.json"


def open_folder(out: Path, preset: str, seed: int) -> None:
    """Claim the folder for this reproduction, or recognise it as already claimed.

    Raises:
        InvalidInputError: a folder with other contents, or one that cannot be written.
    """
    claim = {"preset": preset, "seed": seed, "sgdyson_version": __version__}
    marker = out / MARKER
    try:
        if marker.is_file():
            found = json.loads(marker.read_text())
            require(
                found == claim,
                f"--out {out} holds a reproduction with {found}, not {claim}; choose another"
                " folder, or remove this one.",
            )
        else:
            foreign = next(iter(out.iterdir()), None) if out.is_dir() else None
            require(
                foreign is None,
                f"--out {out} is not empty (it holds {foreign and foreign.name}) and not a"
                " reproduction; choose another folder.",
            )
            out.mkdir(parents=True, exist_ok=True)
            marker.write_text(json.dumps(claim, indent=2) + "\n")
        (out / "runs").mkdir(exist_ok=True)
        (out / "figures").mkdir(exist_ok=True)
    except (OSError, json.JSONDecodeError) as error:
        raise InvalidInputError(
            f"--out {out} cannot be used ({error}); choose a folder that can be written."
        ) from error


def run_or_load(setting: Setting, out: Path, seed: int, *, progress: bool = True) -> xr.Dataset:
    """The finished run on disk, or a new one, written in one move when it is complete."""
    store = out / "runs" / f"{setting.name}.zarr"
    if not store.exists():
        began = time.monotonic()
        run = simulate(setting.model, **setting.arguments(seed), progress=progress)
        run.attrs["seconds"] = round(time.monotonic() - began, 3)
        run.attrs["finished"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        _write(run, store)
    found: xr.Dataset = xr.open_zarr(store, consolidated=False, chunks=None).load()
    _compare(found, setting, seed, store)
    return found


def _write(run: xr.Dataset, store: Path) -> None:
    partial = store.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    # float32 of a level would lose the repulsion at small gaps; time is the fast axis on disk
    run.to_zarr(partial, mode="w", consolidated=False, zarr_format=3)
    partial.rename(store)


def _compare(run: xr.Dataset, setting: Setting, seed: int, store: Path) -> None:
    """Refuse a stored run of another setting, as an older version might have left it."""
    expected: dict[str, Any] = {**setting.model.settings(), **setting.arguments(seed)}
    del expected["replicas"]
    for name, value in expected.items():
        found = run.attrs.get(name)
        require(
            bool(np.array_equal(np.asarray(found), np.asarray(value)))
            and run.sizes["replica"] == setting.replicas,
            f"{store} was run with {name} = {found} and {run.sizes['replica']} replicas, not"
            f" {value} and {setting.replicas}; remove it, or choose another --out.",
        )
