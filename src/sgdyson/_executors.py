"""Jobs on threads of this machine; on other machines see `_cluster`."""

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from ._threads import cores

_MOST_THREADS = 1 << 12  # a request for more is one for as many as there is work for

Advance: TypeAlias = Callable[[float], None]
Result = TypeVar("Result")
# the first of a job is a name for it, the others are what its work is called with
Job = TypeVar("Job", bound=tuple[Any, ...])


class _StoppedError(Exception):
    pass


def run_here(
    jobs: Iterator[Job],
    work: Callable[..., Result],
    workers: int | None,
    advance: Advance,
) -> Generator[tuple[Job, Result], None, None]:
    """Run jobs on threads, all cores by default; to stop the iteration stops the work.

    Args:
        jobs: in the order in which they are begun.
        work: called with all of a job but its first, and with a function that is told the progress;
            the latter raises where the work is to stop.
        workers: threads.
        advance: is told the progress.
    """
    threads = min(workers or cores(), _MOST_THREADS)
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
                    running[pool.submit(work, *job[1:], step)] = job
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
        finally:
            stop.set()
            for future in running:
                future.cancel()
