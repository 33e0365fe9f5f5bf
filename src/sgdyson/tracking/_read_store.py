"""A tracked run as it lies on the disk: its journal over the arrays, also while it goes on."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ._journal import Column, Journal, read_journal
from ._scalar_log import path_of as scalars_in
from ._scalar_log import read_scalars
from ._zarr_arrays import read_rows

CLOCK = Column(0, None, {})


def journal_of(out: Path) -> Path:
    """Where a run has its journal."""
    return out / "time" / "journal"


def early_steps(out: Path, journal: Journal) -> list[int]:
    """Steps of the records that have left the journal."""
    rows = read_rows(out, "time", CLOCK, stop=journal.first, dtype="<i8")
    return [int(step) for step in rows[:, 0]]


def traces_of(out: Path) -> tuple[tuple[int, int], ...]:
    """What changes when a record, or a scalar, comes; of a run that goes on or is not there yet."""
    traces = []
    for path in (journal_of(out), scalars_in(out)):
        try:
            traces.append((path.stat().st_size, path.stat().st_mtime_ns))
        except OSError:
            traces.append((-1, -1))
    return tuple(traces)


def read_store(out: Path) -> xr.Dataset | None:
    """All records; None where there is no journal."""
    journal = read_journal(journal_of(out))
    if journal is None:
        return None
    late, stop = journal.table(), journal.first
    variables: dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, Any]]] = {}
    for name, column in journal.columns.items():
        early = read_rows(out, name, column, stop=stop)
        rows = np.concatenate([early, late[:, column.start : column.stop]])
        values = rows[:, 0] if column.size is None else rows
        variables[name] = (("time", f"{name}_level")[: values.ndim], values, column.attributes)
    coordinates: dict[str, Any] = {
        "time": np.array([*early_steps(out, journal), *journal.steps], np.int64)
    }
    for number, (name, (steps, values)) in enumerate(read_scalars(out).items()):
        axis = f"scalar_{number}_step"
        variables[f"scalar_{number}"] = ((axis,), values, {"name": name})
        coordinates[axis] = steps
    return xr.Dataset(variables, coords=coordinates, attrs=journal.attributes)
