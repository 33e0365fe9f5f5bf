"""The empty Zarr group of a campaign: metadata and coordinates, from the spec alone.

Made anew from the spec whenever the files on disk are not as they were written: nothing in them
is a measurement.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import ZstdCodec

from .._version import __version__
from ._spec import Spec

# name: type, and what stands where nothing is finished
KINDS: dict[str, tuple[Any, Any]] = {
    "levels": ("float64", np.nan), "diverged": ("bool", False), "diverged_at": ("int64", -1),
}  # fmt: skip


def empty_group(spec: Spec, replicas: int, levels: int, rows: int) -> dict[str, bytes]:
    """Files of the group without data, by their names in it.

    Args:
        spec: spec of the campaign.
        replicas: length of that axis.
        levels: levels of a replica, at most.
        rows: replicas in a Zarr chunk.
    """
    with tempfile.TemporaryDirectory(prefix="sgdyson-") as scratch:
        group = Path(scratch) / "data.zarr"
        _write(group, spec, replicas, levels, rows)
        files = (path for path in group.rglob("*") if path.is_file())
        return {path.relative_to(group).as_posix(): path.read_bytes() for path in files}


def dimensions(spec: Spec) -> tuple[str, ...]:
    """Names of the axes of the settings."""
    if spec.first.vary == "zip" and spec.varied:
        return ("setting",)
    return tuple(key.rpartition(".")[2] for key in spec.varied)


def _write(group: Path, spec: Spec, replicas: int, levels: int, rows: int) -> None:
    dims, times = dimensions(spec), spec.first.times
    attrs = {"sgdyson_version": __version__, "digest": spec.digest,
             "time_unit": spec.first.time_unit,
             "first_setting": spec.first.model_dump_json()}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Zarr's on text, whose encoding it may yet change
        xr.Dataset(coords=_coordinates(spec), attrs=attrs).to_zarr(
            group, mode="w", consolidated=False, zarr_format=3
        )
    opened = zarr.open_group(group, mode="r+", use_consolidated=False)
    for name, (dtype, fill) in KINDS.items():
        rest = (times, levels) if name == "levels" else ()
        names = ("replica", "time", "level") if rest else ("replica",)
        opened.create_array(
            name, shape=(*spec.shape, replicas, *rest), dtype=dtype, fill_value=fill,
            chunks=(*(1 for _ in spec.shape), rows, *rest), dimension_names=(*dims, *names),
            # told, for it must stay that of the chunks, whatever a later Zarr prefers
            compressors=ZstdCodec(level=0, checksum=False),
        )  # fmt: skip


def _coordinates(spec: Spec) -> dict[str, Any]:
    dims = dimensions(spec)
    is_zip = dims == ("setting",)
    coords: dict[str, Any] = {"time": spec.first.record_every * np.arange(spec.first.times)}
    for key, values in spec.varied.items():
        name = key.rpartition(".")[2]
        coords[name] = ("setting" if is_zip else name, _plain(values))
    per_setting = {
        "burn_in": [setting.burn_in_updates for setting in spec.settings],
        "record_every": [setting.interval for setting in spec.settings],
        "stream": [setting.stream for setting in spec.settings],
    }
    for name, numbers in per_setting.items():
        if name not in coords:
            coords[name] = (dims, np.asarray(numbers, np.int64).reshape(spec.shape))
    models = {setting.model: setting for setting in spec.settings}.values()
    names, *others = {setting.build().matrix_names() for setting in models}
    # in a grid of models level i belongs to a matrix of each; a single matrix needs no name
    if not others and len(set(names)) > 1:
        coords["matrix"] = ("level", list(names))
    return coords


def _plain(values: list[Any]) -> np.ndarray:
    """Numbers as numbers; names and lists as text."""
    array = np.asarray(values) if all(isinstance(v, int | float) for v in values) else None
    return array if array is not None else np.asarray([str(value) for value in values])
