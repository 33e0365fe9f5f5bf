"""Jobs on the workers of a Dask scheduler.

Results come back to this process, which alone writes: the workers need no shared disk. What a dead
worker was running is run again on another. Workers of other versions would give other numbers, and
are refused: those that are there before anything is sent, those that join later by what they
deliver.
"""

import asyncio
import concurrent.futures
import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from ._executors import Job, Result
from .errors import InvalidInputError, require

Versions = Callable[[], dict[str, str]]
_ANSWER = 10.0  # seconds for a scheduler to answer
_PATIENCE = 10.0  # seconds without a worker, before a word is said
_LOST = (OSError, concurrent.futures.CancelledError, asyncio.CancelledError)


def run_on_cluster(
    jobs: Iterator[Job],
    address: str,
    say: Callable[[str], None],
    work: Callable[..., Result],
    versions: Versions,
    after: str = "what is finished is good, and the same command goes on from it",
) -> Generator[tuple[Job, Result], None, None]:
    """Two jobs at a time for each thread of a worker.

    Args:
        jobs: in the order in which they are sent.
        address: address of the scheduler.
        say: is told what is waited for.
        work: a function of a module, called with all of a job but its first.
        versions: a function of a module: name and version of what must be the same everywhere.
        after: told when the scheduler has gone away: what has become of the work.

    Raises:
        InvalidInputError: no Dask here, a scheduler that does not answer or goes away, workers
            without sgdyson or of other versions.
    """
    own = versions()
    with _quiet(), _connected(address) as client:
        with _told(address, own, after):
            _await_workers(client, address, say)
            _check_workers(client, versions)
        running: dict[Any, Job] = {}
        while True:
            with _told(address, own, after):
                for job in islice(jobs, max(_ahead(client) - len(running), 0)):
                    # impure, or Dask would take two calls with equal arguments for one; what raises
                    # there, for want of memory say, is tried again
                    future = client.submit(
                        run_there, work, versions, *job[1:], pure=False, retries=3
                    )
                    running[future] = job
            if not running:
                return
            with _told(address, own, after):
                finished = [
                    (running.pop(future), _result(future, own))
                    for future in _finished(client, list(running), address, say)
                ]
            yield from finished


def run_there(
    work: Callable[..., Result], versions: Versions, *arguments: Any
) -> tuple[Result, dict[str, str], str]:
    """Run a job on a worker; tell too by which versions and where it was made."""
    from distributed import get_worker

    return work(*arguments), versions(), str(get_worker().address)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as error:
        raise InvalidInputError(
            'a cluster needs Dask; install it with: pip install "sgdyson[cluster]".'
        ) from error
    client = Client.__new__(Client)  # made in two steps: one that does not start is to be ended too
    try:
        try:
            # not as the default, which may be a client of the user's
            Client.__init__(client, address, timeout=_ANSWER, set_as_default=False)
        except (OSError, ValueError, TypeError, UnicodeError) as error:
            raise InvalidInputError(
                f"--scheduler {address} does not answer ({_first_line(error)}); give the address"
                " that `dask scheduler` prints, such as tcp://HOST:8786."
            ) from error
        yield client
    finally:
        _end(client)


def _end(client: Any) -> None:
    """Close it here and now.

    Otherwise the garbage collector does, at any time; and if that is while another one starts, in
    the same thread, it waits for ever for the lock that the other holds.
    """
    with suppress(Exception):  # of a scheduler that has gone, or was never there
        client.close(timeout=2)
    client.status = "closed"  # which is what the collector asks first


@contextmanager
def _told(address: str, versions: dict[str, str], after: str) -> Iterator[None]:
    """What Dask raises, as one sentence."""
    from distributed.scheduler import KilledWorker

    try:
        yield
    except _LOST as error:
        raise InvalidInputError(
            f"the scheduler {address} has gone away ({_first_line(error)}); {after}."
        ) from error
    except KilledWorker as error:
        raise InvalidInputError(
            f"workers of {address} died at their work, the last of them {error.last_worker}; see"
            " its log, and start the same command again."
        ) from error
    except (ImportError, AttributeError) as error:
        own = versions["sgdyson"]
        raise InvalidInputError(
            f"the scheduler or a worker of {address} has no sgdyson {own} ({_first_line(error)});"
            f" install it there: pip install sgdyson=={own}."
        ) from error


def _await_workers(client: Any, address: str, say: Callable[[str], None]) -> None:
    """A queue may start them when it pleases: they are waited for, but not in silence."""
    began, warned = time.monotonic(), False
    while not client.nthreads():
        if not warned and time.monotonic() - began > _PATIENCE:
            say(
                f"{address} has no worker; waiting for one (`dask worker {address}` starts it, and"
                " Ctrl-C stops waiting)."
            )
            warned = True
        time.sleep(min(0.2, _PATIENCE))


def _check_workers(client: Any, versions: Versions) -> None:
    """Refuse workers that are there and would give other numbers, or none."""
    with suppress(ValueError):  # of a scheduler that runs nothing for others, and needs no sgdyson
        client.run_on_scheduler(versions)
    for worker, theirs in client.run(versions, on_error="return").items():
        if isinstance(theirs, BaseException):
            raise theirs
        _compare(worker, theirs, versions())


def _compare(worker: str, theirs: dict[str, str], own: dict[str, str]) -> None:
    for name, version in own.items():
        require(
            theirs.get(name) == version,
            f"the worker {worker} has {name} {theirs.get(name)}, and this is"
            f" {version}: its numbers may differ; install {name}=={version} there.",
        )


def _ahead(client: Any) -> int:
    return 2 * max(sum(client.nthreads().values()), 1)


def _finished(
    client: Any, futures: list[Any], address: str, say: Callable[[str], None]
) -> list[Any]:
    """Some that are, one at least; while there are no workers, that is said."""
    from distributed import wait

    while True:
        with suppress(TimeoutError, asyncio.TimeoutError), client.as_current():
            return list(wait(futures, timeout=_PATIENCE, return_when="FIRST_COMPLETED").done)
        _await_workers(client, address, say)


def _result(future: Any, own: dict[str, str]) -> Any:
    result, theirs, worker = future.result()
    # results are large, and the cluster holds them as long as anyone does
    future.release()
    _compare(worker, theirs, own)
    return result


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask and Tornado print whole tracebacks of a lost connection, of which we tell ourselves."""
    with suppress(ImportError):
        import distributed  # noqa: F401 - sets the levels of its loggers, which come with it
    names = [n for n in logging.root.manager.loggerDict if n.startswith(("distributed", "tornado"))]
    loggers = {logging.getLogger(name) for name in [*names, "distributed", "tornado"]}
    before = {logger: logger.level for logger in loggers}
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0].rstrip(".")
