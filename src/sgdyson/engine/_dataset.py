"""From the records of blocks to one labelled data set."""

import threading
from typing import Any

import jax
import numpy as np
import xarray as xr

from .._attributes import attributes_of
from .._version import __version__
from ..models import Model
from ._observables import Observable, measured
from ._replica import Record


class Recorder:
    """Gathers what is measured of the chosen replicas, from several threads."""

    def __init__(
        self, model: Model, chosen: range, times: int, record_weights: bool,
        observables: dict[str, Observable],
    ) -> None:  # fmt: skip
        self.chosen = chosen
        self.diverged_at = np.full(len(chosen), -1)
        self.levels: np.ndarray | None = None
        self.beside: dict[str, np.ndarray] = {}  # observables and weights
        self.matrix_names = model.matrix_names()
        self._model = model
        self._times = times
        self._record_weights = record_weights
        self._observables = observables
        self._lock = threading.Lock()

    def add(self, members: range, first: int, record: Record) -> None:
        """The times from `first` on of a block; replicas that were not chosen are left out."""
        wanted = range(max(members.start, self.chosen.start), min(members.stop, self.chosen.stop))
        inside = slice(wanted.start - members.start, wanted.stop - members.start)
        weights = jax.tree.map(lambda leaf: leaf[inside], record.weights)
        levels = self._model.levels(weights)
        beside = _named_leaves(weights) if self._record_weights else {}
        for name, function in self._observables.items():
            beside[name] = measured(name, function, weights, levels.shape[:2])
        # only the arrays themselves are made under the lock: blocks then fill rows of their own
        with self._lock:
            if self.levels is None:
                self.levels = self._empty(levels)
                self.beside = {name: self._empty(values) for name, values in beside.items()}
        rows = slice(wanted.start - self.chosen.start, wanted.stop - self.chosen.start)
        columns = slice(first, first + levels.shape[1])
        self.levels[rows, columns] = levels
        # the last time knows of all before it: a replica that has failed stays so
        self.diverged_at[rows] = record.diverged_at[inside, -1]
        for name, values in beside.items():
            self.beside[name][rows, columns] = values

    def _empty(self, block: np.ndarray) -> np.ndarray:
        return np.empty((len(self.chosen), self._times, *block.shape[2:]), block.dtype)


def _named_leaves(weights: Any) -> dict[str, np.ndarray]:
    """A name for each array of the weights: `weights`, or `weights_` and its path."""
    leaves = jax.tree_util.tree_leaves_with_path(weights)
    paths = [jax.tree_util.keystr(path, simple=True, separator="_") for path, _ in leaves]
    names = ["weights_" + path if path else "weights" for path in paths]
    return dict(zip(names, (leaf for _, leaf in leaves), strict=True))


def labelled(recorder: Recorder, record_every: int, settings: dict[str, Any]) -> xr.Dataset:
    """The data set that `simulate` returns."""
    assert recorder.levels is not None
    variables: dict[str, Any] = {
        "levels": (("replica", "time", "level"), recorder.levels),
        "diverged": ("replica", recorder.diverged_at >= 0),
        "diverged_at": ("replica", recorder.diverged_at),
    }
    for name, array in recorder.beside.items():
        axes = tuple(f"{name}_{axis}" for axis in range(array.ndim - 2))
        variables[name] = (("replica", "time", *axes), array)
    coordinates: dict[str, Any] = {
        "replica": np.asarray(recorder.chosen),
        "time": record_every * np.arange(recorder.levels.shape[1]),
    }
    if len(set(recorder.matrix_names)) > 1:
        coordinates["matrix"] = ("level", list(recorder.matrix_names))
    return xr.Dataset(
        variables,
        coords=coordinates,
        attrs=attributes_of({**settings, "sgdyson_version": __version__}),
    )
