"""Chunks of a campaign, on threads of this machine or on others."""

import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._cluster import run_on_cluster
from .._executors import Advance, run_here
from ..engine import simulate
from ._setting import Setting
from ._versions import versions

Job: TypeAlias = tuple[Any, Setting, range]  # a name for it, and what to run


class Result(NamedTuple):
    """What is stored of a chunk, and how long it took."""

    arrays: dict[str, np.ndarray]
    seconds: float


def run_chunk(setting: Setting, replicas: range, advance: Advance | None = None) -> Result:
    """Simulate some replicas of a setting, in one thread."""
    began = time.monotonic()
    run = simulate(
        setting.build(),
        learning_rate=setting.learning.learning_rate,
        batch_size=setting.learning.batch_size,
        replicas=replicas,
        updates=setting.recorded_updates,
        record_every=setting.interval,
        record_from=setting.burn_in_updates,
        # replica r of a stream is the same in any chunk, so that chunks can be cut as the machine
        # likes
        seed=setting.stream,
        optimizer=setting.learning.factory(),
        # campaigns have a thread for each chunk
        workers=1,
        progress=advance or False,
    )
    arrays = {name: run[name].values for name in ("levels", "diverged", "diverged_at")}
    return Result(arrays, time.monotonic() - began)


def run_chunks(
    jobs: Iterator[Job],
    workers: int | None,
    scheduler: str | None,
    advance: Advance,
    say: Callable[[str], None],
) -> Generator[tuple[Job, Result], None, None]:
    """Run chunks on threads of this machine, or on the workers of a Dask scheduler.

    Args:
        jobs: in the order in which they are begun.
        workers: threads; all cores by default.
        scheduler: address of a scheduler, instead of this machine.
        advance: is told the updates of replicas.
        say: is told what is waited for.
    """
    if scheduler is None:
        yield from run_here(jobs, run_chunk, workers, advance)
        return
    for job, result in run_on_cluster(jobs, scheduler, say, run_chunk, versions):
        advance(len(job[2]) * float(job[1].total_updates))
        yield job, result
