"""The store of a tracked run: a Zarr group that grows by one record at a time."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from .. import __version__
from ..errors import InvalidInputError
from ..spectra import Skipped

Values = Mapping[str, np.ndarray]
_PAUSE, _MOST = 100, 256  # between writes, in units of a write; records that wait


class RunStore:
    """Arrays of one axis `time`, and of a second where a record is a vector.

    Each write takes milliseconds an array. So that writing takes a hundredth of the time at most,
    records wait for each other, and none for longer than it takes to the next.

    Args:
        out: folder, which must not exist.
    """

    def __init__(self, out: Path) -> None:
        self._group = zarr.open_group(out, mode="w-", zarr_format=3)
        self._group.attrs["sgdyson_version"] = __version__
        self._skipped: list[list[str]] | None = None
        self._written, self._waiting = 0, list[Values]()
        self._due = -math.inf
        self._create("time", np.zeros((), np.int64), {})

    def append(
        self,
        step: int,
        values: Values,
        attributes: Mapping[str, dict[str, Any]],
        skipped: Sequence[Skipped],
    ) -> None:
        """One record, on the disk at once unless the last write was only just now.

        Args:
            step: of the record.
            values: by array; an array that a record lacks is NaN there.
            attributes: by array, plain values.
            skipped: what was not recorded so far.
        """
        for name, value in values.items():
            if name not in self._group:
                self._create(name, value, attributes.get(name, {}))
        pairs = [[part.name, part.reason] for part in skipped]
        if pairs != self._skipped:
            self._group.attrs["skipped"] = self._skipped = pairs
        self._waiting.append({**values, "time": np.array(step)})  # time comes last
        if time.monotonic() > self._due or len(self._waiting) >= _MOST:
            self.flush()

    def flush(self) -> None:
        """Write what waits; `time` last, so that no reader sees a record that is not whole."""
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        began = time.monotonic()
        for name in dict.fromkeys(name for row in reversed(rows) for name in row if name != "time"):
            self._write(name, [row.get(name) for row in rows])
        self._write("time", [row["time"] for row in rows])
        self._written += len(rows)
        now = time.monotonic()
        self._due = now + _PAUSE * (now - began)

    def _create(self, name: str, value: np.ndarray, attributes: dict[str, Any]) -> None:
        axes = ["time", f"{name}_level"][: 1 + value.ndim]
        self._group.create_array(
            name, shape=(0, *value.shape), dtype=value.dtype, dimension_names=axes,
            chunks=(1, *value.shape) if value.ndim else (1024,),
            fill_value=0 if value.dtype.kind == "i" else np.nan, attributes=attributes,
        )  # fmt: skip

    def _write(self, name: str, values: Sequence[np.ndarray | None]) -> None:
        array = self._group[name]
        assert isinstance(array, zarr.Array)
        shape = array.shape[1:]
        array.resize((self._written + len(values), *shape))
        array[self._written :] = np.stack(
            [np.full(shape, np.nan) if v is None else v for v in values]
        )


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
    """Names of the matrices of a run, in the order of the model, and the key of each."""
    found = [str(name) for name in run.data_vars if str(name).startswith("s_")]
    found.sort(key=lambda name: int(run[name].attrs.get("number", 0)))
    return {str(run[name].attrs["name"]): name[2:] for name in found}
