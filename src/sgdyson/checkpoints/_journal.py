"""Spectra that are kept as they are found, a line of a file each, so that a survey goes on.

A line is written whole and brought to the disk before the next matrix is done. One that a kill or
a full disk has cut short is left out, and written over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

from .._failures import reason_of
from .._files import user_path
from .._input_files import open_regular
from .._locks import hold
from ..errors import InvalidInputError, require
from ._codec import decode, encode
from ._measure import Found

_FIRST = "sgdyson spectra"
Key = tuple[str, str]  # identity of a checkpoint, name of an array


class Journal:
    """What was found, by array; `journal` opens one.

    Of what is stale, the files have changed since, or are not those of this survey.
    """

    def __init__(self, path: Path, handle: FileIO, known: dict[Key, Found]) -> None:
        self._path, self._handle, self._known = path, handle, known
        self._wanted: set[Key] = set()

    def sentences(self) -> list[str]:
        """What was taken from it, and what was not."""
        taken, stale = self._known.keys() & self._wanted, self._known.keys() - self._wanted
        said = [f"{len(taken)} arrays taken from {self._path}"] if taken else []
        if stale:
            said.append(
                f"{len(stale)} arrays in {self._path} are of files that have changed, or of others"
            )
        return said

    def get(self, key: Key) -> Found | None:
        """What is known of an array."""
        self._wanted.add(key)
        return self._known.get(key)

    def keep(self, key: Key, found: Found) -> None:
        """Add an array, on the disk when this returns.

        Raises:
            InvalidInputError: a disk that is full, or another reason of the system.
        """
        line = {"key": key, "spectra": encode(found.spectra), "left_out": found.left_out}
        try:
            _append(self._handle, line)
        except OSError as error:
            raise InvalidInputError(
                f"--resume {self._path} could not take a row ({reason_of(error)}); those in"
                " it are good, and the same command goes on from them."
            ) from error


@contextmanager
def journal(path: Path | str, claim: Mapping[str, Any]) -> Iterator[Journal]:
    """The journal of a file, which is made if need be, for one process at a time.

    Args:
        path: of the file.
        claim: what its numbers depend on beside the files.

    Raises:
        InvalidInputError: a file with anything else, or of another claim, told by the keys in which
            they differ: it is left as it is; one that cannot be written.
    """
    path = user_path(path)
    claim = json.loads(json.dumps(claim))
    try:
        handle = _opened(path)
    except OSError as error:
        raise InvalidInputError(
            f"--resume {path} cannot be written ({reason_of(error)}); choose another file."
        ) from error
    with handle:
        hold(handle.fileno(), f"--resume {path}")
        known, end = _read(path, handle, claim)
        handle.seek(end)
        handle.truncate()
        entries = Journal(path, handle, known)
        if not end:
            try:
                _append(handle, {_FIRST: claim})
            except OSError as error:
                raise InvalidInputError(
                    f"--resume {path} cannot be written ({reason_of(error)}); choose another file."
                ) from error
        yield entries


def _opened(path: Path) -> FileIO:
    """For reading and writing, made empty where there is none; no pipe is waited for.

    Without a buffer, which a full disk would leave filled, to fail once more when it is closed.
    """
    if os.path.lexists(path):
        open_regular(path).close()
    return FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+")


def _append(handle: FileIO, line: Mapping[str, Any]) -> None:
    place, left = handle.tell(), json.dumps(line).encode("ascii") + b"\n"
    try:
        while left:  # a disk that is nearly full takes a part
            left = left[handle.write(left) :]
        os.fsync(handle.fileno())
    except OSError:
        handle.seek(place)
        handle.truncate()
        raise


def _read(path: Path, handle: FileIO, claim: Mapping[str, Any]) -> tuple[dict[Key, Found], int]:
    """What is known, and where the last whole line ends."""
    known: dict[Key, Found] = {}
    end = 0
    with os.fdopen(os.dup(handle.fileno()), "rb") as lines:
        for number, line in enumerate(lines, 1):
            entry = _entry(line)
            if not end:
                cut = not line.endswith(b"\n") and f'{{"{_FIRST}"'.encode().startswith(line[:20])
                require(
                    cut or (entry is not None and isinstance(entry.get(_FIRST), dict)),
                    f"--resume {path} is no file that this command wrote; choose another name.",
                )
                if cut:
                    break
                _require_same(path, entry[_FIRST], claim)
            elif entry is None:
                break  # cut short: it and what follows are found anew
            else:
                key, measured = _found(path, number, entry)
                known[key] = measured
            end += len(line)
    return known, end


def _found(path: Path, number: int, entry: Mapping[str, Any]) -> tuple[Key, Found]:
    try:
        spectra = list(decode(entry["spectra"]))
        first, second = entry["key"]
        return (str(first), str(second)), Found(spectra, int(entry["left_out"]))
    except (InvalidInputError, LookupError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"--resume {path}: line {number} is not as this command wrote it; delete the line, or"
            " choose another file."
        ) from error


def _entry(line: bytes) -> Any:
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _require_same(path: Path, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    differing = [
        f"{key} = {theirs.get(key)} there, {ours.get(key)} here"
        for key in dict.fromkeys([*theirs, *ours])
        if theirs.get(key) != ours.get(key)
    ]
    require(
        not differing,
        f"--resume {path} holds spectra of other options ({'; '.join(differing)}); choose another"
        " file.",
    )
