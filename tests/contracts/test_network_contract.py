"""What every network promises: a new one joins by a line in `NETWORKS`."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sgdyson import Model, simulate
from sgdyson.engine import block as _block
from sgdyson.errors import InvalidInputError, NoPredictionError
from sgdyson.models import MLP, CharacterTransformer, LinearNetwork
from sgdyson.models.network import Network

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(40, 5))
CLASSES = (INPUTS[:, 0] > 0).astype(int) + (INPUTS[:, 1] > 0.5)
REALS = INPUTS @ RANDOM.normal(size=(5, 2))
TEXT = "the quick brown fox jumps over the lazy dog; " * 8


def square_loss(weights, batch):
    inputs, targets = batch
    return jnp.mean((jnp.sin(inputs @ weights["first"]) @ weights["second"] - targets) ** 2)


def two_matrices(key):
    a, b = jax.random.split(key)
    return {"first": jax.random.normal(a, (5, 4)), "second": jax.random.normal(b, (4, 2))}


# every one in float64, for its finite differences
NETWORKS: dict[str, Network] = {
    "classifier": MLP(INPUTS, CLASSES, hidden=(8, 6), activation="relu", precision="float64"),
    "regression": MLP(INPUTS, REALS, hidden=(6,), precision="float64"),
    "linear map": MLP(INPUTS, REALS, hidden=(), activation="identity", precision="float64"),
    "transformer": CharacterTransformer(
        TEXT, blocks=1, width=6, heads=2, context=5, precision="float64"
    ),
    "linear network": LinearNetwork((2.0, 1.0, 1.0), hidden=(4, 3)),
    "from loss": Model.from_loss(square_loss, two_matrices, (INPUTS, REALS)),
}  # fmt: skip
SETTING = {
    "learning_rate": 0.05, "batch_size": 4, "replicas": 3, "updates": 12, "record_every": 4,
    "seed": 3, "progress": False,
}  # fmt: skip

pytestmark = pytest.mark.parametrize("name", NETWORKS)


def run(name, **changes):
    return simulate(NETWORKS[name], **(SETTING | changes))


def test_gradients_are_those_of_finite_differences(name):
    """Along random directions, from either side: an error of the square of the step."""
    model = NETWORKS[name]
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        key = jax.random.key(1)
        # plain NumPy: an operation after the other takes a compilation of each
        weights = jax.tree.map(np.asarray, jax.jit(lambda: model.init(key))())
        gradient, _ = jax.jit(lambda w: model.gradient(key, w, (), 3))(weights)
        batch = jax.jit(lambda: model.batch(key, 3))()
        loss = jax.jit(lambda w, b: model.loss(w, b))
        for number in range(4):
            normal = np.random.default_rng(number).normal
            along = jax.tree.map(lambda w: normal(size=w.shape), weights)  # noqa: B023
            ends = [jax.tree.map(lambda w, a: w + h * a, weights, along) for h in (1e-5, -1e-5)]  # noqa: B023
            slope = (float(loss(ends[0], batch)) - float(loss(ends[1], batch))) / 2e-5
            terms = jax.tree.map(lambda g, a: np.vdot(g, a), gradient, along)
            found = float(sum(jax.tree.leaves(terms)))
            assert found == pytest.approx(slope, rel=1e-6, abs=1e-8)
            # power: without one of the arrays the same check fails
            part = float(jax.tree.leaves(terms)[-1])
            assert found - part != pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_gradients_keep_their_form(name):
    model = NETWORKS[name]
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        weights = jax.eval_shape(model.init, jax.random.key(0))
        gradient, memory = jax.eval_shape(
            lambda key, w: model.gradient(key, w, (), 3), jax.random.key(1), weights
        )

    def form(tree):
        return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)

    assert form(gradient) == form(weights)
    assert memory == ()


@pytest.mark.usefixtures("compiled_as_written")
def test_levels_are_the_singular_values_of_the_matrices_named(name):
    model = NETWORKS[name]
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(0), 3)
        weights = jax.tree.map(np.asarray, jax.jit(lambda: jax.vmap(model.init)(keys))())
    levels, names = model.levels(weights), np.array(model.matrix_names())
    assert levels.shape == (3, len(names))
    for matrix, entries in model.matrices(weights).items():
        expected = np.linalg.svd(entries, compute_uv=False)
        np.testing.assert_allclose(levels[:, names == matrix], expected, rtol=1e-6, atol=1e-7)


def test_a_replica_has_the_same_bits_alone_and_in_an_ensemble(name):
    size = _block.block_size(NETWORKS[name], "cpu")
    many, alone = run(name, replicas=size + 2), run(name, replicas=range(size + 1, size + 2))
    np.testing.assert_array_equal(alone.levels[0], many.levels[size + 1])
    assert len(np.unique(many.levels[:, -1, 0])) == size + 2
    assert not many.diverged.any()


def test_the_matrix_of_each_level_is_in_the_result(name):
    """A single matrix needs no name."""
    found, names = run(name), NETWORKS[name].matrix_names()
    assert ("matrix" in found.coords) == (len(set(names)) > 1)
    if "matrix" in found.coords:
        assert tuple(found.matrix.values) == names


def test_another_rate_and_seed_need_no_second_compilation(name):
    run(name)
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, _seconds, **_: compiled.append(event)
    )
    try:
        run(name, learning_rate=0.03, seed=8)
    finally:
        jax.monitoring.clear_event_listeners()
    assert not [event for event in compiled if "backend_compile" in event]


def test_divergence_is_flagged(name):
    """A step of 1e200 takes all but saturated networks out of float64 within a few updates.

    A product of layers must stay below its largest number.
    """
    found = run(name, learning_rate=1e20 if name == "linear network" else 1e200)
    assert found.diverged.all()
    assert (found.diverged_at < SETTING["updates"]).all()
    assert np.isfinite(found.levels).all()


def test_predictions_are_refused_with_a_remedy(name):
    with pytest.raises(NoPredictionError, match=r"measure its levels|weight decay"):
        NETWORKS[name].predict(0.1, 4)


def test_settings_are_plain_and_tell_the_network(name):
    settings = NETWORKS[name].settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings not in [other.settings() for key, other in NETWORKS.items() if key != name]


def test_bad_numbers_are_named(name):
    with pytest.raises(InvalidInputError, match=r"batch_size = 2\.5"):
        run(name, batch_size=2.5)
    with pytest.raises(InvalidInputError, match="learning_rate = 0"):
        run(name, learning_rate=0)
