"""Work beside the training, one piece at a time, that nobody waits for without end."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class StillBusyError(Exception):
    """Work that gives no sign of life."""


class Beside(Generic[T]):
    """A piece of work in a thread of its own.

    The thread is a daemon: it keeps no process alive. A forked process has no such thread; whoever
    owns this object must not ask it there.

    Args:
        patience: seconds without a sign of life, after which nobody waits any more.
    """

    def __init__(self, patience: float = 120.0) -> None:
        self._patience = patience
        self._future: Future[T] | None = None
        self._thread: threading.Thread | None = None
        self._alive = 0.0
        self._given_up = False

    def start(self, work: Callable[[], T]) -> None:
        """Begin; what was begun before must have been collected."""
        self.live()
        self._future = future = Future[T]()
        self._thread = threading.Thread(
            target=_run, args=(work, future), name="sgdyson-tracker", daemon=True
        )
        self._thread.start()

    def live(self) -> None:
        """A sign of life, from the work itself."""
        self._alive = time.monotonic()

    def collect(self) -> T | None:
        """The result of the work, or its exception; None where there is no work.

        Raises:
            StillBusyError: no sign of life; from then on only what is done is collected.
        """
        future = self._future
        while future is not None and not future.done() and not self._given_up:
            left = self._alive + self._patience - time.monotonic()
            self._given_up = left <= 0
            try:
                # waits as result() does, and raises nothing of the work's own
                future.exception(timeout=max(left, 0.0))
            except TimeoutError:
                continue
        if future is None:
            return None
        if not future.done():
            raise StillBusyError(f"for {self._patience:.0f} seconds without a sign of life")
        if self._thread is not None:  # what it still holds must not be dropped as Python ends
            self._thread.join(self._patience)
        self._future, self._thread, self._given_up = None, None, False
        return future.result()


def _run(work: Callable[[], T], future: Future[T]) -> None:
    try:
        result = work()
    except BaseException as error:  # it is raised where the result is asked for
        future.set_exception(error)
    else:
        future.set_result(result)
