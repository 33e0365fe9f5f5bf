"""The store of a tracked run: a journal that takes every record at once, and Zarr arrays.

A record is in the journal (`time/journal`, where readers of Zarr do not look) with one write as
soon as it is made, so that no kill, interrupt or full disk costs more than the record in work. The
arrays, of hundreds of files, follow when their writing has become cheap beside the time that has
passed. Records leave the journal when it has become long; for those in it, it is what counts.
"""

import os
import shutil
import threading
import time
import weakref
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..errors import InvalidInputError, require
from ._journal import (
    Column,
    Journal,
    append_frames,
    attributes_frame,
    columns_frame,
    read_journal,
    record_frame,
)
from ._read_store import CLOCK, early_steps, journal_of
from ._scalar_log import ScalarLog
from ._zarr_arrays import ZarrArrays

Values = Mapping[str, np.ndarray]
_PAUSE, _FIRST = 100, 10.0  # between writes of the arrays, in units of one; seconds to the first
_BYTES, _MOST = 1 << 22, 1024  # and records, that a journal holds
_writers: "weakref.WeakValueDictionary[str, RunStore]" = weakref.WeakValueDictionary()


class RunStore:
    """Arrays of one axis `time`, and of a second where a record is a vector.

    A forked process has a copy of this object, which neither writes nor waits.

    Args:
        out: folder; must not exist, unless a run is in it that this one goes on with.
        append: whether it does.
        start: where it does, the step that it goes on from: later records are dropped.

    Raises:
        InvalidInputError: nothing there that can be gone on with.
    """

    def __init__(self, out: Path, *, append: bool = False, start: int | None = None) -> None:
        self.out, self._process = out, os.getpid()
        self._arrays, self._scalars = ZarrArrays(out), ScalarLog(out, append=append, start=start)
        self._lock = threading.Lock()
        self._start, self._resumed, self._retired, self._flushed = start, append, False, True
        self._due = time.monotonic() + _FIRST
        self._journal: Journal | None = None
        self._steps: list[int] = []
        other = _writers.get(str(out.resolve()))  # as of a cell of a notebook that was interrupted
        if other is not None:
            other.retire(flush=append)
        if append:
            self._journal = read_journal(journal_of(out))
            if self._journal is None:
                raise InvalidInputError(
                    f"{out} holds no tracked run to go on with; choose another name for the store."
                )
            self._steps = [*early_steps(out, self._journal), *self._journal.steps]
        _writers[str(out.resolve())] = self

    @property
    def columns(self) -> Mapping[str, Column]:
        """What the run holds so far, by the name of the array."""
        return {} if self._journal is None else self._journal.columns

    @property
    def records(self) -> int:
        """How many records there are."""
        return len(self._steps)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Attributes of the run."""
        return {} if self._journal is None else self._journal.attributes

    def append(
        self,
        step: int,
        values: Values,
        attributes: Mapping[str, dict[str, Any]],
        of_run: Mapping[str, Any],
    ) -> None:
        """One record; those of this step or later ones are replaced by it.

        Args:
            step: of the record.
            values: by array, numbers or vectors; an array that a record lacks is NaN there.
            attributes: by array, plain values.
            of_run: attributes of the run, plain values.
        """
        if not self._writes:
            return
        with self._lock, self._once():
            journal = self._opened(values)
            keep = step if self._start is None else min(step, self._start + 1)
            if self._resumed or (self._steps and self._steps[-1] >= keep):
                journal = self._go_back(journal, keep)  # and its torn end, if it has one, is gone
            self._resumed, self._start = False, None
            frames = _news(journal, values, attributes, {**journal.attributes, **of_run})
            row = _row(journal, values)
            append_frames(journal_of(self.out), [*frames, record_frame(step, row)])
            journal.steps.append(step)
            journal.rows.append(row)
            self._steps.append(step)
            self._scalars.write()
            self._flushed = False
            if len(journal.rows) >= journal.block or time.monotonic() > self._due:
                self._flush()

    def log_scalar(self, name: str, step: int, value: float) -> None:
        """A number beside the records; waits for no record in work."""
        if self._writes:
            self._scalars.add(name, step, value)

    def flush(self, patience: float = 60.0) -> None:
        """Bring the arrays up to the journal."""
        if self._writes and self._lock.acquire(timeout=patience):
            try:
                with self._once():
                    self._flush()
            finally:
                self._lock.release()

    def retire(self, *, flush: bool) -> None:
        """Another writes at this place: nothing is written by this one any more."""
        if flush:
            self.flush()
        self._retired = True

    @contextmanager
    def _once(self) -> Iterator[None]:
        """What has failed is not tried again: the journal is whole up to there."""
        try:
            yield
        except Exception:
            self._retired = True
            raise

    @property
    def _writes(self) -> bool:
        return not self._retired and os.getpid() == self._process

    def _opened(self, values: Values) -> Journal:
        if self._journal is None:
            size = 8 * sum(np.size(value) for value in values.values())
            journal = Journal(max(1, min(_MOST, _BYTES // max(size, 1))))
            journal.attributes = {"sgdyson_version": __version__}
            _begin(self.out, journal)
            self._journal = journal
        return self._journal

    def _go_back(self, journal: Journal, step: int) -> Journal:
        """Without the records of this step and later ones."""
        left = bisect_left(self._steps, step)
        first, rows = min(journal.first, left), journal.rows[: max(left - journal.first, 0)]
        self._steps = self._steps[:left]
        journal = replace(journal, first=first, steps=self._steps[first:], rows=rows)
        journal.write(journal_of(self.out))
        self._journal = journal
        return journal

    def _flush(self) -> None:
        journal = self._journal
        if journal is None or self._flushed:
            return
        began = time.monotonic()
        journal_of(self.out).stat()  # nothing is made anew of a store that somebody has removed
        table = journal.table()
        for name, column in journal.columns.items():
            self._write(name, column, table[:, column.start : column.stop], journal)
        self._write("time", CLOCK, np.array(journal.steps, np.int64)[:, None], journal)
        self._arrays.write_group(journal.attributes)
        if len(journal.rows) >= journal.block:
            journal.first += len(journal.rows)
            journal.steps, journal.rows = [], []
            journal.write(journal_of(self.out))
        self._flushed = True
        now = time.monotonic()
        self._due = now + _PAUSE * (now - began)

    def _write(self, name: str, column: Column, rows: np.ndarray, journal: Journal) -> None:
        self._arrays.write_rows(name, column, rows, first=journal.first)


def _begin(out: Path, journal: Journal) -> None:
    """Make the folder, with a journal in it from its first moment on."""
    draft = out.with_name(f".{out.name[:200]}.partial")
    shutil.rmtree(draft, ignore_errors=True)  # of one that was killed here
    draft.mkdir(parents=True)
    arrays = ZarrArrays(draft)
    arrays.write_group(journal.attributes)
    arrays.write_rows("time", CLOCK, np.zeros((0, 1), np.int64), first=0)
    journal.write(journal_of(draft))
    draft.rename(out)


def _news(
    journal: Journal,
    values: Values,
    attributes: Mapping[str, dict[str, Any]],
    of_run: dict[str, Any],
) -> list[bytes]:
    """Frames of what this record brings for the first time."""
    fresh: dict[str, Column] = {}
    for name, value in values.items():
        if name not in journal.columns:
            size = value.size if value.ndim else None
            fresh[name] = journal.add(name, size, attributes.get(name, {}))
        size = journal.columns[name].size
        require(
            value.shape == (() if size is None else (size,)),
            f"{name} had {size} numbers a record and now has {value.size}.",
        )
    frames = [columns_frame(fresh)] if fresh else []
    if of_run != journal.attributes:
        journal.attributes = of_run
        frames.append(attributes_frame(of_run))
    return frames


def _row(journal: Journal, values: Values) -> np.ndarray:
    row = np.full(journal.width, np.nan)
    for name, value in values.items():
        column = journal.columns[name]
        row[column.start : column.stop] = value
    return row
