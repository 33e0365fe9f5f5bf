"""How long a run must be, and how large its steps may be, by the model's own prediction."""

import math

import numpy as np
import pytest

import sgdyson
from sgdyson.analysis import measure
from sgdyson.errors import InvalidInputError, NoPredictionError
from sgdyson.stats import mean_over_replicas

RBM = sgdyson.GaussianRBM.scalar_field(6, mass=1.5, rbm_mass=3.0, initial_width=0.01)
STUDENT = sgdyson.TeacherStudent([2.0, 2.0])
HOW = {"batch_size": 16, "replicas": 8, "updates": 20, "record_every": 10, "seed": 1}
STEP = 0.01  # of a time: what the finite step of alpha = 0.02 adds to the flow


@pytest.fixture(scope="module")
def arrivals() -> np.ndarray:
    """Update at which each level is last away from its target, of (replica, level)."""
    run = sgdyson.simulate(
        RBM, learning_rate=0.02, batch_size=math.inf, replicas=96, updates=16_000,
        record_every=50, seed=1, progress=False,
    )  # fmt: skip
    target = RBM.predict(0.02, math.inf).levels
    away = np.abs(run.levels.values - target) > 0.01 * target
    last = away.shape[1] - np.argmax(away[:, ::-1], axis=1)
    return 50.0 * last - 25.0


def multiplet_means(times: np.ndarray) -> np.ndarray:
    return np.stack([times[..., 0], times[..., 1:3].mean(-1), times[..., 3:5].mean(-1),
                     times[..., 5]], axis=-1)  # fmt: skip


def test_random_weights_are_learnt_in_the_predicted_time(arrivals: np.ndarray) -> None:
    predicted = multiplet_means(RBM.predict(0.02, math.inf).learning_time(0.01))
    for measured, time in zip(multiplet_means(arrivals).T, predicted, strict=True):
        estimate = mean_over_replicas(measured)
        assert abs(estimate.value - time) < 4 * estimate.error + STEP * time


def test_what_slow_modes_begin_with_counts(arrivals: np.ndarray) -> None:
    """All of a column, instead of what faster modes leave of it, would be learnt too early."""
    prediction = RBM.predict(0.02, math.inf)
    whole = np.full(6, 6 * 0.01**2)
    curve = prediction.learning_curve(whole, np.arange(0, 16_000, 50))[:, -1]
    early = 50.0 * np.argmax(np.abs(curve - prediction.levels[-1]) < 0.01 * prediction.levels[-1])
    slowest = mean_over_replicas(arrivals[:, -1])
    assert slowest.value - early > 4 * slowest.error + STEP * early


def test_the_closed_form_of_a_mode() -> None:
    prediction = RBM.predict(0.02, math.inf)
    x, kappa, mass2 = prediction.levels[0], prediction.target_modes[0], 9.0
    start = 0.01**2 * 2 * math.exp(0.9227843350984671)  # psi(3) = 3/2 - Euler's constant
    close = math.log((x - start) / (0.01 * x))
    exact = kappa / (0.04 * x) * (mass2 * math.log(0.99 * x / start) + kappa * close)
    assert prediction.learning_time(0.01)[0] == pytest.approx(exact, rel=1e-3)


def test_a_student_forgets_its_start_at_its_own_rate() -> None:
    time = STUDENT.predict(0.1, 16).learning_time(0.1)
    np.testing.assert_allclose(time, math.log(0.01) / math.log(0.9), rtol=0.01)


def test_records_begin_when_the_levels_are_stationary() -> None:
    theory = STUDENT.predict(0.1, 16)
    assert theory.settling_time() == 400
    run = sgdyson.simulate(
        STUDENT, learning_rate=0.1, record_from="stationary", progress=False, **HOW
    )
    assert run.attrs["record_from"] == 400
    tiny = sgdyson.GaussianRBM(0.1 * np.eye(2), rbm_mass=3.0).predict(1e-4, 16)
    assert tiny.settling_time(1e-6) > tiny.settling_time()  # it takes longer to grow than to relax


