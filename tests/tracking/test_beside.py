"""Work beside the training: waited for as long as it lives, by a clock that goes as it is told."""

import threading

import pytest

from sgdyson.tracking import _beside
from sgdyson.tracking._beside import Beside, StillBusyError


@pytest.fixture
def clock(monkeypatch):
    now = [5.0]
    monkeypatch.setattr(_beside.time, "monotonic", lambda: now[0])
    return now


def test_who_gave_a_sign_is_waited_for_however_long_it_has_taken(clock):
    beside, done = Beside[int](patience=60.0), threading.Event()
    beside.start(lambda: done.wait() and 7)
    clock[0] = 1000.0
    beside.live()
    clock[0] = 1030.0
    threading.Timer(0.05, done.set).start()
    assert beside.collect() == 7
    assert beside.collect() is None


def test_who_begins_again_has_all_patience(clock):
    beside, done = Beside[int](patience=60.0), threading.Event()
    beside.start(lambda: 1)
    assert beside.collect() == 1
    clock[0] = 1000.0
    beside.start(lambda: done.wait() and 2)
    threading.Timer(0.05, done.set).start()
    assert beside.collect() == 2


def test_who_gives_no_sign_is_given_up_and_collected_once_it_is_done(clock):
    beside, stuck, over = Beside[int](patience=60.0), threading.Event(), threading.Event()

    def work():
        stuck.wait()
        over.set()
        return 3

    beside.start(work)
    clock[0] = 66.0
    for _ in range(2):  # at once: nobody waits any more
        with pytest.raises(StillBusyError):
            beside.collect()
    stuck.set()
    over.wait()
    beside._thread.join()
    assert beside.collect() == 3
