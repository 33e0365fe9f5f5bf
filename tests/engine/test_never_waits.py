"""Whatever a model calls, no worker waits for ever: XLA's pool of threads is not shared."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from sgdyson import GaussianRBM, simulate
from sgdyson._devices import devices
from sgdyson.errors import InvalidInputError

SCRIPT = Path(__file__).with_name("waits.py")


def ends(which: str, seconds: float) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), which], capture_output=True, text=True, timeout=seconds
    )
    assert done.stdout.endswith("done\n"), done.stdout + done.stderr


def test_every_factorisation_at_any_size_with_any_number_of_workers(
    every_core, compiled_as_written
):
    ends("short", 400)


@pytest.mark.slow
def test_every_model_up_to_256_units(every_core):
    ends("long", 1500)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator has queues of its own")
def test_each_worker_has_a_device_and_a_pool_of_its_own(every_core):
    before = dict(os.environ)
    first = devices(2)
    assert dict(os.environ) == before
    assert first == devices(2)
    assert jax.local_devices()[0].client not in {device.client for device in first}
    assert len({device.client for device in first}) == min(2, len(os.sched_getaffinity(0)))
    assert len(devices(64)) == 64


def _run() -> None:
    rbm = GaussianRBM.scalar_field(4)
    how = {"learning_rate": 0.05, "batch_size": 16, "replicas": 3, "seed": 0, "progress": False}
    simulate(rbm, **how, updates=4, record_every=4)


def _in_a_child(queue) -> None:
    try:
        queue.put(_run())
    except InvalidInputError as error:
        queue.put(str(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
@pytest.mark.filterwarnings("ignore:os.fork.. was called:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_is_told_at_once_that_jax_cannot_run_in_it():
    _run()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_a_child, args=(queue,))
    child.start()
    try:
        assert "spawn" in queue.get(timeout=60)
    finally:
        child.join(10)
        child.kill()
