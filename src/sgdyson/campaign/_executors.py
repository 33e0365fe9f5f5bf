"""Where chunks run: on threads of this machine, or on the workers of a Dask cluster."""

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from .._threads import cores
from ..errors import InvalidInputError
from ..learning import simulate
from ._spec import Setting

Job: TypeAlias = tuple[Any, Setting, range]  # a name for it, and what to run
Arrays: TypeAlias = dict[str, np.ndarray]
Advance: TypeAlias = Callable[[float], None]


def run_chunk(setting: Setting, replicas: range, advance: Advance | None = None) -> Arrays:
    """Simulate some replicas of a setting, in one thread."""
    run = simulate(
        setting.build(),
        learning_rate=setting.learning.learning_rate,
        batch_size=setting.learning.batch_size,
        replicas=replicas,
        updates=setting.updates,
        record_every=setting.record_every,
        record_from=setting.burn_in_updates,
        seed=setting.stream,
        optimizer=setting.learning.factory(),
        workers=1,
        progress=advance or False,
    )
    return {name: run[name].values for name in ("levels", "diverged", "diverged_at")}


class _StoppedError(Exception):
    pass


def run_here(
    jobs: Iterator[Job], workers: int | None, advance: Advance
) -> Generator[tuple[Job, Arrays], None, None]:
    """On so many threads, all cores by default; stopping the iteration stops the work."""
    threads = workers or cores()
    stop = threading.Event()

    def step(amount: float) -> None:
        if stop.is_set():
            raise _StoppedError
        advance(amount)

    with ThreadPoolExecutor(threads) as pool:
        running: dict[Future[Arrays], Job] = {}
        try:
            while True:
                for job in islice(jobs, threads - len(running)):
                    running[pool.submit(run_chunk, job[1], job[2], step)] = job
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
        finally:
            stop.set()


def run_on_cluster(
    jobs: Iterator[Job], address: str, advance: Advance
) -> Generator[tuple[Job, Arrays], None, None]:
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
            arrays = future.result()
            future.release()
            advance(len(job[2]) * float(job[1].updates + job[1].burn_in_updates))
            yield job, arrays
            for following in islice(jobs, 1):
                queue.add(submit(following))
