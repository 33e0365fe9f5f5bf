"""When outliers step out of the bulk of a tracked matrix."""

import numpy as np
import pytest

from sgdyson import simulate
from sgdyson.errors import InvalidInputError
from sgdyson.models import LowRankTeacher
from sgdyson.tracking import Run, Tracker, _emergence, emergence, open_run


def tracked(folder, matrices, steps):
    with Tracker(folder / "run.zarr", every=1) as tracker:
        for step, matrix in zip(steps, matrices, strict=True):
            tracker.update(int(step), {"w": matrix})
    return Run(open_run(folder / "run.zarr"))


def test_modes_of_a_student_detach_where_theory_has_them(tmp_path):
    model = LowRankTeacher([6.0, 3.0], (160, 80), label_noise=1.0)
    how = {"learning_rate": 0.02, "batch_size": 64}
    run = simulate(
        model, **how, replicas=1, updates=40, record_every=1, seed=0, record_weights=True,
        progress=False,
    )  # fmt: skip
    found = emergence(tracked(tmp_path, run.weights.values[0], run.time.values), "w")
    path = model.predict_path(**how, times=run.time.values)
    stays = {one.rank: one for one in found.detachments if one.back is None}
    for rank, detached in enumerate(path.detachment_times, 1):
        # seen once the level is above the threshold, a fluctuation above the edge
        above = path.levels[:, rank - 1] > found.threshold
        expected = path.times[above.argmax()]
        assert stays[rank].step.value == pytest.approx(expected, abs=3)
        assert stays[rank].step.value > detached - 1
    assert stays[1].step.value < stays[2].step.value - 3  # power: in order of strength
    np.testing.assert_allclose(found.edge, path.edge, rtol=0.05)


def test_a_stay_that_ends_and_one_record_of_false_alarm(tmp_path):
    random = np.random.default_rng(1)
    strengths = [0, 30, 0, 0, 30, 30, 30, 30, 0, 0, 30, 30]
    matrices = []
    for strength in strengths:
        matrices.append(random.standard_normal((60, 40)))
        matrices[-1][0, 0] += strength
    found = emergence(tracked(tmp_path, matrices, 10 * np.arange(12)), "w", false_alarm=1e-4)
    first, second = found.detachments
    assert (first.step.value, first.back.value) == (35, 75)
    assert first.step.error == pytest.approx(10 / 12**0.5)
    assert (second.step.value, second.back) == (95, None)
    assert found.outliers.tolist() == [int(strength > 0) for strength in strengths]


def test_what_is_out_from_the_first_record_on(tmp_path):
    matrix = np.random.default_rng(2).standard_normal((60, 40))
    matrix[0, 0] += 40
    (one,) = emergence(tracked(tmp_path, [matrix, 1.1 * matrix], [5, 6]), "w").detachments
    assert (one.step.value, one.step.error, one.back) == (5, 0, None)


def test_where_there_is_no_bulk_nothing_steps_out(tmp_path):
    widths = np.diag(np.geomspace(1, 1e4, 40))
    matrix = np.random.default_rng(3).standard_normal((60, 40)) @ widths
    with pytest.raises(InvalidInputError, match="no bulk at any of 2 records"):
        emergence(tracked(tmp_path, [matrix, 2 * matrix], [0, 1]), "w")
    small = tracked(tmp_path / "small", [np.eye(3), 2 * np.eye(3)], [0, 1])
    with pytest.raises(InvalidInputError, match="3 levels"):
        emergence(small, "w")
    with pytest.raises(InvalidInputError, match="not among the matrices"):
        emergence(small, "v")


def test_the_largest_level_of_noise_lies_in_its_band_nine_times_of_ten():
    """Of 3000 matrices 150 below it and 150 above it, within four standard errors."""
    noise = np.random.default_rng(8).standard_normal((3000, 30, 20))
    largest = np.linalg.svd(noise, compute_uv=False)[:, 0]
    low, high = _emergence._band((30, 20))
    for outside in (np.sum(largest < low), np.sum(largest > high)):
        assert abs(outside - 150) < 4 * (3000 * 0.05 * 0.95) ** 0.5
