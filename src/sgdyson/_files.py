"""Files for a user: whole or not at all, and nothing of the user's in the way.

Written beside its target under a name of its own, and moved over it when complete. A symbolic link
stays, and what it leads to is replaced; other names of a file (hard links) keep what they had.
What is no file is never replaced: see `_streams`.
"""

import errno
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ._failures import reason_of
from ._streams import is_stream, pour
from .errors import InvalidInputError, require

_SCRATCH = re.compile(r"\.sgdyson-[0-9a-f]{16}(\.[^.]*)?")
_REMEDIES = {
    errno.ENOSPC: "make room there, or choose another place",
    errno.EDQUOT: "make room there, or choose another place",
    errno.EACCES: "choose a place that you may write to",
    errno.EPERM: "choose a place that you may write to",
    errno.EROFS: "choose a place that can be written to",
}


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yields a scratch file, which takes the place of `path` if the block ends without an error.

    Args:
        path: of the file; `~` is the user's home.

    Raises:
        InvalidInputError: a folder, a device, a missing folder, a disk that is full, or whatever
            else keeps the file from being written; nothing is left behind.
    """
    path = user_path(path)
    check_target(path)
    with _told(path):
        if is_stream(path):
            with tempfile.TemporaryDirectory(prefix="sgdyson-") as folder:
                scratch = Path(folder, f"scratch{path.suffix}")
                yield scratch
                pour(scratch.read_bytes(), path)
        else:
            # at the end of a link: the link stays, and its target is replaced
            with _beside(Path(os.path.realpath(path))) as scratch:
                yield scratch


def write_text(path: Path | str, text: str) -> None:
    """A text file in UTF-8, whole or not at all; see `replacing`."""
    with replacing(path) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="\n")


def create_text(path: Path | str, text: str) -> None:
    """A text file in UTF-8 under a name that is free, whole or not at all.

    Raises:
        InvalidInputError: a name that is taken, or a file that cannot be written.
    """
    path = user_path(path)
    with _told(path):
        require(not os.path.lexists(path), f"{path} exists; choose another name.")
        _check_place(path)
        with _scratch(path) as scratch:
            scratch.write_text(text, encoding="utf-8", newline="\n")
            sync_file(scratch)
            try:
                _name(scratch, path)
            except FileExistsError as error:
                raise InvalidInputError(f"{path} exists; choose another name.") from error
            sync_folder(path.parent)


def check_target(path: Path | str) -> None:
    """Refuse, before any work is done, what `replacing` could not write.

    Raises:
        InvalidInputError: a folder, a device, a link in a circle, a folder that is not there or
            that cannot be written.
    """
    path = user_path(path)
    with _told(path):
        require(not path.is_dir(), f"{path} is a folder; give the name of a file.")
        if is_stream(path):
            return  # opened at the end alone: a pipe's reader takes a close for the end
        with suppress(FileNotFoundError, NotADirectoryError):  # to come, at the end of a link too
            require(
                stat.S_ISREG(path.stat().st_mode),
                f"{path} is a device or a socket; give the name of a file.",
            )
        _check_place(Path(os.path.realpath(path)))


def user_path(path: Path | str) -> Path:
    """A path with the user's home in place of `~`.

    Raises:
        InvalidInputError: a name that no file can have, or a home that is unknown.
    """
    text = os.fspath(path)
    require("\0" not in text, f"{text!r} is no name of a file: it holds a zero byte.")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InvalidInputError(
            f"{text} begins with ~, and the home it stands for is unknown; write it out."
        ) from error


def is_scratch(name: str) -> bool:
    """Whether a kill may have left a file of this name."""
    return _SCRATCH.fullmatch(name) is not None


def sync_file(path: Path) -> None:
    """See to it that the bytes of a file outlive a power cut."""
    with path.open("r+b") as handle:
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """See to it that the names in a folder outlive a power cut, where the system can."""
    with suppress(OSError):  # Windows opens no folder, some network disks sync none
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever the system refuses, as one sentence."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read has had enough: no mistake
    except OSError as error:
        reason = reason_of(error)
        remedy = _REMEDIES.get(error.errno or 0, "choose another place")
        raise InvalidInputError(f"{path} cannot be written ({reason}); {remedy}.") from error
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{str(path)!a}, or its text, cannot be encoded as {error.encoding}; choose other"
            " names."
        ) from error


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A new file in the folder of the target, moved over it at the end, or removed."""
    with _scratch(target) as scratch:
        yield scratch
        with suppress(FileNotFoundError):
            _copy_mode(target.stat(), scratch)
        # first the bytes, then the name: no power cut leaves the name of a file that is empty
        sync_file(scratch)
        # in one step: whoever reads sees the old contents or the new ones
        scratch.replace(target)
        sync_folder(target.parent)


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """An empty file beside the target, gone at the end."""
    scratch = target.with_name(f".sgdyson-{secrets.token_hex(8)}{target.suffix[:20]}")
    # refuses a name that is taken; the mode is that of any new file, less the umask
    os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)


def _name(scratch: Path, path: Path) -> None:
    """Give a file its name, unless that is taken: in one step, where the disk has hard links."""
    try:
        path.hardlink_to(scratch)
    except FileExistsError:
        raise
    except OSError:
        require(not os.path.lexists(path), f"{path} exists; choose another name.")
        scratch.rename(path)


def _copy_mode(before: os.stat_result, scratch: Path) -> None:
    """Mode and owner of a file outlive its contents."""
    if hasattr(os, "chown"):
        with suppress(OSError):  # of another's file in a shared folder
            os.chown(scratch, before.st_uid, before.st_gid)
    scratch.chmod(stat.S_IMODE(before.st_mode))


def _check_place(target: Path) -> None:
    folder = target.parent
    require(folder.exists(), f"{folder}, the folder of {target.name}, does not exist; create it.")
    require(folder.is_dir(), f"{folder}, the folder of {target.name}, is a file.")
    if not os.access(folder, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
