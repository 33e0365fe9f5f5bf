"""What `TwoLayerTeacher` promises to the engine, whatever its activation."""

import json

import jax
import numpy as np
import pytest

from sgdyson import simulate
from sgdyson.engine import block as _block
from sgdyson.models import TwoLayerTeacher

MODELS = {
    "identity": TwoLayerTeacher("identity"),
    "relu, label noise": TwoLayerTeacher("relu", inner=5, outer=3, label_noise=0.2),
}
SETTING = {
    "learning_rate": 0.05, "batch_size": 4, "replicas": 5, "updates": 6, "record_every": 3,
    "seed": 3, "progress": False,
}  # fmt: skip

pytestmark = pytest.mark.parametrize("name", MODELS)


def run(model: TwoLayerTeacher, **changes):
    return simulate(model, **(SETTING | changes))


def test_a_replica_has_the_same_bits_alone_and_in_an_ensemble(name: str) -> None:
    model, size = MODELS[name], _block.block_size(MODELS[name], "cpu")
    alone, many = run(model, replicas=range(3, 4)), run(model, replicas=size + 4)
    np.testing.assert_array_equal(alone.levels[0], many.levels[3])
    late = run(model, replicas=range(size + 1, size + 3))
    np.testing.assert_array_equal(late.levels, many.levels[size + 1 : size + 3])
    assert len(np.unique(many.levels[:, -1, 0])) == size + 4


def test_another_width_noise_rate_and_seed_compile_nothing(name: str) -> None:
    model = MODELS[name]
    run(model)
    other = TwoLayerTeacher(
        model.activation, inner=model.teacher.shape[1], outer=model.teacher.shape[0],
        initial_width=0.3, label_noise=2 * float(model.label_noise),
    )  # fmt: skip
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, _seconds, **_: compiled.append(event)
    )
    try:
        found = run(other, learning_rate=0.2, seed=8)
    finally:
        jax.monitoring.clear_event_listeners()
    assert not [event for event in compiled if "backend_compile" in event]
    ratio = np.linalg.norm(found.levels[:, 0]) / np.linalg.norm(run(model, seed=8).levels[:, 0])
    assert ratio == pytest.approx(0.3)  # the dynamic width is not forgotten


def test_divergence_is_flagged_and_the_levels_stay_finite(name: str) -> None:
    found = run(MODELS[name], learning_rate=1e7, updates=30, record_every=30)
    assert found.diverged.all()
    assert (found.diverged_at >= 0).all()
    assert np.isfinite(found.levels).all()


def test_levels_are_singular_values_of_the_one_matrix(name: str) -> None:
    model = MODELS[name]
    found = run(model, record_weights=True)
    singular = np.linalg.svd(found.weights.values, compute_uv=False)
    np.testing.assert_allclose(found.levels, singular, rtol=1e-7, atol=1e-12)
    assert model.matrix_names() == ("weights",) * found.sizes["level"]


def test_settings_are_plain_and_tell_the_model(name: str) -> None:
    settings = MODELS[name].settings()
    assert json.loads(json.dumps(settings)) == settings
    wider = TwoLayerTeacher(MODELS[name].activation, initial_width=3.0)
    assert wider.settings() != settings
