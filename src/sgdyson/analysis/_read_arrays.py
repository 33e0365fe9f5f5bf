"""NumPy files: the paper's data release as it is, and any other by the names of its axes."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._checks import at_least_zero, finite, positive
from .._numpy_files import open_numpy
from .._stored import Stored
from .._types import Floats
from ..errors import InvalidInputError, require
from ..spectra import levels_of_weights
from ._history import History

AXES = ("replica", "time", "row", "column", "level", "singular")
_WEIGHTS, _LEVELS = ("row", "column"), ("level",)
_LARGEST = 1e150  # a sum of squares of these is finite
_NAMES = {  # of settings, as people write them
    "learning_rate": ("learning_rate", "lr", "alpha", "step_size"),
    "batch_size": ("batch_size", "bs", "batch", "B"),
    "label_noise": ("label_noise", "noise", "eps", "epsilon"),
}


@dataclass(frozen=True)
class Layout:
    """How to read arrays that do not say what they are.

    Attributes:
        array: name in an `.npz`; None takes the only one that can hold a history.
        axes: meaning of each axis, of `AXES`; None is a guess from the shape.
        learning_rate: alpha, where the file does not tell.
        batch_size: |B|, where the file does not tell.
        label_noise: epsilon of the labels, where the file does not tell.
        beta: Dyson index of the weights, where the file does not tell; 1 if None.
    """

    array: str | None = None
    axes: tuple[str, ...] | None = None
    learning_rate: float | None = None
    batch_size: float | None = None
    label_noise: float | None = None
    beta: int | None = None

    def __post_init__(self) -> None:
        require(
            self.beta in (None, 1, 2, 4),
            f"beta = {self.beta!r} must be 1 (real weights), 2 (complex) or 4 (quaternion).",
        )
        rate, batch, label_noise = self.learning_rate, self.batch_size, self.label_noise
        if rate is not None:
            positive("learning_rate", rate)
        require(
            batch is None or batch == math.inf or finite("batch_size", batch) >= 1,
            f"batch_size = {batch!r} must be at least 1, or inf for the exact gradient.",
        )
        if label_noise is not None:
            at_least_zero("label_noise", label_noise)


def read_arrays(path: Path, layout: Layout) -> History:
    """The history in an `.npz` or `.npy`; nothing is unpickled, and a bad neighbour is told."""
    with open_numpy(path) as contents:
        stored = {array.name: array for array in contents.arrays}
        if path.suffix == ".npy" and layout.array is not None and len(stored) == 1:
            stored = {layout.array: next(iter(stored.values()))}
        settings = _settings(stored)
        if layout.axes is None and layout.array is None and _is_release(stored):
            return _release(path, stored, settings, layout)
        name = layout.array or _only(path, stored)
        require(name in stored, f"{path} holds no array {name!r}; it holds {', '.join(stored)}.")
        values, notes = _load(path, name, stored), _neighbours(stored, name)
    axes = layout.axes
    if axes is None:
        axes = _guess(path, values)
        notes.insert(0, f"array {name!r} of shape {values.shape} is taken as ({', '.join(axes)})")
    return _history(path, settings, layout, _levels(path, values, axes), notes)


def _load(path: Path, name: str, stored: Mapping[str, Stored]) -> np.ndarray:
    """Real numbers; complex ones are refused, as a cast would take their real part."""
    try:
        values = stored[name].load()
    except InvalidInputError as error:
        raise InvalidInputError(
            f"{path}, no whole NumPy file for this: array {name!r} is not read: {error}."
        ) from error
    require(
        values.dtype.kind in "fiu",
        f"{path}: array {name!r} holds {values.dtype}, not real numbers; save real ones.",
    )
    return values


def _neighbours(stored: Mapping[str, Stored], name: str) -> list[str]:
    return [
        f"array {other!r} was left out: {array.reason}"
        for other, array in stored.items()
        if array.reason is not None and other != name
    ]


def _history(
    path: Path,
    settings: Mapping[str, float | None],
    layout: Layout,
    levels: Floats,
    notes: list[str],
    *,
    shared_inputs: bool = False,
) -> History:
    return History(
        source=str(path),
        levels=levels,
        learning_rate=_given(layout.learning_rate, settings["learning_rate"]),
        batch_size=_given(layout.batch_size, settings["batch_size"]),
        label_noise=_given(layout.label_noise, settings["label_noise"]),
        notes=tuple(notes),
        beta=layout.beta or 1,
        shared_inputs=shared_inputs,
    )


def _given(given: float | None, stored: float | None) -> float | None:
    return stored if given is None else given


def _is_release(stored: Mapping[str, Stored]) -> bool:
    """A file of the paper's data release, doi 10.5281/zenodo.13294081."""
    weights = stored.get("W", stored.get("w"))
    return (
        weights is not None
        and len(weights.shape) == 4
        and {"lr", "batch_size", "epochs"} <= set(stored)
    )


