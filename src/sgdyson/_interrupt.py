"""Ctrl-C on the command line: one sentence, whenever it comes and however often.

Imports nothing that takes long: it stands ready before anything else is loaded.
"""

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

SENTENCE = "Stopped; the same command goes on from what is finished."
STATUS = 130  # as shells have it: 128 + SIGINT
_PATIENCE = 1.0  # seconds in which several presses are one wish
_first: list[float] = []


def expect_interrupts() -> None:
    """Handle Ctrl-C from now on, unless others handle it, or ignore it as `nohup` does."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _interrupted)
        sys.unraisablehook = _unraisable


def was_interrupted() -> bool:
    """Whether Ctrl-C was pressed: some libraries turn it into other exceptions, or lose it."""
    return bool(_first)


def leave() -> NoReturn:
    """End at once: what is finished is on the disk, and XLA's threads are not waited for."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    os.write(2, f"\n{SENTENCE}\n".encode())
    os._exit(STATUS)


def _interrupted(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if not _first:
        _first.append(now)
        if _loads(frame):
            leave()  # nothing is begun, and modules half loaded raise errors of their own
        raise KeyboardInterrupt
    if now - _first[0] > _PATIENCE:
        leave()


def _unraisable(lost: "sys.UnraisableHookArgs") -> None:
    """A Ctrl-C that Python would print and drop, in a callback of its garbage collector, say."""
    if was_interrupted() and issubclass(lost.exc_type, KeyboardInterrupt):
        leave()
    sys.__unraisablehook__(lost)


def _loads(frame: FrameType | None) -> bool:
    """Whether modules are being imported."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
