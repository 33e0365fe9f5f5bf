"""NumPy files: the paper's data release as it is, and any other by the names of its axes."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidInputError, require
from ..spectra import levels_of_weights
from ._history import Floats, History

AXES = ("replica", "time", "row", "column", "level", "singular")
_WEIGHTS, _LEVELS = ("row", "column"), ("level",)
_NAMES = {  # of settings, as people write them
    "learning_rate": ("learning_rate", "lr", "alpha", "step_size"),
    "batch_size": ("batch_size", "bs", "batch", "B"),
    "noise": ("noise", "eps", "epsilon"),
}


@dataclass(frozen=True)
class Layout:
    """How to read arrays that do not say what they are.

    Attributes:
        array: name in an `.npz`; None takes the only one that can hold a history.
        axes: meaning of each axis, of `AXES`; None is a guess from the shape.
        learning_rate: alpha, where the file does not tell.
        batch_size: likewise.
        noise: likewise.
    """

    array: str | None = None
    axes: tuple[str, ...] | None = None
    learning_rate: float | None = None
    batch_size: float | None = None
    noise: float | None = None


def read_arrays(path: Path, layout: Layout) -> History:
    """The history in an `.npz` or `.npy`; nothing is ever unpickled."""
    arrays = load_arrays(path, layout.array)
    if layout.axes is None and layout.array is None and (known := _release(path, arrays, layout)):
        return known
    name = layout.array or _only(path, arrays)
    require(name in arrays, f"{path} holds no array {name!r}; it holds {', '.join(arrays)}.")
    values, notes = np.asarray(arrays[name]), []
    require(
        values.dtype.kind in "fiu",
        f"{path}: array {name!r} holds {values.dtype}, not real numbers.",
    )
    axes = layout.axes
    if axes is None:
        axes = _guess(path, values)
        notes.append(f"array {name!r} of shape {values.shape} is taken as ({', '.join(axes)})")
    return _history(path, arrays, layout, _levels(path, values, axes), notes)


def _history(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    layout: Layout,
    levels: Floats,
    notes: list[str],
) -> History:
    return History(
        source=str(path),
        levels=levels,
        learning_rate=_setting(arrays, "learning_rate", layout.learning_rate),
        batch_size=_setting(arrays, "batch_size", layout.batch_size),
        noise=_setting(arrays, "noise", layout.noise),
        notes=tuple(notes),
    )


def load_arrays(path: Path, wanted: str | None = None) -> Mapping[str, np.ndarray]:
    """All arrays of an `.npz`, or the one of an `.npy`; a pickled one is refused."""
    try:
        with path.open("rb") as handle:
            found = np.load(handle, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return {wanted or path.stem: found}
            return {name: found[name] for name in found.files}
    except ValueError as error:
        if "allow_pickle" in str(error) or "pickle" in str(error):
            raise InvalidInputError(
                f"{path} holds a pickled array; reading one can run any program, so it is never"
                " loaded. Save plain numbers: np.savez(file, W=np.asarray(W, float))."
            ) from error
        raise InvalidInputError(f"{path} is not a whole NumPy file: {error}") from error
    except (zipfile.BadZipFile, EOFError, KeyError, OSError, NotImplementedError) as error:
        raise InvalidInputError(f"{path} cannot be read as a NumPy file: {error}") from error
    except MemoryError as error:
        raise InvalidInputError(f"{path} asks for more memory than there is.") from error


def _release(path: Path, arrays: Mapping[str, np.ndarray], layout: Layout) -> History | None:
    """A file of the paper's data release, doi 10.5281/zenodo.13294081."""
    weights = arrays.get("W", arrays.get("w"))
    if weights is None or weights.ndim != 4 or not {"lr", "batch_size", "epochs"} <= set(arrays):
        return None
    levels = levels_of_weights(_finite(weights))
    kind, quantity = "Gaussian RBM", "eigenvalues of W^T W"
    if "W" in arrays:  # its teacher is learnt as a matrix: singular values are the levels
        levels, kind, quantity = np.sqrt(levels), "teacher and student", "singular values of W"
    note = f"recognised as the paper's data release ({kind}); levels are {quantity}"
    return _history(path, arrays, layout, _blank(levels, weights), [note])


def _only(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """The one array that can be a history; a name that says so decides among several."""
    found = [name for name, array in arrays.items() if array.ndim >= 2 and array.size > 1]
    likely = [name for name in found if name.lower() in ("w", "weights", "levels", "eigenvalues")]
    chosen = found if len(found) == 1 else likely
    require(
        len(chosen) == 1,
        f"{path} holds {', '.join(arrays) or 'nothing'}: which is the history? Name it with"
        " --array.",
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
    array = np.asarray(values, np.float64).transpose([axes.index(axis) for axis in order])
    for place, axis in enumerate(("replica", "time")):
        if axis not in axes:
            array = np.expand_dims(array, place)
    if "row" in axes:
        return _blank(levels_of_weights(_finite(array)), array)
    levels = -np.sort(-array, axis=-1)
    return levels**2 if "singular" in axes else levels


def _finite(weights: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(weights), weights, 0.0)


def _blank(levels: Floats, weights: np.ndarray) -> Floats:
    """NaN where the weights were not finite."""
    good = np.isfinite(weights).all(axis=(-2, -1))
    return np.where(good[..., None], levels, np.nan)


def _setting(arrays: Mapping[str, np.ndarray], name: str, given: float | None) -> float | None:
    if given is not None:
        return given
    for known in _NAMES[name]:
        value: Any = arrays.get(known)
        if value is not None and np.size(value) == 1 and np.asarray(value).dtype.kind in "fiu":
            return float(np.asarray(value).item())
    return None
