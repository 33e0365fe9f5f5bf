"""A tracker in a trainer: what fails in it is told once, and it is not called any more."""

import pytest

from sgdyson.tracking._callback import Guarded


class Failing:
    def __init__(self):
        self.kept, self.closed = [], 0

    def step(self):
        raise RuntimeError("a matrix of another shape")

    def log_scalar(self, name, value, step):
        self.kept.append((name, value, step))

    def close(self):
        self.closed += 1


def test_what_fails_once_is_not_called_again(tmp_path):
    guarded, tracker = Guarded(tmp_path / "run.zarr"), Failing()
    guarded.begin(lambda: tracker)
    guarded.log_metrics({"loss": 0.5, "epoch": 1, "train_runtime": 3.0, "words": "no"}, 7)
    assert tracker.kept == [("loss", 0.5, 7)]
    with pytest.warns(RuntimeWarning, match="has stopped: a matrix of another shape") as told:
        assert guarded.guard(tracker.step) is None
    assert len(told) == 1
    assert guarded.tracker is None
    guarded.log_metrics({"loss": 0.4}, 8)
    guarded.end()
    assert (tracker.kept, tracker.closed) == ([("loss", 0.5, 7)], 0)


def test_a_training_that_begins_ends_the_one_before(tmp_path):
    guarded, first, second = Guarded(tmp_path / "run.zarr"), Failing(), Failing()
    guarded.begin(lambda: first)
    guarded.begin(lambda: second)
    assert (first.closed, second.closed) == (1, 0)
    assert guarded.tracker is second
