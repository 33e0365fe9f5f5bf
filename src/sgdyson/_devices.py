"""Where blocks of replicas run: every accelerator once, or a CPU device of its own a worker.

XLA hands the steps of a program to a pool of threads that all programs of a client share. Batched
LAPACK calls and Fourier transforms split themselves over that same pool and *wait* for their parts.
Once every thread of the pool waits so, none is left to do the parts, and all wait for ever: two
programs do that to each other, or two independent steps of one program (jaxlib 0.8 to 0.11;
factorisations of 48 x 48 are large enough). A pool of one thread splits nothing and cannot wait.
So each worker has a client, and a pool of one thread, of its own: whatever a model calls, however
many workers, and whatever a user's own programs do on the pool that JAX made for them. It is also
the faster way for small models, whose steps no longer change threads.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax._src import xla_bridge
from jaxlib import xla_client

from ._threads import cores
from .errors import InvalidInputError, require

_lock = threading.Lock()
_own: list[jax.Device] = []
_orphaned = False  # forked from a process in which JAX had threads
_POOL_SIZE = ("NPROC", "PJRT_NPROC")  # read by XLA when it makes a client, and only then


def devices(workers: int | None = None) -> list[jax.Device]:
    """A device for each worker thread.

    Args:
        workers: threads on a CPU, one a core by default; on accelerators at most so many of them.

    Raises:
        InvalidInputError: JAX was told to use a platform that is not there; or this process was
            forked from one in which JAX had run.
    """
    require(
        not _orphaned,
        "this process was forked from one in which JAX had run, and JAX would wait for ever for"
        " threads that a forked child does not have; start it with"
        ' multiprocessing.get_context("spawn").',
    )
    try:
        available = jax.local_devices()
    except RuntimeError as error:
        raise InvalidInputError(
            f"JAX finds none of the devices it was told to use ({os.environ.get('JAX_PLATFORMS')});"
            " set JAX_PLATFORMS=cpu, or unset it."
        ) from error
    if available[0].platform != "cpu":
        return available[:workers]
    return _own_cpus(workers or max(len(available), cores()))


def _own_cpus(count: int) -> list[jax.Device]:
    """`count` devices of our own, made at first use and kept with what runs on them.

    Not more than there are cores: what is beyond takes turns.
    """
    with _lock:
        while len(_own) < min(count, cores()):
            with _environment(dict.fromkeys(_POOL_SIZE, "1")):
                client: Any = xla_client.make_cpu_client(asynchronous=False, num_devices=1)
            _own.append(client.local_devices()[0])
        return [_own[i % len(_own)] for i in range(count)]


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _after_fork() -> None:
    global _lock, _orphaned
    _lock = threading.Lock()
    _orphaned = _orphaned or bool(_own) or xla_bridge.backends_are_initialized()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
