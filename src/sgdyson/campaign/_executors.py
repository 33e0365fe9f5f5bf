"""Chunks on threads of this machine; on other machines see `_cluster`."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._threads import cores
from ..engine import simulate
from ._spec import Setting

Job: TypeAlias = tuple[Any, Setting, range]  # a name for it, and what to run
Advance: TypeAlias = Callable[[float], None]


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
        seed=setting.stream,
        optimizer=setting.learning.factory(),
        workers=1,
        progress=advance or False,
    )
    arrays = {name: run[name].values for name in ("levels", "diverged", "diverged_at")}
    return Result(arrays, time.monotonic() - began)


class _StoppedError(Exception):
    pass


def run_here(
    jobs: Iterator[Job], workers: int | None, advance: Advance
) -> Generator[tuple[Job, Result], None, None]:
    """Run jobs on threads, all cores by default; to stop the iteration stops the work."""
    threads = workers or cores()
    stop = threading.Event()

    def step(amount: float) -> None:
        if stop.is_set():
            raise _StoppedError
        advance(amount)

    with ThreadPoolExecutor(threads) as pool:
        running: dict[Future[Result], Job] = {}
        try:
            while True:
                # one in reserve, so that no thread waits while results are written
                for job in islice(jobs, threads + 1 - len(running)):
                    running[pool.submit(run_chunk, job[1], job[2], step)] = job
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
        finally:
            stop.set()
            for future in running:
                future.cancel()
