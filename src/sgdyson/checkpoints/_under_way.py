"""A survey under way: arrays of all its checkpoints as jobs, and what was found in their order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain, islice

from .._cluster import run_on_cluster
from .._executors import Advance, run_here
from .._stored import Stored
from .._terminal import tell
from .._threads import blas_threads, cores
from ..errors import InvalidInputError
from ..spectra import MatrixSpectrum, Skipped, is_average, layout_of
from ._checkpoints import Series
from ._identity import identity, versions
from ._journal import Journal
from ._measure import Found, Options, measure, measure_there
from ._opened import Opened
from ._quantised import is_unscaled
from ._room import Room, need_of
from ._shards import MISSING
from ._work import Survey

_Lists = dict[str, dict[str, None]]
_MB = 1e6
_HUGE = 4096  # rows and columns, from which several threads of BLAS gain
_KEPT = "what is finished is kept, and the same command goes on from it"
_LOST = "nothing is kept without --resume FILE"
_Label = tuple[Opened, int]


class Work:
    """A survey under way.

    Args:
        options: of all arrays.
        journal: where spectra are kept as they are found.
        advance: is told megabytes.
    """

    def __init__(self, options: Options, journal: Journal | None, advance: Advance) -> None:
        self._options, self._journal, self._advance = options, journal, advance
        self._opened: list[Opened] = []
        self._skipped, self._assumed, self._missing = _Lists(), _Lists(), _Lists()

    def skip(self, items: Iterable[Skipped]) -> None:
        for item in items:
            self._skipped.setdefault(item.reason, {})[item.name] = None

    def run(self, series: Series, workers: int | None, scheduler: str | None) -> None:
        """Measure what is not known: on threads, or on the workers of a Dask scheduler."""
        self.skip(series.left_out)
        try:
            with closing(self._results(series, workers, scheduler)) as results:
                for (opened, number), measured in results:
                    self._keep(opened, number, measured)
        finally:
            for opened in self._opened:
                opened.files.close()

    def finished(self) -> Survey:
        """What was found, in the order of checkpoints and arrays, with the lists of names."""
        survey = Survey()
        for opened in self._opened:
            unit = opened.checkpoint
            self.skip(Skipped(name, MISSING) for name in unit.missing)
            if opened.fault:
                self.skip([opened.fault])
                continue
            spectra = list(self._spectra(opened))
            survey.spectra.append(sorted(spectra, key=lambda m: unit.place(m.name)))
            survey.steps.append(unit.step)
            survey.labels.append(unit.label)
        survey.skipped, survey.assumed = _plain(self._skipped), _plain(self._assumed)
        survey.missing = _plain(self._missing)
        return survey

    def _results(
        self, series: Series, workers: int | None, scheduler: str | None
    ) -> Generator[tuple[_Label, Found], None, None]:
        if scheduler is not None:
            jobs = (
                ((opened, number), opened.checkpoint, opened.key, number, self._options)
                for opened, number in self._wanted(series)
            )
            after = _KEPT if self._journal else _LOST
            for job, measured in run_on_cluster(
                jobs, scheduler, tell, measure_there, versions, after
            ):
                opened, number = job[0]
                self._advance(opened.stored[number].nbytes / _MB)
                yield job[0], measured
            return
        room = Room()
        here = (
            ((opened, number), opened, number, self._options, room)
            for opened, number in self._wanted(series)
        )
        threads = min(workers or cores(), cores())
        # looked at before any is begun: their number decides how many threads each is given
        first = list(islice(here, threads))
        with blas_threads(_threads_each([job[0] for job in first], threads)):
            every = chain(first, here)
            for place, measured in run_here(every, _measure_here, workers, self._advance):
                yield place[0], measured

    def _wanted(self, series: Series) -> Iterator[_Label]:
        """Arrays that are to be measured; what is known, and what has no numbers, is kept."""
        alone = len(series.checkpoints) == 1 and not series.left_out
        for unit in series.checkpoints:
            opened = Opened(unit)
            try:
                stored = opened.files.enter_context(unit.open())
                opened.key = identity(unit, stored)
                opened.shapes = {item.name: item.shape for item in stored}
                opened.stored = self._options.choice.named(stored)
            except InvalidInputError as error:
                opened.files.close()
                # one of many is skipped and told; of one alone the fault is the answer
                if alone:
                    raise
                opened.fault = Skipped(unit.label, str(error).rstrip("."))
            self._opened.append(opened)
            if opened.fault:
                continue
            wanted = self._unknown(opened)
            done = sum(item.nbytes for item in stored) - sum(
                opened.stored[n].nbytes for n in wanted
            )
            self._advance(done / _MB)
            yield from ((opened, number) for number in wanted)

    def _unknown(self, opened: Opened) -> list[int]:
        """Numbers of the arrays that are to be measured."""
        wanted = []
        for number, item in enumerate(opened.stored):
            if item.reason is not None or len(item.shape) < 2:
                with opened.reading:
                    opened.measured[number] = measure(item, opened.shapes, self._options)
                continue
            known = self._journal and self._journal.get((opened.key, item.name))
            if known:
                opened.measured[number] = known
            else:
                wanted.append(number)
        opened.close_if_done()
        return wanted

    def _keep(self, opened: Opened, number: int, measured: Found) -> None:
        # what could not be measured may be another time: memory was short, say
        if self._journal is not None and not any(isinstance(s, Skipped) for s in measured.spectra):
            self._journal.keep((opened.key, opened.stored[number].name), measured)
        opened.add(number, measured)

    def _spectra(self, opened: Opened) -> Iterator[MatrixSpectrum]:
        for number, item in enumerate(opened.stored):
            array = opened.measured[number]
            self._options.choice.left_out += array.left_out
            for measured in array.spectra:
                if isinstance(measured, Skipped):
                    self.skip([measured])
                    continue
                for note in measured.notes:
                    self._missing.setdefault(note, {})[measured.name] = None
                yield measured
            self._assume(item, opened.shapes)

    def _assume(self, item: Stored, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Tell how an array was taken, once for all checkpoints."""
        if item.reason is not None or not 2 <= len(item.shape) <= 5:
            return
        layout = self._options.layout
        chosen = layout if isinstance(layout, str) else layout.get(item.name, "auto")
        words = layout_of(item.name, item.shape, chosen, shapes).words
        for text in (
            words and f"taken as {words}",
            item.words and f"taken as {item.words}",
            is_average(item.name) and "moving averages of weights, by their name",
            is_unscaled(item) and f"{item.dtype} without scales, taken as it is",
        ):
            if text:
                self._assumed.setdefault(text, {})[item.name] = None


def _threads_each(labels: list[_Label], threads: int) -> int:
    """Threads of BLAS: several only where large matrices are fewer than threads.

    BLAS rounds otherwise on several, so that a survey of as many arrays has the same bits anywhere.
    """
    sides = [min(opened.stored[number].shape[:2]) for opened, number in labels]
    few = 0 < len(labels) < threads and max(sides) >= _HUGE
    return threads // len(labels) if few else 1


def _measure_here(
    opened: Opened, number: int, options: Options, room: Room, step: Callable[[float], None]
) -> Found:
    item = opened.stored[number]
    with room.of(need_of(item)):
        measured = measure(item, opened.shapes, options, opened.reading)
    step(item.nbytes / _MB)
    return measured


def _plain(lists: _Lists) -> dict[str, list[str]]:
    return {key: list(names) for key, names in lists.items()}
