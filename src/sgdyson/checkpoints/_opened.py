"""A checkpoint whose arrays are being measured."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

from .._stored import Stored
from ..spectra import Skipped
from ._checkpoints import Checkpoint
from ._measure import Found


@dataclass
class Opened:
    """A checkpoint whose files are open until all its arrays are done.

    Attributes:
        checkpoint: its files.
        key: its `identity`.
        stored: arrays that are chosen by name.
        shapes: of all arrays.
        measured: what was found, by the place of an array in `stored`.
        files: what is open.
        reading: held while its files are read, which several threads share.
        fault: why it cannot be opened.
    """

    checkpoint: Checkpoint
    key: str = ""
    stored: list[Stored] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    measured: dict[int, Found] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)
    reading: threading.Lock = field(default_factory=threading.Lock)
    fault: Skipped | None = None

    def add(self, number: int, spectra: Found) -> None:
        self.measured[number] = spectra
        self.close_if_done()

    def close_if_done(self) -> None:
        if len(self.measured) == len(self.stored):
            self.files.close()
