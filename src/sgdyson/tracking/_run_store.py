"""The store of a tracked run: a Zarr group that grows by one record at a time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from .. import __version__
from ..errors import InvalidInputError
from ._matrices import Skipped

Values = Mapping[str, np.ndarray]


class RunStore:
    """Arrays of one axis `time`, and of a second where a record is a vector.

    Args:
        out: folder, which must not exist.
        skipped: what is not recorded.
        attributes: by array, plain values.
    """

    def __init__(
        self, out: Path, skipped: Sequence[Skipped], attributes: Mapping[str, dict[str, Any]]
    ) -> None:
        self._group = zarr.open_group(out, mode="w-", zarr_format=3)
        self._group.attrs.update(
            sgdyson_version=__version__, skipped=[[part.name, part.reason] for part in skipped]
        )
        self._attributes = attributes
        self._records = 0
        self._create("time", np.zeros((), np.int64))

    def append(self, step: int, values: Values) -> None:
        """One record; `time` comes last, so that no reader sees one that is not whole."""
        for name, value in values.items():
            if name not in self._group:
                self._create(name, value)
            self._write(name, value)
        self._write("time", np.int64(step))
        self._records += 1

    def _create(self, name: str, value: np.ndarray) -> None:
        axes = ["time", f"{name}_level"][: 1 + value.ndim]
        array = self._group.create_array(
            name, shape=(0, *value.shape), dtype=value.dtype, dimension_names=axes,
            chunks=(1, *value.shape) if value.ndim else (1024,),
            fill_value=0 if value.dtype.kind == "i" else np.nan,
        )  # fmt: skip
        array.attrs.update(self._attributes.get(name, {}))

    def _write(self, name: str, value: Any) -> None:
        array = self._group[name]
        assert isinstance(array, zarr.Array)
        array.resize((self._records + 1, *array.shape[1:]))
        array[-1] = value


def key_of(name: str) -> str:
    """A name that is one folder on any disk."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in name)


def open_run(store: Path | str) -> xr.Dataset:
    """A tracked run, complete records only; also of a run that crashed.

    For each matrix, by its key: `s_KEY` (time, level) its singular values, descending;
    `velocity_KEY` (time, level) their first-order change u^T dW v in the last update;
    `signal_KEY` (time) and `noise_KEY` (time), unbiased for |G|^2 and tr Sigma of one sample.
    The attribute `name` of s_KEY is that of the matrix, `shape` its rows and columns; the
    attribute `skipped` of the data set lists what was not recorded. Values not measured are NaN.

    Raises:
        InvalidInputError: no tracked run.
    """
    try:
        group = zarr.open_group(Path(store), mode="r")
        clock = group["time"]
        assert isinstance(clock, zarr.Array)
        times = np.asarray(clock[:])
        variables = {
            name: (_axes(array), _padded(array, len(times)), dict(array.attrs))
            for name, array in group.arrays()
            if name != "time"
        }
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInputError(f"{store} holds no tracked run ({error}).") from error
    return xr.Dataset(variables, coords={"time": times}, attrs=dict(group.attrs))


def _axes(array: Any) -> tuple[str, ...]:
    return tuple(str(name) for name in getattr(array.metadata, "dimension_names", None) or ())


def _padded(array: Any, records: int) -> np.ndarray:
    """Exactly so many records; those of an array that ends early are NaN."""
    values = np.asarray(array[:records])
    missing = records - len(values)
    return np.pad(values, [(0, missing)] + [(0, 0)] * (values.ndim - 1), constant_values=np.nan)


def matrices_of(run: xr.Dataset) -> dict[str, str]:
    """Names of the matrices of a run, and the key of each."""
    return {
        str(run[name].attrs["name"]): str(name)[2:]
        for name in run.data_vars
        if str(name).startswith("s_")
    }
