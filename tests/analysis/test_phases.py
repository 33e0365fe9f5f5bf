"""The order parameters on histories whose phase is known."""

import numpy as np
import pytest

from sgdyson.analysis import growth_crossing, level_motion, phase_diagram, threshold
from sgdyson.analysis._phases import PHASES
from sgdyson.errors import InvalidInputError

TARGET = np.array([2.0, 1.0])
TIME = np.arange(101)


def history(motion: np.ndarray, replicas: int = 20) -> np.ndarray:
    """Levels of so many replicas, the second with its own start."""
    path = TARGET + motion[:, None] * np.array([1.0, -0.5])
    return np.stack([path * (1 + 0.01 * replica) for replica in range(replicas)])


def random_walk(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((40, 101, 2)).cumsum(axis=1)


MOTIONS = {
    "convergence": np.exp(-0.2 * TIME),
    "slow": 1 - 0.001 * TIME,
    "oscillation": (-0.995) ** TIME,
}


@pytest.mark.parametrize("phase", MOTIONS)
def test_a_known_motion_is_told(phase: str) -> None:
    none = np.zeros(20, dtype=bool)
    found = level_motion(history(MOTIONS[phase]), none, TARGET, 7)
    assert found.share(phase)[0] == 1
    assert [found.share(other)[0] for other in PHASES if other != phase] == [0, 0, 0]


def test_each_number_is_what_its_equation_says() -> None:
    r"""For $x^* + r^t$: $U = r^{N/2}$, $C = \pm r$, $\tau$ where $1 - r^t = 0.9$, $R = r^N$."""
    one = np.zeros(1, dtype=bool)
    path = (TARGET + 0.9 ** TIME[:, None] * np.array([1.0, -0.5]))[None]
    found = level_motion(path, one, TARGET, 7)
    assert found.unrest[0] == pytest.approx(0.9**50, rel=0.01)
    assert found.persistence[0] == pytest.approx(0.9, rel=1e-6)
    assert found.settling_time[0] == 7 * np.ceil(np.log(0.1) / np.log(0.9))
    assert found.distance[0] == pytest.approx(0.9**100)
    steady = level_motion(history(-TIME.astype(float), 1), one, TARGET, 1)
    assert steady.unrest[0] == pytest.approx(0.5)
    assert steady.persistence[0] == pytest.approx(0.99)


def test_a_random_walk_has_no_persistence() -> None:
    """Four standard errors; a drift of one step's size must be seen by the same check."""
    none = np.zeros(40, dtype=bool)
    walk = level_motion(random_walk(), none, TARGET, 1)
    value, error = walk.mean("persistence")
    assert abs(value) < 4 * error
    drift = level_motion(random_walk() + TIME[:, None], none, TARGET, 1)
    value, error = drift.mean("persistence")
    assert value > 4 * error


def test_diverged_replicas_are_counted_and_left_out_of_means() -> None:
    levels = history(MOTIONS["convergence"])
    levels[:5] = 1e9
    diverged = np.arange(20) < 5
    found = level_motion(levels, diverged, TARGET, 7)
    assert found.share("divergence")[0] == 0.25
    assert found.share("convergence")[0] == 0.75
    assert found.mean("unrest")[0] < 0.1
    assert found.share("slow")[1] > 0  # none of twenty is no proof
    gone = level_motion(levels, np.ones(20, dtype=bool), TARGET, 7)
    assert np.isnan(gone.mean("unrest")).all()


def test_errors_shrink_as_the_root_of_the_replicas() -> None:
    few = level_motion(random_walk()[:10], np.zeros(10, bool), TARGET, 1)
    many = level_motion(np.tile(random_walk()[:10], (16, 1, 1)), np.zeros(160, bool), TARGET, 1)
    assert few.mean("unrest")[1] / many.mean("unrest")[1] == pytest.approx(4, rel=0.1)


def test_a_diagram_keeps_rows_and_columns_apart() -> None:
    none = np.zeros(20, dtype=bool)
    motions = {name: level_motion(history(m), none, TARGET, 1) for name, m in MOTIONS.items()}
    rows = [[motions["slow"], motions["convergence"], motions["oscillation"]]] * 2
    found = phase_diagram("x", np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0]), rows, {})
    assert found.shares["slow"].value.tolist() == [[1, 0, 0]] * 2
    assert found.shares["convergence"].value.tolist() == [[0, 1, 0]] * 2
    assert found.parameters["persistence"].value[0, 2] < 0
    assert found.parameters["unrest"].error.shape == (2, 3)


def test_a_known_crossing_and_a_known_threshold_are_found() -> None:
    generator = np.random.default_rng(1)
    rates = np.linspace(0.8, 1.2, 5)
    before = generator.exponential(size=(4000, 5))
    after = before * np.exp(rates - 1.03) * generator.exponential(size=(4000, 5))
    found = growth_crossing(rates, before, after)
    assert abs(found.pull(1.03)) < 4
    assert abs(found.pull(1.2)) > 4
    limits = generator.normal(1.0, 0.05, (400, 1))
    rates = np.linspace(0.5, 1.5, 21)
    measured = threshold(rates, rates > limits)
    assert abs(measured.pull(1.0)) < 4
    assert abs(measured.pull(1.05)) > 4
    with pytest.raises(InvalidInputError, match="embrace"):
        threshold(rates[:5], rates[:5] > limits)
