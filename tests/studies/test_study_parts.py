"""Bookkeeping of studies: which replicas, which records, which errors a number is made of."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from sgdyson.analysis import Check
from sgdyson.stats import Estimate
from sgdyson.studies._study import write_results
from sgdyson.studies.accuracy import _floors, _generalisation, _samples_seen
from sgdyson.studies.accuracy._distance import good_weights
from sgdyson.studies.dyson_test import _measure, _runs
from sgdyson.studies.linear_scaling import _study
from sgdyson.studies.many_species import _study as _many


def test_diverged_replicas_and_the_start_are_no_trained_weights():
    weights = np.arange(12.0).reshape(3, 4, 1, 1) * np.ones((2, 2))
    run = xr.Dataset(
        {"weights": (("replica", "time", "row", "column"), weights),
         "diverged": ("replica", [False, True, False])}
    )  # fmt: skip
    np.testing.assert_array_equal(good_weights(run)[..., 0, 0], [[1, 2, 3], [9, 10, 11]])
    np.testing.assert_array_equal(good_weights(run, 3)[..., 0, 0], [[3], [11]])


def test_errors_of_pairs_are_those_of_differences_and_others_add_in_squares():
    """Columns 0 and 1 differ by 1 in every set, however much the sets do."""
    errors = np.array([[1.0, 2.0], [3.0, 4.0], [8.0, 9.0]])
    spread = float(np.std(errors[:, 0], ddof=1) / 3**0.5)
    paired = _generalisation._generalised(10, [0.0, 0.1], errors, 0.5)
    assert (paired.excess[0].value, paired.excess[0].error) == (1.0, 0.0)
    apart = _generalisation._generalised(10, [0.0, 0.1], errors, 0.5, paired=False)
    assert apart.excess[0].value == pytest.approx(1.0)
    assert apart.excess[0].error == pytest.approx(2**0.5 * spread)
    assert [mean.error for mean in apart.error] == pytest.approx([spread, spread])


def test_the_expected_error_is_told_before_each_update_and_after_the_last():
    model, n, noise = _floors.student(), 4, 1.0
    first, second, third = _samples_seen.expected_error(model, np.array([0.0, 0.5]), 7.0)
    assert first == second == 7.0
    # 1 - 2 alpha + alpha^2 (1 + (N + 1)/|B|), and alpha^2 N (N + 1) A/|B|
    batch = _samples_seen.BATCH
    left = 1 - 1.0 + 0.25 * (1 + (n + 1) / batch)
    assert third == pytest.approx(7.0 * left + 0.25 * n * (n + 1) * noise / batch)


def test_a_networks_floor_is_above_its_own_training_without_noise(monkeypatch):
    """Replica by replica, of the last four of eight records."""
    start = np.array([5.0, 1.0, 3.0])  # what a replica has whatever its noise
    noise = {4: 0.5, 16: 0.2, np.inf: 0.0}

    def loss(model, run, test):
        early = np.full((3, 4), 99.0)
        late = np.repeat((start + noise[run])[:, None], 4, axis=1)
        return np.concatenate([early, late], axis=1)

    monkeypatch.setattr(_floors, "simulate", lambda model, batch_size, **how: batch_size)
    monkeypatch.setattr(_floors, "_test_loss", loss)
    floors = _floors.network_floors(3, 80, 0, (4, 16, np.inf))
    assert [floor.batch_size for floor in floors] == [4, 16]
    assert [floor.measured.value for floor in floors] == pytest.approx([0.5, 0.2])
    assert [floor.measured.error for floor in floors] == pytest.approx([0.0, 0.0], abs=1e-12)


@pytest.fixture
def growing(monkeypatch):
    """Three replicas, the second of which diverges; update t + 1 moves a level by rate (t + 1)."""
    rates, made = np.array([1e-3, 9.0, 3e-3]), []

    def simulate(model, updates, record_every, replicas, **how):
        assert (record_every, replicas) == (1, 3)
        made.append(updates)
        way = np.cumsum(np.arange(updates + 1.0))  # 0, 1, 3, 6, ...
        history = np.zeros((3, updates + 1, 3, 2))
        history[:, :, 0, 0] = 10 + rates[:, None] * way
        history[:, :, 1, 1] = 5 - rates[:, None] * way
        return SimpleNamespace(
            diverged=SimpleNamespace(values=np.array([False, True, False])), history=history
        )

    monkeypatch.setattr(_runs, "simulate", simulate)
    monkeypatch.setattr(_runs, "matrices", lambda model, run: {"w": run.history})
    learning = SimpleNamespace(learning_rate=0.1, batch_size=2, factory=lambda: None)
    setting = SimpleNamespace(build=lambda: None, learning=learning, burn_in_updates=0, stream=0)
    return setting, rates[[0, 2]], made


def test_bursts_follow_each_other_and_hold_all_replicas_that_are_good(growing, tmp_path):
    setting, rates, made = growing
    found = _runs.recorded(setting, 3, 4, tmp_path / "new" / "steps.npz")["w"]
    assert made == [32]
    first = found["steps"][:, :, 0, 2].reshape(4, 2, 8)  # burst, replica, step: a_11
    updates = np.arange(32).reshape(4, 1, 8)
    np.testing.assert_allclose(first, rates[:, None] * (updates + 1), rtol=1e-9)
    whole = 32 * 33 / 2
    np.testing.assert_allclose(
        found["levels"], np.stack([10 + rates * whole, 5 - rates * whole], axis=1)
    )
    assert found["shape"].tolist() == [3, 2]


def test_what_is_stored_is_not_run_again(growing, tmp_path):
    setting, _, made = growing
    first, again = (_runs.recorded(setting, 3, 2, tmp_path / "steps.npz") for _ in range(2))
    assert made == [16]
    np.testing.assert_array_equal(first["w"]["steps"], again["w"]["steps"])


@pytest.mark.parametrize(("noisy", "told"), [(4, True), (2, True), (1, False), (0, False)])
def test_a_bulk_is_told_where_half_of_the_replicas_have_one(noisy, told):
    random = np.random.default_rng(0)
    noise = [np.linalg.svd(random.standard_normal((60, 40)), compute_uv=False) for _ in range(4)]
    levels = np.array([*noise[:noisy], *[np.geomspace(50.0, 1e-3, 40)] * (4 - noisy)])
    steps = random.standard_normal((40, 8, 40, 5))
    bulk, _ = _measure._parts(steps, levels, np.array([60, 40]))
    assert (bulk is not None) == told


@pytest.mark.parametrize("measured", [(1.0, 1.0), (1.0, 1.5), (1.5, 1.5)])
def test_one_check_that_fails_is_a_study_that_did_not_pass(tmp_path, measured):
    checks = [Check("c", "f", "q", {}, Estimate(m, 0.01, 9.0), predicted=1.0) for m in measured]
    write_results(tmp_path, "s", 7, checks, more=[1])
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["passed"] is (measured == (1.0, 1.0))
    assert (found["study"], found["seed"], found["more"], len(found["checks"])) == ("s", 7, [1], 2)


@pytest.mark.parametrize(
    ("optimizer", "power"), [("sgd", 1.0), ("heavy_ball", 1.0), ("adam", 0.5), ("rmsprop", 0.5)]
)
def test_steps_that_are_normalised_know_the_root_of_the_batch(optimizer, power):
    assert _study._power(SimpleNamespace(optimizer=optimizer)) == power


def test_the_traces_of_both_layers_are_held_against_each_other():
    """Not with that of the product, which is the first of the three."""
    random = np.random.default_rng(0)
    first, product = random.standard_normal((2, 40, 3, 4))
    prediction = SimpleNamespace(learning_rate=0.1, batch_size=4, next_order=np.array([0.02]))
    gases = [
        SimpleNamespace(levels=levels, prediction=prediction)
        for levels in (product, first, 2 * first)
    ]
    check = _many._correlation_check(gases)
    assert check.measured.value == pytest.approx(1.0)
    assert check.measured.error == pytest.approx(0.0, abs=1e-9)
