"""Memory for matrices that are measured side by side."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .._capacity import available_memory
from .._stored import Stored

_SHARE = 0.7  # of what is free, for matrices


class Room:
    """So many bytes; who asks for more waits, unless there is nobody else."""

    def __init__(self) -> None:
        free = available_memory()
        self._limit = math.inf if free is None else _SHARE * free
        self._taken, self._changed = 0.0, threading.Condition()

    @contextmanager
    def of(self, need: float) -> Iterator[None]:
        """Hold so many bytes."""
        with self._changed:
            # alone anything may begin, however large: it would wait for ever
            self._changed.wait_for(lambda: self._taken == 0 or self._taken + need <= self._limit)
            self._taken += need
        try:
            yield
        finally:
            with self._changed:
                self._taken -= need
                self._changed.notify_all()


def need_of(item: Stored) -> float:
    """What an array takes while it is measured: itself, a Gram matrix, and its decomposition."""
    rows = item.shape[0] if item.shape else 1
    entries = math.prod(item.shape)
    smaller = min(rows, entries / max(rows, 1), math.sqrt(entries))
    return 2 * item.nbytes + 24 * smaller**2
