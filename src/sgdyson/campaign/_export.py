"""A campaign as one netCDF file, or as a table: written chunk by chunk, whatever its size."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import xarray as xr

from .._attributes import json_text
from .._files import replacing, user_path
from ..errors import InvalidInputError, require
from ._frame import KINDS, dimensions
from ._stored_campaign import StoredCampaign

_WORDS = {
    "levels": ("levels of the weights, in descending order", "1"),
    "diverged": ("weights would not have been finite any more, and were frozen", None),
    "diverged_at": ("update at which a replica diverged, -1 where it did not", None),
    "finished": ("the replica has been run", None),
    "replica": ("independent replica", None),
    "time": ("time since the end of the burn-in", "updates"),
    "burn_in": ("burn-in before the first record", "updates"),
    "record_every": ("time between records", "updates"),
    "stream": ("seed of the setting, as `simulate` takes it", None),
    "matrix": ("weight matrix that a level belongs to", None),
    "learning_rate": ("learning rate", "1"),
    "batch_size": ("batch size", "1"),
}


class Slab(NamedTuple):
    """Finished replicas of one setting, with what was recorded of them."""

    setting: int
    replicas: range
    arrays: dict[str, np.ndarray]


def slabs(campaign: StoredCampaign) -> Iterator[Slab]:
    """Every finished chunk, in the order of settings and replicas; one is in memory at a time."""
    store = campaign.store
    done = store.done()
    store.require_whole(done, thorough=True)
    run = store.opened()
    for chunk, entry in sorted(done.items()):
        replicas = range(*entry.replicas)
        where = (*store.layout.place(chunk.setting), slice(replicas.start, replicas.stop))
        arrays = {name: np.asarray(run[name][where].values) for name in KINDS}
        yield Slab(chunk.setting, replicas, arrays)


def write_csv(campaign: StoredCampaign, stream: IO[str]) -> None:
    """A row for each level of each record of each finished replica."""
    spec = campaign.spec
    names = [key.rpartition(".")[2] for key in spec.varied]
    matrices = campaign.open().coords.get("matrix")
    writer = csv.writer(stream, lineterminator="\n")
    labels = [*names, "replica", "time", "level", *(["matrix"] if matrices is not None else [])]
    writer.writerow([*labels, *KINDS])
    time = (spec.first.record_every * np.arange(spec.first.times)).tolist()
    for setting, replicas, arrays in slabs(campaign):
        values = _values(campaign, setting)
        levels = range(campaign.levels_of(setting))
        matrix = None if matrices is None else matrices.values.tolist()
        for row, replica in enumerate(replicas):
            rest = [bool(arrays["diverged"][row]), int(arrays["diverged_at"][row])]
            numbers = arrays["levels"][row].tolist()
            writer.writerows(
                [
                    *values,
                    replica,
                    t,
                    level,
                    *([matrix[level]] if matrix else []),
                    at_t[level],
                    *rest,
                ]
                for t, at_t in zip(time, numbers, strict=True)
                for level in levels
            )


def write_netcdf(campaign: StoredCampaign, path: Path) -> None:
    """All arrays and coordinates with their units, in netCDF-4."""
    try:
        import h5netcdf
        import h5py  # noqa: F401, which h5netcdf no longer brings
    except ImportError as error:
        raise InvalidInputError(
            'netCDF needs h5netcdf; install it with: pip install "sgdyson[netcdf]".'
        ) from error
    run, store = campaign.open(), campaign.store
    small = xr.Dataset(coords=run.coords, attrs=_attributes(campaign))
    small["finished"] = run.finished
    for name, variable in small.variables.items():
        variable.attrs |= _described(str(name), campaign)
    small.to_netcdf(path, engine="h5netcdf")
    with h5netcdf.File(path, "a") as file:
        _create_arrays(file, campaign)
        for setting, replicas, arrays in slabs(campaign):
            where = (*store.layout.place(setting), slice(replicas.start, replicas.stop))
            for name, values in arrays.items():
                file.variables[name][where] = values.astype(_type(name))


def require_not_read(campaign: StoredCampaign, *files: Path | None) -> None:
    """Refuse to write over what a campaign is made of.

    Raises:
        InvalidInputError: a file of its own.
    """
    folder = campaign.store.folder.resolve()
    for path in files:
        place = None if path is None else user_path(path).resolve()
        own = place is not None and place.is_relative_to(folder)
        inner = place.relative_to(folder).parts[:1] if own and place else ()
        require(
            inner not in {("data.zarr",), ("manifest.jsonl",), ("spec.json",), (".lock",)},
            f"{path} belongs to what is read; choose another name.",
        )


@contextmanager
def text_file(path: Path | str) -> Iterator[IO[str]]:
    """A text file, whole or not at all."""
    with replacing(path) as scratch, scratch.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def _create_arrays(file: Any, campaign: StoredCampaign) -> None:
    """Empty ones, of what is large; where nothing is finished they say so."""
    run, store = campaign.open(), campaign.store
    rows = min(store.layout.rows, run.sizes["replica"])
    if "level" not in file.dimensions:
        file.dimensions["level"] = store.layout.levels
    for name, (_, empty) in KINDS.items():
        array = run[name]
        rest = array.shape[len(store.spec.shape) + 1 :]
        variable = file.create_variable(
            name, tuple(map(str, array.dims)), _type(name),
            chunks=(*(1 for _ in store.spec.shape), rows, *rest),
            compression="gzip", compression_opts=1, shuffle=True,
            fillvalue=empty if name == "levels" else None,
        )  # fmt: skip
        variable.attrs.update(_described(name, campaign))
        if name == "diverged":
            variable.attrs["dtype"] = "bool"  # as xarray tells them, which netCDF has not
        if name == "diverged_at":
            for setting in range(len(store.spec.settings)):
                variable[store.layout.place(setting)] = np.full(array.sizes["replica"], empty)


def _type(name: str) -> np.dtype[Any]:
    dtype = np.dtype(KINDS[name][0])
    return np.dtype(np.int8) if dtype.kind == "b" else dtype


def _attributes(campaign: StoredCampaign) -> dict[str, str]:
    first = campaign.spec.first
    version = str(campaign.store.opened().attrs["sgdyson_version"])
    return {
        "Conventions": "CF-1.11",
        "title": first.name,
        "source": f"sgdyson {version}",
        "spec": json_text(campaign.spec.raw),
    }


def _described(name: str, campaign: StoredCampaign) -> dict[str, str]:
    """What a variable is, and in which unit, where it has one."""
    if name == "time" and campaign.spec.first.time_unit != "update":
        return {"long_name": _WORDS[name][0], "units": "1/learning_rate"}
    own = {key.rpartition(".")[2]: key for key in campaign.spec.varied}
    if name in _WORDS:
        words, unit = _WORDS[name]
    else:
        words, unit = own.get(name, name), None
    return {"long_name": words} | ({} if unit is None else {"units": unit})


def _values(campaign: StoredCampaign, setting: int) -> list[Any]:
    """Values of the varied parameters, as the coordinates have them."""
    run, place = campaign.store.opened(), campaign.store.layout.place(setting)
    where = dict(zip(dimensions(campaign.spec), place, strict=True))
    names = [key.rpartition(".")[2] for key in campaign.spec.varied]
    coordinates = [run.coords[name] for name in names]
    return [each.isel({dim: where[str(dim)] for dim in each.dims}).item() for each in coordinates]
