"""Counts of a run: records, updates of a bar, stretches of a burn-in, the first divergence."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from sgdyson import TeacherStudent, simulate
from sgdyson.engine import _ensemble, block
from sgdyson.engine._dataset import labelled

STUDENT = TeacherStudent([2.0, 1.0], label_noise=0.3)


def run(**changes):
    how = {"learning_rate": 0.1, "batch_size": 4, "replicas": 5, "updates": 20, "record_every": 10,
           "seed": 1, "progress": False}  # fmt: skip
    return simulate(STUDENT, **how | changes)


def test_updates_after_the_last_record_are_not_run():
    assert run(updates=29).time.values.tolist() == [0, 10, 20]


def test_what_a_bar_is_told_is_its_total(monkeypatch):
    """Updates of the replicas that were asked for, burn-in included, of a block that has more."""
    totals, told = [], []

    @contextmanager
    def bar(total, wanted):
        totals.append(total)
        yield told.append

    monkeypatch.setattr(_ensemble, "progress_bar", bar)
    run(record_from=30, updates=29)
    assert totals == [5 * (30 + 20)]
    assert sum(told) == totals[0]
    told.clear()
    run(record_from=30, replicas=range(2, 4), progress=told.append)
    assert sum(told) == 2 * (30 + 20)


def test_a_burn_in_of_several_stretches_is_one_of_one(monkeypatch):
    whole = run(record_from=35)
    size = block.block_size(STUDENT, "cpu")
    monkeypatch.setattr(block, "_UPDATES_AT_ONCE", 10 * size)
    np.testing.assert_array_equal(run(record_from=35).levels, whole.levels)


def test_a_replica_that_fails_in_its_first_update_has_diverged():
    recorder = SimpleNamespace(
        levels=np.zeros((3, 2, 1)), diverged_at=np.array([-1, 0, 5]), beside={},
        chosen=range(4, 7), matrix_names=("w",),
    )  # fmt: skip
    data = labelled(recorder, 10, {})
    assert data.diverged.values.tolist() == [False, True, True]
    assert data.replica.values.tolist() == [4, 5, 6]
    assert data.time.values.tolist() == [0, 10]


@pytest.mark.parametrize(
    ("failed", "sentence"),
    [([-1, 40, 7], "2 of 3 replicas diverged, the first in update 7"),
     ([9, 3, 5], "every replica diverged, the first in update 3"), ([-1, -1, -1], "")],
)  # fmt: skip
def test_the_first_divergence_is_told(capsys, failed, sentence):
    _ensemble._tell_of_divergence(np.array(failed), SimpleNamespace(learning_rate=0.5))
    told = capsys.readouterr().err
    assert told.startswith(sentence) if sentence else told == ""
