"""Ctrl-C: one sentence, whenever it comes and however often; streams that take no more."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from sgdyson._interrupt import SENTENCE

SPEC = """
name = "long"
replicas = 4000
updates = 1000000
record_every = 100000
[model]
kind = "teacher_student"
teacher = [2.0, 2.0]
[learning]
learning_rate = 0.1
batch_size = 4
"""


@contextmanager
def command(folder, *arguments):
    """The command in a process of its own, which is gone at the end."""
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        watchdog = threading.Timer(90, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def running(folder):
    """Until the campaign is under way."""
    return (folder / "out" / "manifest.jsonl").exists()


@pytest.mark.parametrize("presses", [1, 5])
def test_a_running_campaign_says_that_it_goes_on_later(tmp_path, every_core, presses):
    """Five fast ones are one wish: they neither abort the process nor print a traceback."""
    (tmp_path / "spec.toml").write_text(SPEC)
    with command(tmp_path, "-m", "sgdyson", "run", "spec.toml", "--out", "out") as process:
        while not running(tmp_path) and process.poll() is None:
            time.sleep(0.05)
        time.sleep(0.5)
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        out, told = process.communicate(timeout=90)
    assert process.returncode == 130, told
    assert told.strip() == SENTENCE
    assert out == ""


START = """
import sys
from sgdyson._interrupt import expect_interrupts
expect_interrupts()
print("ready", flush=True)
from sgdyson.__main__ import main
sys.argv = ["sgdyson", "run", "spec.toml", "--out", "out"]
main()
"""


@pytest.mark.parametrize("wait", [0.0, 0.1, 0.4, 1.0, 2.0])
def test_a_start_is_interrupted_without_a_traceback(tmp_path, wait):
    """While modules are loaded, the spec is read, the first program compiled."""
    (tmp_path / "spec.toml").write_text(SPEC)
    with command(tmp_path, "-c", START) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=90)
    assert told.strip() == SENTENCE
    assert process.returncode == 130


COLLECTED = """
import gc, os, signal, time
from sgdyson._interrupt import expect_interrupts
expect_interrupts()
gc.callbacks.append(lambda phase, info: os.kill(os.getpid(), signal.SIGINT))
gc.collect()
time.sleep(30)
"""


def test_an_interrupt_in_a_callback_of_the_collector_is_not_lost(tmp_path):
    """Python would print and drop it: libraries as JAX have such callbacks."""
    with command(tmp_path, "-c", COLLECTED) as process:
        _, told = process.communicate(timeout=20)
    assert told.strip() == SENTENCE
    assert process.returncode == 130


def test_a_closed_pipe_and_a_full_disk_are_sentences(tmp_path):
    (tmp_path / "spec.toml").write_text(SPEC)
    reading, writing = os.pipe()
    os.close(reading)
    for stream, reason in ((writing, "closed"), (os.open("/dev/full", os.O_WRONLY), "No space")):
        with os.fdopen(stream, "wb") as stdout:
            done = subprocess.run(
                [sys.executable, "-m", "sgdyson", "--version"], stdout=stdout, text=True,
                stderr=subprocess.PIPE, timeout=90, check=False,
            )  # fmt: skip
        assert done.returncode == 2
        assert reason in done.stderr
        assert done.stderr.count("\n") == 1
