"""Where chunks run: on threads of this machine, or on the workers of a Dask cluster."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._threads import cores
from ..errors import InvalidInputError
from ..learning import simulate
from ._spec import Setting

Job: TypeAlias = tuple[Any, Setting, range]  # a name for it, and what to run
Advance: TypeAlias = Callable[[float], None]


class Result(NamedTuple):
    """Of a chunk: what is stored, and how long it took."""

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
    """On so many threads, all cores by default; stopping the iteration stops the work."""
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


def run_on_cluster(
    jobs: Iterator[Job], address: str, advance: Advance
) -> Generator[tuple[Job, Result], None, None]:
    """On the workers of a Dask scheduler, two chunks for each of their threads.

    Results come back to this process, which alone writes: the workers need no shared disk. What a
    dead worker was running is run again on another.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise InvalidInputError(
            'a cluster needs Dask; install it with: pip install "sgdyson[cluster]".'
        ) from error
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"--scheduler {address} does not answer ({error}); give the address that"
            " `dask scheduler` prints, such as tcp://HOST:8786."
        ) from error
    with client:
        ahead = 2 * max(sum(client.nthreads().values()), 1)
        submitted: dict[str, Job] = {}

        def submit(job: Job) -> Any:
            future = client.submit(run_chunk, job[1], job[2], pure=False, retries=3)
            submitted[str(future.key)] = job
            return future

        queue = as_completed([submit(job) for job in islice(jobs, ahead)], loop=client.loop)
        for future in queue:
            job = submitted.pop(str(future.key))
            result = future.result()
            future.release()
            advance(len(job[2]) * float(job[1].total_updates))
            yield job, result
            for following in islice(jobs, 1):
                queue.add(submit(following))
