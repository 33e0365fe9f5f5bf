"""The store of a tracker: new, or that of a run that is gone on with."""

from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import require
from ._keys import Keys
from ._run_store import RunStore

Mode = Literal["append", "new"]


def store_of(out: Path, mode: Mode | None, start: int | None) -> RunStore:
    """Open or make it.

    Args:
        out: folder.
        mode: "new", "append", or None: the second for a training that resumes.
        start: updates before the first of this training.

    Raises:
        InvalidInputError: a store that exists, or that holds no run to go on with.
    """
    require(mode in (None, "append", "new"), f'mode = {mode!r} must be "append" or "new".')
    require(
        start is None or (isinstance(start, int | np.integer) and start >= 0),
        f"start_step = {start!r} must be a whole number of updates, 0 or more.",
    )
    append = mode == "append" or (mode is None and bool(start))
    require(
        append or not out.exists(),
        f'{out} exists; choose another name for the store, or mode="append" to go on with the run'
        " in it.",
    )
    return RunStore(out, append=out.exists(), start=start)


def matrices_in(store: RunStore) -> tuple[dict[str, tuple[int, ...]], Keys]:
    """Shapes and keys of those in the store, in their order."""
    listed = sorted(
        (column.attributes["number"], column.attributes["name"], column.attributes["shape"], key)
        for key, column in store.columns.items()
        if key.startswith("s_")
    )
    shapes = {name: tuple(shape) for _, name, shape, _ in listed}
    return shapes, Keys({name: key[2:] for _, name, _, key in listed})
