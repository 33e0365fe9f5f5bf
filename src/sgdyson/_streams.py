"""Paths that are no files: pipes, terminals, `/dev/stdout` and `/dev/null`, which take bytes."""

import errno
import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path

from .errors import require

_DESCRIPTOR = re.compile(r"/dev/fd/(\d+)|/proc/(?:self|thread-self|(\d+))/fd/(\d+)")
_SINKS = {(1, 3), (1, 7)}  # major and minor of Linux's /dev/null and /dev/full
_MOST_LINKS = 40  # in a row, as the kernel's limit


def is_stream(path: Path) -> bool:
    """Whether bytes are to be poured into it: a pipe, a terminal, an open descriptor, a sink.

    Other devices, disks among them, are none: who names one does not mean to write there.
    """
    if _descriptor(path) is not None:
        return True
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISFIFO(status.st_mode) or _is_sink(status) or _is_terminal(status)


def is_standard_output(path: Path) -> bool:
    """Whether it is `/dev/stdout`, or another name of that descriptor."""
    return _descriptor(path) == 1


def pour(content: bytes, path: Path) -> None:
    """Write it there, after what is already on its way to standard output.

    Raises:
        InvalidInputError: a pipe that nobody reads, which would be waited for, for ever.
    """
    if sys.stdout is not None:
        sys.stdout.flush()
    with os.fdopen(_opened(path), "wb") as stream:
        stream.write(content)


def _is_sink(status: os.stat_result) -> bool:
    if not stat.S_ISCHR(status.st_mode):
        return False
    device = (os.major(status.st_rdev), os.minor(status.st_rdev)) if hasattr(os, "major") else None
    return device in _SINKS or os.path.samestat(status, Path(os.devnull).stat())


def _is_terminal(status: os.stat_result) -> bool:
    """One of ours; a device is not opened to find out, for that alone can start a watchdog."""
    for name in (0, 1, 2, "/dev/tty"):
        with suppress(OSError):
            if stat.S_ISCHR(status.st_mode) and os.path.samestat(status, os.stat(name)):  # noqa: PTH116
                return not isinstance(name, int) or os.isatty(name)
    return False


def _descriptor(path: Path) -> int | None:
    """The descriptor behind `/dev/stdout`, `/dev/fd/63` and links to them; None of other paths."""
    for _ in range(_MOST_LINKS):
        match = _DESCRIPTOR.fullmatch(str(path.absolute()))
        if match and match[2] in (None, str(os.getpid())):
            return int(match[1] or match[3])
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def _opened(path: Path) -> int:
    number = _descriptor(path)
    if number is not None:
        # opened anew, a file behind it would be overwritten from its beginning
        return os.dup(number)
    try:
        handle = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        require(
            error.errno != errno.ENXIO,
            f"{path} is a pipe that nobody reads from; start its reader first.",
        )
        raise
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(handle, True)
    return handle
