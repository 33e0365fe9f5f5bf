"""The study `dyson-test`: a tiny version from end to end, and its parts on noise of known law."""

import json

import numpy as np

from sgdyson.studies import STUDIES, study_dyson_test
from sgdyson.studies.dyson_test._measure import measure
from sgdyson.studies.dyson_test._runs import matrices, middle
from sgdyson.studies.dyson_test._study import table
from sgdyson.tracking import level_steps_along


def recorded(noise, replicas=4, bursts=8, shape=(20, 12), seed=0):
    """Bursts as a run has them, each replica about a matrix of its own."""
    random = np.random.default_rng(seed)
    weights = random.standard_normal((replicas, *shape))
    steps, levels = [], []
    for w in np.repeat(weights, bursts, axis=0):
        history = w + np.cumsum([1e-3 * noise(random, shape) for _ in range(9)], axis=0)
        steps.append(level_steps_along(history))
        levels.append(np.linalg.svd(history[-1], compute_uv=False))
    return {"w": {"steps": np.array(steps), "levels": np.array(levels), "shape": np.array(shape)}}


def test_a_row_tells_independent_entries_from_noise_of_one_column():
    independent = lambda random, shape: random.standard_normal(shape)  # noqa: E731
    rows = measure("a", "sgd", recorded(independent))
    assert rows[0].index.verdict == "Dyson Brownian motion"
    assert rows[0].bulk is not None
    assert rows[0].outliers is None
    column = np.where(np.arange(12) == 0, 10.0, 0.1)
    rows += measure("b", "sgd", recorded(lambda r, shape: r.standard_normal(shape) * column))
    assert rows[1].index.power > 0.9
    rows += measure("c", "sgd", recorded(lambda random, shape: np.zeros(shape)))
    assert rows[2].index is None
    lines = table(rows).splitlines()
    assert len(lines) == 5
    assert lines[4].endswith("no noise, or diverged |")


def test_settings_are_those_of_the_linear_scaling_study():
    setting = middle("mlp", "sgd", 0)
    assert (setting.learning.learning_rate, setting.learning.batch_size) == (0.2, 32)
    assert middle("mlp", "adam", 0).learning.optimizer == "adam"


def test_a_tiny_study(tmp_path, monkeypatch, undrawn):
    from sgdyson.studies.dyson_test import _study

    monkeypatch.setattr(_study, "_QUICK", (("teacher_student",), ("sgd",)))
    checks = study_dyson_test(tmp_path / "out", 0, lambda _: None, quick=True)
    assert [check.name for check in checks] == ["teacher_student/sgd/weights"]
    assert checks[0].passed
    found = json.loads((tmp_path / "out/results.json").read_text())
    assert found["matrices"][0]["power"] > 0.9
    assert (tmp_path / "out/figures/dyson_index.svg").exists()
    undrawn()
    again = study_dyson_test(tmp_path / "out", 0, lambda _: None, quick=True)
    assert again[0].measured == checks[0].measured
    assert STUDIES["dyson-test"] is study_dyson_test


def test_matrices_of_a_network_are_found_by_name():
    from sgdyson import simulate

    setting = middle("linear_network", "sgd", 0)
    model = setting.build()
    run = simulate(model, learning_rate=0.01, batch_size=4, replicas=2, updates=2, record_every=1,
                   seed=0, record_weights=True, progress=False)  # fmt: skip
    found = matrices(model, run)
    names = list(dict.fromkeys(run.matrix.values))
    assert list(found) == names
    for name in names:
        levels = np.linalg.svd(found[name], compute_uv=False)
        np.testing.assert_allclose(levels, run.levels.values[..., run.matrix.values == name])
