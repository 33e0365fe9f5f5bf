"""One process at a time in a folder, with the locks that the platform has."""

import errno
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from ..errors import InvalidInputError

# what systems answer where another holds the lock; anything else is not about another
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


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
            f"{folder} cannot be written ({error.strerror}); choose another --out."
        ) from error
    try:
        try:
            _take(handle)
        except OSError as error:
            if error.errno in _HELD:
                reason = f"{folder} is being written by another process; wait for it to end."
            else:
                reason = (
                    f"{folder} cannot be locked against other processes ({error.strerror}); choose"
                    " an --out on a disk that has locks."
                )
            raise InvalidInputError(reason) from error
        yield
    finally:
        os.close(handle)  # gives the lock back


def _take(handle: int) -> None:
    """Lock an open file at once, or raise."""
    posix, windows = _module("fcntl"), _module("msvcrt")
    if posix is not None:
        posix.flock(handle, posix.LOCK_EX | posix.LOCK_NB)
    elif windows is not None:
        windows.locking(handle, windows.LK_NBLCK, 1)


def _module(name: str) -> ModuleType | None:
    with suppress(ImportError):
        return importlib.import_module(name)
    return None
