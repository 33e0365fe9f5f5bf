"""Where blocks of replicas run."""

import jax

from .._threads import cores


def devices(workers: int | None = None) -> list[jax.Device]:
    """A device for each worker thread: every accelerator once, or every core of the CPU.

    JAX runs one program at a time on a CPU thread and lets go of Python's lock meanwhile, so a
    thread a core uses them all; several CPU devices, where a user asked for them, take turns.
    """
    found = jax.local_devices()
    if found[0].platform != "cpu":
        return found[:workers]
    threads = workers or max(len(found), cores())
    return [found[i % len(found)] for i in range(threads)]
