"""Whether a checkpoint is still the one that was read: its files, their sizes and times."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from .._failures import reason_of
from .._stored import Stored
from .._version import __version__
from ..errors import InvalidInputError
from ._checkpoints import Checkpoint


def identity(checkpoint: Checkpoint, arrays: Iterable[Stored]) -> str:
    """A key of all files of a checkpoint, by name, size and time of change; none is read.

    Args:
        checkpoint: its files.
        arrays: in them, which may depend on files beside these.

    Raises:
        InvalidInputError: a file that is not there.
    """
    key = hashlib.sha256()
    try:
        beside = {path for array in arrays for path in array.beside}
        for path in (*_files(checkpoint), *sorted(beside)):
            if path in beside and not path.exists():
                continue  # which its arrays tell
            state = path.stat()
            # the name without its folder: a checkpoint that was moved is the same one
            key.update(f"{path.name}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    except OSError as error:
        raise InvalidInputError(f"{error.filename} cannot be read: {reason_of(error)}.") from error
    return key.hexdigest()[:32]


def _files(checkpoint: Checkpoint) -> Iterator[Path]:
    for place in checkpoint.files:
        if place.is_dir():
            yield from sorted(path for path in place.rglob("*") if path.is_file())
        else:
            yield place
    if checkpoint.base is not None:
        yield from _files(checkpoint.base)


def versions() -> dict[str, str]:
    """Name and version, of this process, of what makes the numbers of a spectrum."""
    import numpy as np
    import scipy

    return {"sgdyson": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