def _release(
    path: Path,
    stored: Mapping[str, Stored],
    settings: Mapping[str, float | None],
    layout: Layout,
) -> History:
    name = "W" if "W" in stored else "w"
    weights = _load(path, name, stored)
    levels = _levels_of(weights)
    kind, quantity = "Gaussian RBM", "eigenvalues of W^T W"
    if name == "W":  # its teacher is learnt as a matrix: singular values are the levels
        levels, kind, quantity = np.sqrt(levels), "teacher and student", "singular values of W"
    note = f"recognised as the paper's data release ({kind}); levels are {quantity}"
    notes = [note, *_neighbours(stored, name)]
    shared = name == "W"  # the replicas of its student differ in weights and noise alone
    return _history(path, settings, layout, levels, notes, shared_inputs=shared)


def _only(path: Path, stored: Mapping[str, Stored]) -> str:
    """The one array that can be a history; a name that says so decides among several."""
    reasons = [f"{name}: {array.reason}" for name, array in stored.items() if array.reason]
    able = [n for n, a in stored.items() if a.reason is None and len(a.shape) >= 2
            and math.prod(a.shape) > 1]  # fmt: skip
    likely = [name for name in able if name.lower() in ("w", "weights", "levels", "eigenvalues")]
    chosen = able if len(able) == 1 else likely
    left_out = f" Not read: {'; '.join(reasons)}." if reasons else ""
    require(
        bool(able) or not reasons,
        f"{path} is no whole NumPy file of a history: nothing was read ({'; '.join(reasons)}).",
    )
    require(
        len(chosen) == 1,
        f"{path} holds {', '.join(stored) or 'nothing'}: which is the history? Name it with"
        f" --array.{left_out}",
    )
    return chosen[0]


def _guess(path: Path, values: np.ndarray) -> tuple[str, ...]:
    steps = np.diff(values, axis=-1) if values.ndim else values
    one_way = bool(steps.size) and bool((steps >= 0).all() or (steps <= 0).all())
    if values.ndim == 4:
        return ("replica", "time", "row", "column")
    if values.ndim == 3:
        return ("replica", "time", "level") if one_way else ("replica", "row", "column")
    require(
        values.ndim == 2,
        f"{path}: an array of shape {values.shape} is no history that can be guessed; name its"
        f" axes with --axes, of {', '.join(AXES)}.",
    )
    return ("replica", "level")


def _levels(path: Path, values: np.ndarray, axes: tuple[str, ...]) -> Floats:
    """Descending levels (replica, time, level) of an array with named axes."""
    unknown = [axis for axis in axes if axis not in AXES]
    rest = tuple(sorted(set(axes) - {"replica", "time"}))
    require(
        not unknown and len(set(axes)) == len(axes) == values.ndim
        and rest in (tuple(sorted(_WEIGHTS)), _LEVELS, ("singular",)),
        f"{path}: axes {', '.join(axes)} do not fit an array of shape {values.shape}; name each"
        " axis once: replica, time, and row, column (weights), level (eigenvalues of W^T W) or"
        " singular (singular values).",
    )  # fmt: skip
    order = [axis for axis in ("replica", "time", *_WEIGHTS, "level", "singular") if axis in axes]
    with np.errstate(over="ignore"):  # of long doubles: told as a replica that diverged
        array = np.asarray(values, np.float64)
    array = array.transpose([axes.index(axis) for axis in order])
    for place, axis in enumerate(("replica", "time")):
        if axis not in axes:
            array = np.expand_dims(array, place)
    if "row" in axes:
        return _levels_of(array)
    levels = -np.sort(-array, axis=-1)
    if "singular" in axes:
        levels = np.where(np.abs(levels) < _LARGEST, levels, np.nan) ** 2
    return levels


def _levels_of(weights: np.ndarray) -> Floats:
    """Eigenvalues of W^T W; NaN where the weights, or their squares, are not finite."""
    with np.errstate(over="ignore"):
        weights = np.asarray(weights, np.float64)
    good = np.abs(weights) < _LARGEST  # false for NaN
    levels = levels_of_weights(np.where(good, weights, 0.0))
    return np.where(good.all(axis=(-2, -1))[..., None], levels, np.nan)


def _settings(stored: Mapping[str, Stored]) -> dict[str, float | None]:
    return {name: _setting(stored, name) for name in _NAMES}


def _setting(stored: Mapping[str, Stored], name: str) -> float | None:
    """A single real number under one of the names of a setting."""
    for known in _NAMES[name]:
        array = stored.get(known)
        if array is not None and array.reason is None and math.prod(array.shape) == 1:
            with suppress(InvalidInputError):
                value = array.load()
                if value.dtype.kind in "fiu":
                    return float(value.item())
    return None
