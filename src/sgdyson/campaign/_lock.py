"""One process at a time in a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._failures import reason_of
from .._locks import hold
from ..errors import InvalidInputError


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock of a file, made if need be, whose contents are left alone.

    Raises:
        InvalidInputError: held by another process, a file system without locks, a file that
            cannot be opened.
    """
    folder = path.parent
    try:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)  # a pipe is not waited for
        handle = os.open(path, flags, 0o666)
    except OSError as error:
        raise InvalidInputError(
            f"{folder} cannot be written ({reason_of(error)}); choose another --out."
        ) from error
    try:
        hold(handle, str(folder))
        yield
    finally:
        os.close(handle)  # gives the lock back
