"""Where blocks of replicas run."""

import os

import jax


def workers() -> list[jax.Device]:
    """A device for each worker thread: every accelerator once, or every core of the CPU.

    JAX runs one program at a time on a CPU thread and lets go of Python's lock meanwhile, so a
    thread a core uses them all; several CPU devices, where a user asked for them, take turns.
    """
    devices = jax.local_devices()
    if devices[0].platform != "cpu":
        return devices
    threads = max(len(devices), cores())
    return [devices[i % len(devices)] for i in range(threads)]


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
