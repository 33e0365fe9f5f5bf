"""Cores, and one BLAS thread while numbers are made that must be the same everywhere.

OpenBLAS rounds differently on one thread and on several, and a Dask worker has one.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside: list[Any] = []
_libraries: tuple[int, Any] = (0, None)  # modules at the time, and those of BLAS among them


def _in_a_forked_process() -> None:
    """There is nobody else there: who held the lock, or asked for one thread, is in the parent."""
    global _lock
    _lock = threading.Lock()
    _inside.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_process)


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_blas_thread() -> AbstractContextManager[None]:
    """Hold BLAS to one thread in the whole process, until the last who asked for it has left."""
    return blas_threads(1)


@contextmanager
def blas_threads(number: int) -> Iterator[None]:
    """The same with several threads, as long as nobody else asks for one."""
    with _lock:
        # those that come later find one thread, and restore what was there before the first
        _inside.append(_limited(1 if _inside else number))
    try:
        yield
    finally:
        with _lock:
            if len(_inside) == 1:
                _inside[0].restore_original_limits()
                _inside.clear()
            elif _inside:  # in a forked process it is empty
                _inside.pop()


def _limited(number: int) -> Any:
    """To look for libraries of BLAS takes 6 ms; a new one comes with a module that is imported."""
    global _libraries
    if _libraries[0] != len(sys.modules):
        _libraries = (len(sys.modules), ThreadpoolController())
    return _libraries[1].limit(limits=number, user_api="blas")
