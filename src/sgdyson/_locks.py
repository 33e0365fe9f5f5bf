"""One process at a time, with the locks that the platform has."""

import errno
import importlib
import os
from contextlib import suppress
from types import ModuleType

from ._failures import reason_of
from .errors import InvalidInputError

# what systems answer where another holds the lock; anything else is not about another
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


def hold(handle: int, what: str) -> None:
    """Lock an open file, until it is closed.

    Args:
        handle: of the system.
        what: subject of the sentence that refuses it.

    Raises:
        InvalidInputError: held by another process, or a file system without locks.
    """
    try:
        _take(handle)
    except OSError as error:
        if error.errno in _HELD:
            reason = f"{what} is being written by another process; wait for it to end."
        else:
            reason = (
                f"{what} cannot be locked against other processes ({reason_of(error)}); choose a"
                " place on a disk that has locks."
            )
        raise InvalidInputError(reason) from error


def _take(handle: int) -> None:
    """Lock an open file at once, or raise."""
    posix, windows = _module("fcntl"), _module("msvcrt")
    if posix is not None:
        # belongs to the open file and ends with it, whatever ends the process; lockf would end with
        # any other handle of the file that this process closes
        posix.flock(handle, posix.LOCK_EX | posix.LOCK_NB)
    elif windows is not None:
        os.lseek(handle, 0, os.SEEK_SET)
        windows.locking(handle, windows.LK_NBLCK, 1)


def _module(name: str) -> ModuleType | None:
    with suppress(ImportError):
        return importlib.import_module(name)
    return None
