"""From a path to histories."""

import os
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from ..errors import InvalidInputError, require
from ._history import History
from ._read_arrays import Layout, read_arrays
from ._read_stores import is_campaign, is_store, read_campaign, read_run, require_any

_ENDINGS = (".npz", ".npy")


def read(
    path: Path | str,
    *,
    array: str | None = None,
    axes: tuple[str, ...] | None = None,
    learning_rate: float | None = None,
    batch_size: float | None = None,
    label_noise: float | None = None,
    beta: int | None = None,
    failures: list[str] | None = None,
) -> list[History]:
    """Read every history at a path.

    Args:
        path: a campaign's folder, a Zarr store of one run, an `.npz` or `.npy` of weights or
            levels, or a folder of such.
        array: its name in an `.npz`, where several could be meant.
        axes: meaning of each axis: `replica`, `time`, and `row`, `column` (weights), `level`
            (eigenvalues of W^T W) or `singular`; guessed from the shape if None.
        learning_rate: alpha, where the file does not tell.
        batch_size: |B|, where the file does not tell.
        label_noise: epsilon of the labels, where the file does not tell.
        beta: Dyson index of the weights, where the file does not tell; 1 if None.
        failures: takes a sentence for each file of a folder, or setting of a campaign, that cannot
            be read, while the others are; without it the first such raises.

    Returns:
        One history a matrix of a file or setting, files in the order of their names.

    Raises:
        InvalidInputError: nothing there, an array that is pickled or not a history.
    """
    path, layout = Path(path), Layout(array, axes, learning_rate, batch_size, label_noise, beta)
    # those of Path raise for a name that is too long
    require(os.path.lexists(path), f"{path} does not exist; give a file or a folder.")
    folder = os.path.isdir(path)  # noqa: PTH112
    if not folder or is_campaign(path) or is_store(path):
        return list(_read_one(path, layout, failures))
    inside = sorted(_inside(path))
    require_any(inside, path)
    histories: list[History] = []
    for entry in inside:
        try:
            histories += _read_one(entry, layout, failures)
        except InvalidInputError as error:
            if failures is None:
                raise
            failures.append(str(error))
    return _each_once(histories)


def _each_once(histories: list[History]) -> list[History]:
    """Histories of a folder; the same levels to the last bit under two names count once."""
    by_content: dict[object, list[History]] = {}
    for place, history in enumerate(histories):
        by_content.setdefault(_content(history) or place, []).append(history)
    return [
        replace(first, notes=(*first.notes, *(
            f"{other.source} holds the same to the last bit, and is not counted again"
            for other in others
        )))
        for first, *others in by_content.values()
    ]  # fmt: skip


def _content(history: History) -> tuple[object, ...] | None:
    """Equal for the same measurement; None where nothing finite was recorded."""
    levels = np.ascontiguousarray(history.levels)
    if not np.nan_to_num(levels, posinf=0, neginf=0).any():
        return None
    settings = (history.matrix, history.learning_rate, history.batch_size, history.label_noise)
    return (levels.shape, sha256(levels.tobytes()).digest(), *settings)


def _inside(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.suffix in _ENDINGS or (entry.is_dir() and (is_campaign(entry) or is_store(entry))):
            yield entry


def _read_one(path: Path, layout: Layout, failures: list[str] | None) -> Iterator[History]:
    if path.is_dir():
        if is_campaign(path):
            yield from read_campaign(path, failures)
        else:
            yield from read_run(path)
        return
    require(
        path.suffix in _ENDINGS,
        f"{path}: no reader for {path.suffix or 'files without ending'!r}; give .npz, .npy or a"
        " Zarr folder.",
    )
    yield read_arrays(path, layout)
