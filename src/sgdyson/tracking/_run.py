"""A tracked run as it is read."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .._types import Floats, WholeNumbers
from ..errors import InvalidInputError, require
from ._read_store import read_store
from ._settings import QUANTITIES


class Run:
    """What the matrices of a tracked training were, and what held, at each record.

    Args:
        data: of `open_run`; or a `Run`, which stays what it is.

    Attributes:
        data: the data set.
        steps: shape (record,).
        keys: of each matrix, by its name, in the order of the model; its arrays are `s_KEY` and
            the like.

    Raises:
        InvalidInputError: steps that do not grow from record to record.

    Examples:
        >>> import numpy as np, tempfile
        >>> from sgdyson.tracking import Tracker, open_run
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Tracker(f"{folder}/run.zarr", every=2) as tracker:
        ...         for step in range(4):
        ...             tracker.update(step, {"w": np.diag([2.0, 1.0])})
        ...     run = Run(open_run(f"{folder}/run.zarr").load())
        >>> run.steps, list(run.keys)
        (array([0, 2]), ['w'])
    """

    def __init__(self, data: "xr.Dataset | Run") -> None:
        self.data: xr.Dataset = data.data if isinstance(data, Run) else data
        self._variables = dict(self.data.variables)
        self.steps = np.asarray(self._variables["time"].values)
        require(
            bool(np.all(np.diff(self.steps) > 0)),
            "the run holds steps that go back: written by an old version; keep the last of each.",
        )
        levels = {
            str(name): variable.attrs
            for name, variable in self._variables.items()
            if str(name).startswith("s_")
        }
        ordered = sorted(levels, key=lambda name: int(levels[name].get("number", 0)))
        self.keys = {str(levels[name].get("name", name[2:])): name[2:] for name in ordered}

    @property
    def names(self) -> list[str]:
        """Names of the matrices, in the order of the model."""
        return list(self.keys)

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Name and reason of what was never recorded."""
        return [(name, reason) for name, reason in self.data.attrs.get("skipped", [])]

    @property
    def optimizer(self) -> str | None:
        """Name of the optimiser; None where the run was not told."""
        names = list(dict.fromkeys(name for _, name in self.data.attrs.get("optimizers", [])))
        require(
            len(names) < 2,
            f"the run was trained by {', then '.join(names)}: no rule holds for all of it.",
        )
        return names[0] if names else None

    def shape(self, name: str) -> tuple[int, int]:
        """Rows and columns of a matrix."""
        rows, columns = self._of("s", name).attrs["shape"]
        return int(rows), int(columns)

    def values(self, name: str) -> Floats:
        """Singular values (record, level), descending; NaN where they were not recorded."""
        return np.asarray(self._of("s", name).values)

    def gradient_noise(self, name: str) -> Floats | None:
        """Unbiased |G|^2 and tr Sigma of one sample, (record, 2); None where never measured."""
        key = self.key(name)
        if f"noise_{key}" not in self._variables:
            return None
        return np.stack([self._of("signal", name).values, self._of("noise", name).values], axis=1)

    def level_steps(self, name: str) -> Floats | None:
        """What the update before each record did, (record, level, 2h + 1), as by `level_steps`.

        NaN where it was not recorded, all zero where nothing moved; None of a run without any.
        """
        key = self.key(name)
        if f"steps_{key}" not in self._variables:
            return None
        steps = np.asarray(self._variables[f"steps_{key}"].values)
        return steps.reshape(len(steps), self.values(name).shape[1], -1)

    def kept(self, name: str) -> Floats | None:
        """What was left of the leading vectors since the last record, (record, vector, 3).

        Squared overlaps of the left and of the right vector with those of the level before that
        it is most like, and the rank of that level, from 1; NaN where it was not recorded, None of
        a run tracked without `vectors=`.
        """
        key = self.key(name)
        if f"kept_{key}" not in self._variables:
            return None
        overlaps = np.asarray(self._variables[f"kept_{key}"].values)
        return overlaps.reshape(len(overlaps), -1, 3)

    def setting(self, quantity: str, name: str | None = None) -> Floats:
        """What held at each record, (record,); NaN where the run was not told.

        Args:
            quantity: "learning_rate", "batch_size", "momentum", "beta1" and the like.
            name: of a matrix, whose parameter group may have values of its own.
        """
        for variable in ([f"{quantity}_{self.key(name)}"] if name else []) + [quantity]:
            if variable in self._variables:
                return np.asarray(self._variables[variable].values, dtype=np.float64)
        return np.full(len(self.steps), np.nan)

    @property
    def scalars(self) -> dict[str, tuple[WholeNumbers, Floats]]:
        """What `Tracker.log_scalar` was told, as losses: steps and values, by name."""
        return {
            str(variable.attrs["name"]): (
                np.asarray(self.data.coords[f"{key}_step"].values), np.asarray(variable.values)
            )
            for key, variable in self._variables.items()
            if re.fullmatch(r"scalar_\d+", str(key))
        }  # fmt: skip

    def settings(self, name: str | None = None) -> dict[str, Floats]:
        """All that was told of a matrix's update, (record,) each, by quantity."""
        known = (quantity for quantity in QUANTITIES if quantity in self._variables)
        return {quantity: self.setting(quantity, name) for quantity in known}

    def key(self, name: str) -> str:
        """The key of a matrix.

        Raises:
            InvalidInputError: no such matrix.
        """
        require(name in self.keys, f"{name!r} is not among the matrices: {', '.join(self.keys)}.")
        return self.keys[name]

    def _of(self, kind: str, name: str) -> Any:
        return self._variables[f"{kind}_{self.key(name)}"]


