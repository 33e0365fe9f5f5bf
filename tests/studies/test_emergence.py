"""The study of emergence, small; and what each of its checks must reject."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sgdyson.figures import save
from sgdyson.models import LowRankTeacher
from sgdyson.studies import study_emergence
from sgdyson.studies.emergence import _phases, _runs, _study, _transient
from sgdyson.studies.emergence._phases import PHASES, Diagram, diagram, first_overlap, planes

STUDENT = LowRankTeacher([6.0, 3.0], (60, 40), label_noise=1.0)


@pytest.fixture(scope="module")
def learning():
    return _runs.learn(STUDENT, 0.02, 64, 8, 60, 5, 0)


def test_it_measures_draws_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(_study, "LARGE", LowRankTeacher([6.0, 3.0], (30, 20)))
    monkeypatch.setattr(_study, "SMALL", LowRankTeacher([1.0], (24, 16)))
    monkeypatch.setattr(_study, "RATIOS", (0.01,))
    for name, samples in (("DATA_SET", 50), ("FRESH", None)):
        student = LowRankTeacher([3.0], (40, 20), label_noise=1.0, samples=samples,
                                 input_variances=_transient.INPUTS[::4])  # fmt: skip
        monkeypatch.setattr(_transient, name, student)
    monkeypatch.setattr(_study, "planes", lambda points: [
        replace(plane, rates=plane.rates[[2, -1]], y=plane.y[::2]) for plane in planes(5)
    ])  # fmt: skip
    # the other studies' figures are written in all kinds
    monkeypatch.setattr(
        "sgdyson.studies._study.save", lambda figure, folder, _: save(figure, folder, ["svg"])
    )
    checks = study_emergence(tmp_path, 0, lambda line: None, quick=True)
    assert {check.name.split("/")[0] for check in checks} >= {"level", "left overlap", "time"}
    results = json.loads((tmp_path / "results.json").read_text())
    shares = results["diagrams"][0]["shares"]
    assert shares["divergence"][0] == [0, 1]
    assert shares["for good"][0] == [1, 0]
    for name in ("paths", "transient", "what_is_learnt", "phases"):
        assert (tmp_path / "figures" / f"{name}.svg").stat().st_size > 1000
    monkeypatch.setattr(_phases.Point, "run", None)  # no point is run again
    for number, plane in enumerate(_study.planes(5)):
        again = diagram(plane, 16, 0, tmp_path / f"phases-{plane.name}.json")
        assert again.shares.tolist() == list(results["diagrams"][number]["shares"].values())


def test_levels_overlaps_and_times_are_those_of_theory_and_no_others(learning):
    checks = _study.path_checks(learning) + _study.time_checks(learning)
    assert len(checks) == 14
    assert all(check.passed for check in checks)
    # a student of another strength, or one that began elsewhere, is rejected
    for other in ([6.6, 3.3], [5.4, 2.7]):
        model = LowRankTeacher(other, (60, 40), label_noise=1.0)
        path = model.predict_path(0.02, 64, learning.path.times)
        wrong = [check for check in _study.path_checks(replace(learning, path=path))
                 if check.quantity == "level" and check.setting["update"] == 60]  # fmt: skip
        assert len(wrong) == 2
        assert not any(check.passed for check in wrong)
    late = np.roll(learning.overlaps, 2, axis=1)
    assert not all(check.passed for check in _study.time_checks(replace(learning, overlaps=late)))


def test_a_transient_mode_passes_and_one_of_other_data_does_not(monkeypatch):
    """Power: the prediction for fewer samples, and for more, is rejected where it drowns."""
    students = {
        samples: LowRankTeacher([3.0], (80, 40), label_noise=1.0, samples=samples,
                                input_variances=_transient.INPUTS[::2])
        for samples in (60, 100, 160, None)
    }  # fmt: skip
    monkeypatch.setattr(_transient, "DATA_SET", students[100])
    monkeypatch.setattr(_transient, "FRESH", students[None])
    transient = _transient.Transient.run(32, 0)
    checks = _transient.transient_checks(transient)
    assert len(checks) == 5
    assert all(check.passed for check in checks)
    learning = transient.data_set
    for samples in (60, 160):
        path = students[samples].predict_path(0.05, np.inf, learning.path.times)
        wrong = replace(transient, data_set=replace(learning, path=path))
        passed = {check.name: check.passed for check in _transient.transient_checks(wrong)}
        assert not passed["time/drowns"]


def test_what_stands_out_of_noise():
    """At its false-alarm rate of 1 in 1000 for noise; and a mode at thrice the threshold always."""
    random, shape = np.random.default_rng(0), (48, 32)
    noise = random.standard_normal((4000, *shape))
    levels = np.linalg.svd(noise, compute_uv=False)
    out = _runs.standing_out(levels, shape, 2)
    assert out[:, 0].sum() <= 15  # 4 expected
    noise[:500, 0, 0] += 3 * (48 * 32) ** 0.25
    seen = _runs.standing_out(np.linalg.svd(noise[:500], compute_uv=False), shape, 2)
    assert seen[:, 0].all()
    assert seen[:, 1].mean() < 0.02
    # scale free
    np.testing.assert_array_equal(_runs.standing_out(1e-3 * levels, shape, 2), out)


def test_the_time_of_half_the_overlap():
    times = np.array([0.0, 10, 20, 30])
    overlaps = np.array([[0.0, 0.2, 0.7, 1.0], [0.0, 0.4, 0.5, 0.9], [0.6, 0.7, 0.8, 0.9]])
    np.testing.assert_allclose(_runs.crossings(times, overlaps, 0.5), [16.0, 20.0, 0.0])


def test_the_overlap_of_the_largest_level():
    weights = np.random.default_rng(1).standard_normal((5, 2, 9, 6))
    left = np.linalg.svd(weights)[0][..., 0]
    np.testing.assert_allclose(first_overlap(weights), left[..., 0] ** 2)
    assert first_overlap(np.zeros((3, 2))) == 0


def test_boundaries_are_measured_between_cells():
    """On replicas whose own thresholds are known; a grid on one side of it has none."""
    plane = planes(9)[1]
    log, good = np.log(plane.y), PHASES.index("for good")
    own = np.random.default_rng(2).normal(log[4], 0.6 * (log[1] - log[0]), 400)
    seen = np.where(log[:, None, None] > own, good, 0) * np.ones((1, 9, 1), int)
    found = Diagram(plane, seen, seen[..., 0], np.zeros((9, 2))).boundary(3)
    assert found.value == pytest.approx(plane.y[4], abs=4 * found.error)
    assert found.error < 0.02 * found.value
    assert Diagram(plane, 0 * seen, seen[..., 0], np.zeros((9, 2))).boundary(3) is None


def test_a_boundary_that_is_elsewhere_is_rejected(tmp_path):
    plane = replace(planes(20)[1], rates=np.array([0.1]))
    part = diagram(plane, 8, 0, tmp_path / "phases.json")
    (check,) = _study.boundary_checks(part)
    assert check.passed
    for factor in (1.6, 1 / 1.6):
        moved = replace(part, boundaries=factor * part.boundaries)
        (wrong,) = _study.boundary_checks(moved)
        assert not wrong.passed
    assert plane.boundary(0.1) == pytest.approx(part.boundaries[0, 0])


def test_a_damaged_file_of_phases_is_run_again(tmp_path):
    plane = replace(planes(5)[0], rates=np.array([0.1]), y=np.array([0.03, 0.3]))
    first = diagram(plane, 2, 0, tmp_path / "phases.json").seen
    for text in ("[[", "[[[1, 1, 1]]]", "{}"):
        (tmp_path / "phases.json").write_text(text)
        np.testing.assert_array_equal(diagram(plane, 2, 0, tmp_path / "phases.json").seen, first)
