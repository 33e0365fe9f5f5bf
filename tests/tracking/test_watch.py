"""A run is watched while it goes on: the table, the page, waiting for what is not there yet."""

import io

import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.tracking import Tracker, _watch, watch, write_run_report


class EnoughError(BaseException):
    pass


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of thirty lines whose text is kept."""
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    made = type(_watch.console())(file=stream, force_terminal=True, width=140, height=30)
    monkeypatch.setattr(_watch, "console", lambda: made)
    return stream


def test_once(tmp_path, capsys):
    with Tracker(tmp_path / "run.zarr", every=1) as tracker:
        for step in range(3):
            tracker.update(step, {"w[red]": np.diag([2.0, 1.0]) * (1 + step), "late": np.eye(2)})
            tracker.log_scalar("loss", 0.5**step)
    watch(tmp_path / "run.zarr", page=tmp_path / "page.html", once=True)
    told = capsys.readouterr().out
    assert "3 records, step 2, loss 0.25" in told
    assert "w[red]" in told
    assert " 6 " in told
    assert 'http-equiv="refresh" content="5"' in (tmp_path / "page.html").read_text()
    with pytest.raises(InvalidInputError, match="no tracked run"):
        watch(tmp_path / "none.zarr", once=True)
    with pytest.raises(InvalidInputError, match="every"):
        watch(tmp_path / "run.zarr", every=0, once=True)


def test_it_follows_a_run_from_before_its_beginning(tmp_path, terminal, monkeypatch):
    """What takes long is done seldom, but done when the last record has come."""
    out, page = tmp_path / "run.zarr", tmp_path / "page.html"
    tracker, clock = Tracker(out, every=1), [0.0]
    steps, pages = iter(range(6)), []

    def write(*arguments, **settings):
        clock[0] += 1.5  # rests for 13.5 s
        write_run_report(*arguments, **settings)

    def sleep(seconds):
        """Meanwhile the training makes a step, then none any more."""
        clock[0] += seconds
        pages.append(page.read_text() if page.exists() else "")
        step = next(steps, None)
        if step is not None:
            tracker.update(step, {f"w{i}": (1 + step) * np.diag([2.0, 1.0]) for i in range(40)})
            tracker._settle()
        if len(pages) > 19:
            raise EnoughError

    monkeypatch.setattr(_watch.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(_watch.time, "sleep", sleep)
    monkeypatch.setattr(_watch, "write_run_report", write)
    with pytest.raises(EnoughError):
        watch(out, page=page, every=2.0)
    tracker.close()
    told = terminal.getvalue()
    assert "waiting for" in told
    assert "one record, step" in told
    assert all(f"{n} records" in told for n in (2, 3, 4, 5, 6))
    assert "more; sgdyson report shows all" in told  # forty rows, thirty lines
    words = {n: f", {n} records, " if n > 1 else ", one record, " for n in range(1, 7)}
    shown = [next((n for n in words if words[n] in text), 0) for text in pages]
    # written at once, then at 7 s, and not again for 13.5 s
    assert shown == [0, 1] + [2] * 7 + [6] * 11


def test_nothing_is_measured_while_nothing_comes(tmp_path, terminal, monkeypatch):
    with Tracker(tmp_path / "run.zarr", every=1) as tracker:
        tracker.update(0, {"w": np.eye(2)})
    looks, sleeps = [], []
    look = _watch._look

    def counted(*arguments):
        looks.append(1)
        return look(*arguments)

    def sleep(seconds):
        sleeps.append(seconds)
        if len(sleeps) > 9:
            raise EnoughError

    monkeypatch.setattr(_watch, "_look", counted)
    monkeypatch.setattr(_watch.time, "sleep", sleep)
    with pytest.raises(EnoughError):
        watch(tmp_path / "run.zarr", every=1.5)
    assert len(looks) == 1
    assert set(sleeps) == {1.5}
