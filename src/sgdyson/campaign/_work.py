"""A campaign at work: what is missing is taken from elsewhere or run, and kept."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from .._failures import reason_of
from .._progress import progress_bar
from .._terminal import tell
from .._threads import cores
from ..errors import InvalidInputError
from ._cost import require_room
from ._executors import Result, run_chunks
from ._layout import Chunk
from ._plan import Plan
from ._precision import replicas_for
from ._reuse import finished_elsewhere
from ._store import Store
from ._stored_campaign import StoredCampaign

_AT_ONCE = 4  # settings for each thread that are under way together


@dataclass(frozen=True)
class Work:
    """Who does the work, and who is told.

    Attributes:
        workers: threads of this machine; all cores if None.
        scheduler: address of a Dask scheduler, instead of this machine.
        progress: show a bar.
    """

    workers: int | None
    scheduler: str | None
    progress: bool

    def finish(self, plan: Plan, totals: list[int], other: StoredCampaign | None = None) -> None:
        """So many replicas of each setting, taken from another campaign as far as it has them."""
        store = plan.store
        missing = sum(plan.own(totals)) - sum(plan.progress().counts)
        require_room(plan.spec, store, totals, missing, self.workers)
        store.make_room(max(totals))
        if other is not None:
            self._take(plan, totals, other)
        self._run(plan, totals)

    def _take(self, plan: Plan, totals: list[int], other: StoredCampaign) -> None:
        jobs, taken = plan.missing(totals), 0
        for (chunk, _, replicas), result in finished_elsewhere(jobs, other, plan.spec.data):
            _keep(plan.store, chunk, replicas, result)
            taken += 1
        if self.progress and jobs:
            tell(f"{taken} of {len(jobs)} chunks are taken from {other.store.folder}")

    def _run(self, plan: Plan, totals: list[int]) -> None:
        jobs = plan.missing(totals)
        if self.scheduler is None:
            in_turn = _in_turn(_AT_ONCE * (self.workers or cores()))
            jobs.sort(key=lambda job: in_turn(job[0]))
        updates = [setting.total_updates for setting in plan.spec.settings]
        amount = sum(len(replicas) * updates[chunk.setting] for chunk, _, replicas in jobs)
        tally = plan.progress()
        with progress_bar(amount, self.progress and bool(jobs), note=tally.text) as advance:
            results = run_chunks(iter(jobs), self.workers, self.scheduler, advance, self._say)
            # closed at an error too, which ends threads that still compute
            with closing(results):
                for (chunk, _, replicas), result in results:
                    _keep(plan.store, chunk, replicas, result)
                    tally.add(chunk.setting, len(replicas))
                    # no further, but the note beside the bar is drawn anew
                    advance(0)

    def _say(self, sentence: str) -> None:
        if self.progress:
            tell(sentence)


def more_for_precision(plan: Plan, totals: list[int]) -> list[int]:
    """Totals with more replicas where the error of what is finished is above its target."""
    target = plan.spec.first.target_error
    if target is None:
        return totals
    data, grown = plan.store.open(), []
    for index, (setting, total) in enumerate(zip(plan.spec.settings, totals, strict=True)):
        if not plan.is_ours(Chunk(index, 0)):
            grown.append(total)
            continue
        rows = (*plan.store.layout.place(index), slice(0, total))
        levels = np.asarray(data.levels[rows].values[~data.diverged[rows].values])
        size = plan.store.layout.chunk_replicas[index]
        grown.append(replicas_for(target, setting, levels, total, size))
    return grown


def _keep(store: Store, chunk: Chunk, replicas: range, result: Result) -> None:
    try:
        store.write(chunk, replicas, *result)
    except OSError as error:
        raise InvalidInputError(
            f"{store.folder} could not take a chunk ({reason_of(error)}); the"
            " finished ones are good, and the same command goes on from them."
        ) from error


def _in_turn(settings: int) -> Callable[[Chunk], tuple[int, int, int]]:
    """So many settings together, a chunk of each in turn: threads compile them side by side."""
    return lambda chunk: (chunk.setting // settings, chunk.number, chunk.setting)
