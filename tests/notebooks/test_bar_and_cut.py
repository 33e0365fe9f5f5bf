"""What a bar tells of the time that is left, and which rows of a long table are shown."""

import threading
from types import SimpleNamespace

import pytest

from sgdyson import _notebook
from sgdyson._notebook import NotebookBar
from sgdyson._progress import progress_bar
from sgdyson._tabular import Table


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(_notebook.time, "monotonic", lambda: now[0])
    handle = SimpleNamespace(update=lambda bar: None)  # there is no notebook
    monkeypatch.setattr("IPython.display.display", lambda bar, display_id: handle)
    return now


def test_as_much_time_is_left_as_the_rest_takes_at_this_pace(clock):
    bar = NotebookBar(120, "updates")
    clock[0] += 4
    bar.advance(20)
    clock[0] += 6
    bar.advance(10, "half a line")
    assert repr(bar) == "half a line · 25% · 3 updates/s · 0:30 left"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0:00"), (59, "0:59"), (59.6, "1:00"), (3599, "59:59"), (26 * 3600 + 61, "26:01:01")],
)
def test_a_clock_counts_hours_beyond_a_day(seconds, shown):
    assert _notebook._clock(seconds) == shown


def test_a_bar_in_a_terminal_adds_up_what_it_is_told(monkeypatch):
    shown = []

    class Bar:
        def __init__(self, *columns, **options):
            self.tasks = [self]
            self.speed = None

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def add_task(self, label, **start):
            shown.append(start["total"])

        def advance(self, task, amount):
            shown.append(amount)

        def update(self, task, **told):
            pass

    monkeypatch.setattr("sgdyson._progress.Progress", Bar)
    monkeypatch.setattr("sgdyson._progress.Console.is_terminal", True)
    with progress_bar(9.0, True) as advance:
        workers = [threading.Thread(target=advance, args=(amount,)) for amount in (2.5, 4.0, 0.0)]
        for worker in workers:
            worker.start()
            worker.join()
    assert shown == [9.0, 2.5, 4.0, 0.0]


@pytest.mark.parametrize("rows", [24, 25, 100])
def test_of_a_long_table_both_ends_are_shown(rows):
    table = Table("title", {"n": list(range(rows))}, {"n": "n"})
    shown = table.text().splitlines()[2:]
    if rows <= 24:
        assert shown == [f"{n:2}" for n in range(rows)]
    else:
        ends = [*range(12), "…", *range(rows - 12, rows)]
        assert [line.strip() for line in shown] == list(map(str, ends))