@pytest.mark.parametrize(
    ("more", "says"),
    [({"record_from": "late"}, "must be a number of updates"),
     ({"optimizer": lambda rate: None, "record_from": "stationary"}, "one of sgdyson.optimizers"),
     ({"learning_rate": 1.9, "record_from": "stationary"}, "give a number of updates")],
)  # fmt: skip
def test_what_is_not_predicted_is_refused(more: dict, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        sgdyson.simulate(STUDENT, **(HOW | {"learning_rate": 0.1, "progress": False} | more))


def test_a_run_that_is_too_short_says_so() -> None:
    notes = [
        measure(
            "run",
            sgdyson.simulate(
                STUDENT, learning_rate=0.05, batch_size=16, replicas=64, updates=200,
                record_every=10, record_from=first, seed=1, progress=False,
            ),
            STUDENT,
            burn_in=0,
        ).notes
        for first in (10, 400)
    ]  # fmt: skip
    assert any("still drift" in note for note in notes[0])
    assert notes[1] == ()


def test_a_prediction_beyond_its_reach_is_told() -> None:
    run = sgdyson.simulate(
        STUDENT, learning_rate=0.8, batch_size=4, replicas=64, updates=100, record_every=10,
        record_from="stationary", seed=1, progress=False,
    )  # fmt: skip
    assert any("beyond its reach" in note for note in measure("run", run, STUDENT, 0).notes)


@pytest.mark.parametrize(
    "options", [{"sampler": "independent"}, {}, {"chains": "data", "gibbs_sweeps": 2}]
)
def test_steps_above_the_limit_of_stability_leave_the_fixed_point(options: dict) -> None:
    """A machine at its fixed point, a little moved, without noise, under each kind of chain."""
    kernel, theory = RBM.target_kernel, RBM.predict(1e-3, math.inf)
    weights = (np.sqrt(theory.levels + 1e-6) * np.linalg.eigh(kernel)[1]).T
    moved = sgdyson.GaussianRBM(kernel, rbm_mass=3.0, initial_weights=weights, **options)
    for factor, stays in ((0.98, True), (1.02, False)):
        run = sgdyson.simulate(
            moved, learning_rate=factor * moved.stability_limit(), batch_size=math.inf, replicas=1,
            updates=1000, record_every=500, seed=1, progress=False,
        )  # fmt: skip
        distance = np.abs(run.levels.values[0, -1] - theory.levels).max()
        assert distance < 1e-12 if stays else distance > 0.1


def test_a_limit_without_a_closed_form_is_refused() -> None:
    with pytest.raises(NoPredictionError, match=r"take math.inf .* or suggested_rate"):
        RBM.stability_limit(16)


def test_the_suggested_rate_keeps_theory_in_its_reach() -> None:
    for batch in (16, 64):
        rate = RBM.suggested_rate(batch)
        assert RBM.predict(rate, batch).leading.next_order.max() <= 0.1
        assert RBM.predict(1.1 * rate, batch).leading.next_order.max() > 0.1


def test_a_run_stops_where_every_replica_has_diverged(capsys: pytest.CaptureFixture[str]) -> None:
    """The rest of a million updates is not computed; it is what it would have been."""
    far = {"learning_rate": 3.0, "batch_size": 4, "replicas": 8, "seed": 1}
    short = sgdyson.simulate(RBM, **far, updates=4000, record_every=1000)
    assert "every replica diverged, the first in update" in capsys.readouterr().err
    long = sgdyson.simulate(
        RBM, **far, updates=200_000_000, record_every=100_000_000, progress=False
    )
    assert long.diverged.all()
    np.testing.assert_array_equal(long.levels.values[:, -1], short.levels.values[:, -1])
    np.testing.assert_array_equal(long.diverged_at, short.diverged_at)
    assert capsys.readouterr().err == ""