def open_run(store: Path | str) -> xr.Dataset:
    """A tracked run, complete records only; also of a run that goes on, or that crashed.

    For each matrix, by its key: `s_KEY` (time, level) its singular values, descending;
    `velocity_KEY` (time, level) their first-order change u^T dW v in the last update;
    `steps_KEY` (time, level times neighbours), under dynamics=True, u_i^T dW v_j of levels near
    each other, see `level_steps`; `kept_KEY` (time, vectors times 3), under vectors=, what is left
    of leading vectors, see `Run.kept`; `signal_KEY` (time) and `noise_KEY` (time), unbiased for
    |G|^2 and tr Sigma of one sample.
    The attribute `name` of s_KEY is that of the matrix, `shape` its rows and columns. Values not
    measured are NaN.

    What held at each record: `learning_rate` (time), `batch_size`, and the numbers of the optimiser
    (`momentum`, `beta1`, ...); `learning_rate_KEY` and the like of a matrix in a parameter group of
    its own. The attribute `optimizers` of the data set lists step and name of the optimiser,
    `skipped` what was not recorded. `scalar_0` (scalar_0_step) and the like are what
    `Tracker.log_scalar` was told, by the attribute `name`; they are in no array of the store.
    `Run` reads all of it by name.

    Raises:
        InvalidInputError: no tracked run.

    Examples:
        >>> import numpy as np, tempfile
        >>> from sgdyson.tracking import Tracker
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Tracker(f"{folder}/run.zarr", every=1, batch_size=8) as tracker:
        ...         tracker.update(0, {"w": np.diag([2.0, 1.0])})
        ...     run = open_run(f"{folder}/run.zarr").load()
        >>> run.s_w.values.round(9), run.batch_size.values
        (array([[2., 1.]]), array([8.]))
    """
    run = read_store(Path(store))
    return _of_zarr(Path(store)) if run is None else run


def matrices_of(run: xr.Dataset | Run) -> dict[str, str]:
    """Names of the matrices of a run, in the order of the model, and the key of each.

    Examples:
        >>> import numpy as np, tempfile
        >>> from sgdyson.tracking import Tracker, open_run
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Tracker(f"{folder}/run.zarr", every=1) as tracker:
        ...         tracker.update(0, {"block/w": np.eye(3), "head": np.eye(3)})
        ...     list(matrices_of(open_run(f"{folder}/run.zarr")))
        ['block/w', 'head']
    """
    return dict(Run(run).keys)


def _of_zarr(store: Path) -> xr.Dataset:
    """The arrays alone: all there is of a run of an earlier version."""
    import zarr  # which takes a tenth of a second, and no run of this version asks for

    try:
        group = zarr.open_group(store, mode="r")
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
