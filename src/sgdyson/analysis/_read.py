"""From paths to histories."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from .._failures import reason_of
from ..errors import InvalidInputError, require
from ._history import History
from ._read_arrays import Layout, read_arrays
from ._read_stores import is_campaign, is_store, read_campaign, read_run, require_any

_ENDINGS = (".npz", ".npy")


def read(
    path: Path | str | Sequence[Path | str],
    *,
    array: str | None = None,
    axes: tuple[str, ...] | None = None,
    learning_rate: float | None = None,
    batch_size: float | None = None,
    label_noise: float | None = None,
    beta: int | None = None,
    failures: list[str] | None = None,
) -> list[History]:
    """Read every history at a path or several; the same one in two places counts once.

    Args:
        path: a campaign's folder, a Zarr store of one run, an `.npz` or `.npy` of weights or
            levels, or a folder that holds such at any depth; or a list of these.
        array: its name in an `.npz`, where several could be meant.
        axes: meaning of each axis: `replica`, `time`, and `row`, `column` (weights), `level`
            (eigenvalues of W^T W) or `singular`; guessed from the shape if None.
        learning_rate: alpha, where the file does not tell.
        batch_size: |B|, where the file does not tell.
        label_noise: epsilon of the labels, where the file does not tell.
        beta: Dyson index of the weights, where the file does not tell; 1 if None.
        failures: takes a sentence for each of several files, or setting of a campaign, that cannot
            be read, while the others are; without it the first such raises.

    Returns:
        One history a matrix of a file or setting, in the order of the paths and of the names in a
        folder.

    Raises:
        InvalidInputError: nothing there, an array that is pickled or not a history.
    """
    layout = Layout(array, axes, learning_rate, batch_size, label_noise, beta)
    paths = [Path(path)] if isinstance(path, (str, Path)) else [Path(each) for each in path]
    require(bool(paths), "path = [] names nothing; give a file or a folder.")
    alone = len(paths) == 1 and not _is_folder(paths[0])
    if alone:
        return list(_read_one(paths[0], layout, failures))
    histories: list[History] = []
    for entry in _entries(paths, failures):
        try:
            histories += _read_one(entry, layout, failures)
        except InvalidInputError as error:
            if failures is None:
                raise
            failures.append(str(error))
    return _each_once(histories)


def _entries(paths: Sequence[Path], failures: list[str] | None) -> list[Path]:
    """Each file and store once, however many of the paths lead to it."""
    entries: dict[str, Path] = {}
    for path in paths:
        try:
            inside = sorted(_inside(path)) if _is_folder(path) else [path]
            require_any(inside, path)
        except InvalidInputError as error:
            if failures is None or len(paths) == 1:
                raise
            failures.append(str(error))
            continue
        for entry in inside:
            entries.setdefault(os.path.abspath(entry), entry)  # noqa: PTH100, links are named
    return list(entries.values())


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


def _is_folder(path: Path) -> bool:
    """Whether histories are to be looked for inside, at any depth."""
    # those of Path raise for a name that is too long
    require(os.path.lexists(path), f"{path} does not exist; give a file or a folder.")
    return os.path.isdir(path) and not (is_campaign(path) or is_store(path))  # noqa: PTH112


def _inside(folder: Path) -> Iterator[Path]:
    """Files, campaigns and stores; what is hidden, and what links lead to, is not looked into."""
    for root, folders, files in os.walk(folder, onerror=_refuse):
        here = Path(root)
        whole = [name for name in folders if is_campaign(here / name) or is_store(here / name)]
        folders[:] = [name for name in folders if name not in whole and not name.startswith(".")]
        yield from (here / name for name in whole)
        yield from (here / name for name in files if Path(name).suffix in _ENDINGS)


def _refuse(error: OSError) -> None:
    raise InvalidInputError(f"{error.filename} cannot be read ({reason_of(error)}).") from error


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
