"""Numbers that the training tells beside its records, as its loss: a file of frames that grows.

Beside the journal (`time/scalars`), in its frames: the name of a series when it comes first, a
value each, and the step that a training has gone back to.
"""

import json
import os
import struct
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .._types import Floats
from ._journal import append_frames, frame, frames, replace_file

_VALUE = struct.Struct("<Iqd")  # which series, step, value
_BACK = struct.Struct("<q")
Series = tuple[NDArray[np.int64], Floats]


class ScalarLog:
    """Writes at once what it is told; keeps it while the store has no folder yet.

    Args:
        out: of the store.
        append: whether the run in it is gone on with.
        start: the step it goes on from: later values are dropped.
    """

    def __init__(self, out: Path, *, append: bool = False, start: int | None = None) -> None:
        self._path, self._lock = path_of(out), threading.Lock()
        self._numbers: dict[str, int] = {}
        self._waiting: list[bytes] = []
        self._append, self._start = append, start

    def add(self, name: str, step: int, value: float) -> None:
        """One value."""
        with self._lock:
            if self._append:
                self._go_on()
            if name not in self._numbers:
                self._numbers[name] = len(self._numbers)
                self._waiting.append(frame(b"N", json.dumps(name).encode()))
            content = _VALUE.pack(self._numbers[name], step, value)
            self._waiting.append(frame(b"V", content))
            self._write()

    def write(self) -> None:
        """What has waited for the folder."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        if not self._waiting or not self._path.parent.is_dir():
            return
        if not self._path.exists():
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o666))
        news, self._waiting = self._waiting, []
        append_frames(self._path, news)

    def _go_on(self) -> None:
        """After what is whole of a file that is there."""
        self._append = False
        try:
            content = self._path.read_bytes()
        except OSError:
            return
        whole = [frame(kind, inside) for kind, inside in frames(content)]
        names = [json.loads(inside) for kind, inside in frames(content) if kind == b"N"]
        self._numbers = {name: number for number, name in enumerate(names)}
        if len(b"".join(whole)) < len(content):
            replace_file(self._path, b"".join(whole))
        if self._start is not None:
            self._waiting.append(frame(b"B", _BACK.pack(self._start)))


def path_of(out: Path) -> Path:
    """Where readers of Zarr do not look."""
    return out / "time" / "scalars"


def read_scalars(out: Path) -> dict[str, Series]:
    """Steps, growing, and values by name."""
    try:
        content = path_of(out).read_bytes()
    except OSError:
        return {}
    names: list[str] = []
    rows: list[tuple[int, int, float]] = []
    for kind, inside in frames(content):
        if kind == b"N":
            names.append(json.loads(inside))
        elif kind == b"V":
            rows.append(_VALUE.unpack(inside))
        else:
            (start,) = _BACK.unpack(inside)
            rows = [row for row in rows if row[1] <= start]
    which = np.array([row[0] for row in rows], np.int64)
    steps = np.array([row[1] for row in rows], np.int64)
    values = np.array([row[2] for row in rows], np.float64)
    return {
        name: _latest(steps[which == n], values[which == n]) for n, name in enumerate(names)
        if (which == n).any()
    }  # fmt: skip


def _latest(steps: NDArray[np.int64], values: Floats) -> Series:
    """Without what a training that went back has told anew."""
    # the smallest step that came afterwards: a value not below it was told anew
    later = np.append(np.minimum.accumulate(steps[::-1])[::-1][1:], np.iinfo(np.int64).max)
    last = steps < later
    return steps[last], values[last]
