"""What is recorded beside the levels."""

import numpy as np
import pytest

from sgdyson import TeacherStudent, simulate
from sgdyson.errors import InvalidInputError
from sgdyson.models import LowRankTeacher

HOW = {
    "learning_rate": 0.1, "batch_size": 4, "replicas": range(3, 20), "updates": 10, "seed": 2,
    "record_every": 5, "progress": False,
}  # fmt: skip


def trace(weights):
    return np.trace(weights, axis1=-2, axis2=-1)


def test_of_the_model_and_of_your_own():
    model = LowRankTeacher([2.0, 1.0], (6, 5))
    run = simulate(
        model, **HOW, record={"levels": None, "overlaps": model.overlaps, "norm": np.linalg.norm}
        | {"norm": lambda w: np.linalg.norm(w, axis=(-2, -1))}, record_weights=True,
    )  # fmt: skip
    np.testing.assert_array_equal(run.overlaps, model.overlaps(run.weights.values))
    np.testing.assert_allclose(run.norm, np.sqrt((run.levels**2).sum("level")))
    assert run.overlaps.dims == ("replica", "time", "overlaps_0", "overlaps_1")
    named = simulate(model, **HOW, record=("levels", "overlaps", trace))
    np.testing.assert_array_equal(named.overlaps, run.overlaps)
    np.testing.assert_array_equal(named.trace, trace(run.weights.values))
    assert "overlaps" not in simulate(model, **HOW)


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (["overlaps"], "no observable of this model, which has levels;"),
        ("levels", "must be a list"),
        ([lambda w: w], "'<lambda>' cannot name"),
        ({"weights": trace}, "cannot name"),
        ({"replica": trace}, "cannot name"),
        ({"x": 3}, "no observable"),
        ({"x": np.sum}, r"shape \(\).*must keep these two"),
    ],
)
def test_what_is_refused(record, says):
    with pytest.raises(InvalidInputError, match=says):
        simulate(TeacherStudent(), **HOW, record=record)
