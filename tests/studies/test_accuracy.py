"""The limit of accuracy: distances, over-fitting, the student's way in closed form; the study."""

import json

import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.models import scalar_field_kernel
from sgdyson.stats import Estimate
from sgdyson.studies import study_accuracy
from sgdyson.studies.accuracy import _floors, _generalisation, _samples_seen, _study
from sgdyson.studies.accuracy._distance import divergence, divergence_of_kernels, squared_error


def test_divergence_is_the_mean_log_ratio_of_two_densities():
    target, learnt = scalar_field_kernel(4, 2.0), scalar_field_kernel(4, 1.5) + 0.3 * np.eye(4)
    x = np.random.default_rng(0).standard_normal((200_000, 4)) @ np.linalg.cholesky(
        np.linalg.inv(target)).T  # fmt: skip
    ratio = 0.5 * (np.linalg.slogdet(target)[1] - np.linalg.slogdet(learnt)[1]) + 0.5 * (
        np.einsum("ni,ij,nj->n", x, learnt - target, x)
    )
    found = float(divergence_of_kernels(learnt, target))
    error = ratio.std() / len(ratio) ** 0.5
    assert abs(found - ratio.mean()) < 4 * error < 0.1 * found
    assert abs(float(divergence_of_kernels(target, learnt)) - ratio.mean()) > 4 * error
    weights = np.linalg.cholesky(9 * np.eye(4) - learnt).T
    assert float(divergence(weights, 3.0, target)) == pytest.approx(found)
    assert squared_error(np.diag([2.5, 1.0]), np.array([2.0, 1.0])) == pytest.approx(0.25)


@pytest.mark.parametrize(("n", "samples"), [(3, 12), (4, 40)])
def test_over_fitting_without_noise_is_wisharts(n, samples):
    random = np.random.default_rng(1)
    data = random.standard_normal((40_000, samples, n))
    kernels = np.linalg.inv(data.mT @ data / samples)
    found = divergence_of_kernels(kernels, np.eye(n))
    error = found.std() / len(found) ** 0.5
    assert abs(found.mean() - _generalisation.overfitting(n, samples)) < 4 * error
    assert abs(found.mean() - n * (n + 1) / (4 * samples)) > 4 * error  # the limit of many samples
    many = _generalisation.overfitting(n, 10**5)
    assert many == pytest.approx(n * (n + 1) / (4 * 10**5), rel=1e-3)


@pytest.mark.parametrize(("n", "samples"), [(3, 18), (4, 60)])
def test_least_squares_of_noisy_labels_is_wisharts(n, samples):
    """W - W_t = a C^-1 by plain NumPy: four errors of the mean of 40 000 data sets."""
    random = np.random.default_rng(2)
    inputs = random.standard_normal((40_000, samples, n))
    noise = random.standard_normal((40_000, n, n))
    noise = (noise + noise.mT) / (2 * samples) ** 0.5  # 1/D off the diagonal, 2/D on it
    off = noise @ np.linalg.inv(inputs.mT @ inputs / samples)
    found = (0.5**2 * off**2).sum(axis=(1, 2))
    error = found.std() / len(found) ** 0.5
    expected = _generalisation.least_squares_error(n, samples, 0.5)
    assert abs(found.mean() - expected) < 4 * error < 0.05 * expected
    # as if the inputs had their true second moment
    assert abs(found.mean() - 0.25 * n * (n + 1) / samples) > 4 * error
    assert _generalisation.least_squares_error(4, 7) == np.inf


def test_the_students_way_ends_at_its_floor():
    model = _floors.student()
    exact = _samples_seen.expected_error(model, np.full(3000, 0.3), 1.0)
    limit = model.predict(0.3, _samples_seen.BATCH).accuracy_limit
    assert exact[-1] == pytest.approx(limit, rel=1e-9)
    falling = 0.3 * _samples_seen.Falling(1 / 0.3)(np.arange(3000))
    error = _samples_seen.expected_error(model, falling, 1.0)
    late = error[[-1500, -1]] * np.array([1500, 3000])
    assert late[0] == pytest.approx(late[1], rel=0.02)  # 1/t
    assert error[-1] < 0.01 * limit


def small(quick, seed):
    """Every part, as small as it can be."""
    return {
        "machine floors": lambda: _floors.machine_floors(64, 200, seed, (16,)),
        "student floors": lambda: _floors.student_floors(64, 100, seed, (16,)),
        "network floors": lambda: _floors.network_floors(2, 16, seed, (8, np.inf)),
        "student curves": lambda: _samples_seen.student_curves(64, 60, seed),
        "machine curves": lambda: _samples_seen.machine_curves(8, 80, seed),
        "machine generalisation": lambda: _generalisation.machine_generalises(
            (64,), 3, 8, 100, seed, (16,)
        ),
        "student generalisation": lambda: _generalisation.student_generalises(
            (32,), 32, 20, seed, (1, 8)
        ),
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out, said = tmp_path_factory.mktemp("studies") / "accuracy", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_study, "_work", small)
        checks = study_accuracy(out, 0, said.append, quick=True)
        again, before = [], len(said)
        patch.setattr("sgdyson.studies._study.save", lambda *_: None)  # they are drawn above
        repeated = study_accuracy(out, 0, again.append, quick=True)
    assert before == 7
    assert again == []  # nothing is run twice
    assert [check.to_dict() for check in checks] == [check.to_dict() for check in repeated]
    return out, checks


def test_the_study_writes_numbers_checks_and_the_figure(done):
    out, checks = done
    results = json.loads((out / "results.json").read_text())
    assert [check["name"] for check in results["checks"]] == [check.name for check in checks]
    assert len({check.name for check in checks}) == len(checks) == 2 + 8 + 2
    assert {path.suffix for path in (out / "figures").iterdir()} == {".pdf", ".svg", ".png"}
    assert set(results["best"]) == {"machine", "student"}
    assert 0.0 in results["parts"]["student generalisation"][0]["ratio"]
    failed = [check.name for check in checks if not check.passed]
    assert failed == []


def test_the_study_refuses_the_folder_of_another(done):
    with pytest.raises(InvalidInputError):
        study_accuracy(done[0], 1, print, quick=True)


def test_a_floor_that_is_off_by_a_tenth_fails_its_check():
    floors = [_floors.Floor(0.1, 8, Estimate(1.1, 0.01, 100.0), 1.0, 1.0, 0.2)]
    (check, _) = _study._floor_checks({"machine floors": floors, "student floors": floors})
    assert not check.passed  # theory may be off by 5 %, whatever it states
    right = [floors[0]._replace(measured=Estimate(1.03, 0.01, 100.0))]
    assert all(c.passed for c in _study._floor_checks(
        {"machine floors": right, "student floors": right}))  # fmt: skip
