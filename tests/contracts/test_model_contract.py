"""What every model promises: a new one joins by a line in `MODELS`."""

import json
import math
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sgdyson import GaussianRBM, TeacherStudent
from sgdyson.errors import InvalidInputError
from sgdyson.models import Model, Prediction

KERNEL = np.array([[2.0, -0.5, 0.1], [-0.5, 2.5, -0.3], [0.1, -0.3, 3.0]])
MODELS: dict[str, Model] = {
    "rbm": GaussianRBM.scalar_field(4, mass=1.0, rbm_mass=2.5),
    "rbm gibbs, few hidden": GaussianRBM(KERNEL, rbm_mass=2.5, n_hidden=2, sampler="gibbs"),
    "rbm independent, many hidden": GaussianRBM(
        KERNEL, rbm_mass=1.6, n_hidden=5, sampler="independent"
    ),
    "rbm of one unit": GaussianRBM([[1.0]], rbm_mass=2.0, gibbs_sweeps=1),
    "rbm of data, contrastive divergence": GaussianRBM.from_data(
        np.random.default_rng(0).standard_normal((40, 3)),
        rbm_mass=2.5,
        chains="data",
        positive_phase="minibatch",
        n_hidden=2,
    ),
    "online": TeacherStudent((2.0, 2.0)),
    "quenched": TeacherStudent((1.0, -3.0, 2.0), data="quenched", batches=3),
    "shared": TeacherStudent(KERNEL, data="quenched", batches=3, shared_inputs=True),
    "one number": TeacherStudent((2.0,), label_noise=0.0),
    "complex": TeacherStudent((2.0, 2.0), beta=2),
    "complex rbm": GaussianRBM(
        KERNEL + 0.2j * (np.triu(np.ones((3, 3)), 1) - np.tril(np.ones((3, 3)), -1)),
        rbm_mass=2.5,
        n_hidden=2,
        sampler="independent",
        beta=2,
    ),
    "quaternion": TeacherStudent((2.0, 2.0, 1.0), data="quenched", batches=3, beta=4),
    "quaternion rbm": GaussianRBM.scalar_field(4, mass=1.0, rbm_mass=2.5, beta=4),
}
BATCHES = (3, 20, math.inf)  # few, many, and all
MORE = (1, 4)
# one of each kind of model and of numbers: an operation after the other takes a compilation of each
PLAIN = ("rbm of data, contrastive divergence", "quaternion rbm", "online", "quenched")

pytestmark = [
    pytest.mark.parametrize("name", MODELS),
    pytest.mark.usefixtures("compiled_as_written"),
]


def same(a: object, b: object) -> bool:
    """Equal trees, keys included, to the last bit."""

    def plain(leaf: jax.Array) -> np.ndarray:
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return np.asarray(jax.random.key_data(leaf) if is_key else leaf)

    equal = jax.tree.map(lambda x, y: np.array_equal(plain(x), plain(y)), a, b)
    return all(jax.tree.leaves(equal))


def form(tree: object) -> object:
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)


@pytest.mark.parametrize(
    "batch_size", [*BATCHES, *(pytest.param(size, marks=pytest.mark.slow) for size in MORE)]
)
def test_gradient_and_memory_keep_their_form(name: str, batch_size: float) -> None:
    model = MODELS[name]
    if batch_size == math.inf and getattr(model, "sampler", "") == "gibbs":
        with pytest.raises(InvalidInputError, match="collapsed"):
            model.start(jax.random.key(0), batch_size)
        return
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        keys = jax.random.split(jax.random.key(0), 3)
        weights, memory = jax.jit(lambda a, b: (model.init(a), model.start(b, batch_size)))(
            *keys[:2]
        )
        compiled = jax.jit(lambda *a: model.gradient(*a, batch_size))
        first, again = (compiled(keys[2], weights, memory) for _ in range(2))
        gradient, after = first
        if batch_size == BATCHES[0]:
            if name in PLAIN:
                plain = model.gradient(keys[2], weights, memory, batch_size)
                np.testing.assert_allclose(gradient, plain[0], rtol=1e-9, atol=1e-12)
            # weights that make no sense are answered with NaN
            assert np.isnan(compiled(keys[2], 1e9 * jnp.ones_like(weights), memory)[0]).all()
    assert form(gradient) == form(weights)
    assert form(after) == form(memory)
    assert weights.dtype == (jnp.float64 if model.beta == 1 else jnp.complex128)
    assert np.isfinite(gradient).all()
    assert same(first, again)


def test_levels_of_any_leading_axes(name: str) -> None:
    model = MODELS[name]
    with jax.enable_x64(True):
        weights = np.asarray(jax.jit(jax.vmap(model.init))(jax.random.split(jax.random.key(1), 6)))
    levels = model.levels(weights)
    assert (levels >= 0).all()
    assert (np.diff(levels, axis=-1) <= 0).all()
    copies = 2 if model.beta == 4 else 1  # of each level in the complex form of quaternions
    assert levels.shape == (6, weights.shape[-1] // copies)
    np.testing.assert_array_equal(model.levels(weights.reshape(2, 3, *weights.shape[1:])).reshape(
        levels.shape), levels)  # fmt: skip
    np.testing.assert_array_equal(model.levels(weights[0]), levels[0])
    power = 2 if isinstance(model, GaussianRBM) else 1
    singular = np.linalg.svd(weights, compute_uv=False)[:, ::copies]
    np.testing.assert_allclose(
        levels[:, : singular.shape[1]], singular**power, rtol=1e-7, atol=1e-12
    )


def test_settings_are_plain_and_tell_the_model(name: str) -> None:
    settings = MODELS[name].settings()
    assert json.loads(json.dumps(settings)) == settings
    others = [other.settings() for key, other in MODELS.items() if key != name]
    assert settings not in others


@pytest.mark.parametrize("batch_size", [16, math.inf])
def test_predictions_fit_together(name: str, batch_size: float) -> None:
    model = MODELS[name]
    found = model.predict(0.01, batch_size)
    n = len(model.levels(np.eye(*_shape(model))))
    for part in ("levels", "target_modes", "learnt", "curvature", "width", "mean_spacing",
                 "mean_shift", "relaxation_time", "next_order", "friction",
                 "diffusion"):  # fmt: skip
        assert getattr(found, part).shape == (n,), part
    assert found.covariance.shape == (n, n)
    assert (np.diff(found.levels) <= 0).all()
    np.testing.assert_array_equal(found.covariance, found.covariance.T)
    _, place, size = np.unique(found.levels.round(9), return_inverse=True, return_counts=True)
    alone, pair = size[place] == 1, size[place] == 2
    leading = found.leading
    np.testing.assert_allclose(
        leading.width**2, np.diag(found.covariance) - np.where(alone, 0, found.common)
    )
    np.testing.assert_allclose(found.diffusion * found.relaxation_time, leading.width**2)
    unit = {1: np.pi**0.5, 2: 4 / np.pi**0.5, 4: 16 / (3 * np.pi**0.5)}[model.beta]
    spacing = np.where(pair & found.learnt, unit * leading.width, np.nan)
    np.testing.assert_allclose(leading.mean_spacing, spacing)
    assert np.isfinite(found.mean_spacing).tolist() == (~alone & found.learnt).tolist()
    assert (found.sample_levels(600, seed=1) >= 0).all()
    if batch_size == math.inf:
        np.testing.assert_array_equal(found.covariance, 0.0)
        np.testing.assert_array_equal(found.mean_shift, 0.0)
    # the fixed point stays where it is
    np.testing.assert_allclose(
        found.learning_curve(found.levels, [0, 50]), np.tile(found.levels, (2, 1)), rtol=1e-6
    )


def test_widths_obey_linear_scaling_at_small_rates(name: str) -> None:
    """Of alpha/|B| alone, up to a term of order alpha for the finite step."""
    model = MODELS[name]
    a, b = model.predict(1e-6, 16), model.predict(2e-6, 32)
    np.testing.assert_allclose(a.width, b.width, rtol=2e-4)
    np.testing.assert_allclose(a.mean_shift, b.mean_shift, rtol=2e-4)
    doubled = model.predict(1e-6, 32)
    np.testing.assert_allclose(doubled.width * math.sqrt(2), a.width, rtol=2e-4)


def test_the_law_is_the_leading_order_where_noise_is_weak(name: str) -> None:
    """Up to quasi-random errors, and terms of relative order width/distance of two levels."""
    found = MODELS[name].predict(1e-5, 64)
    shown = found.learnt & (found.leading.width > 0)
    leading, errors = found.leading, found.errors
    assert (np.abs(found.width - leading.width) <= 4 * errors.width)[shown].all()
    assert (errors.width < 0.02 * leading.width)[shown].all()
    pairs = np.isfinite(leading.mean_spacing)
    off = np.abs(found.mean_spacing - leading.mean_spacing)
    assert (off <= 4 * errors.mean_spacing)[pairs].all()
    np.testing.assert_allclose(found.accuracy_limit, leading.accuracy_limit, rtol=0.01, atol=1e-12)


def test_bad_numbers_are_named(name: str) -> None:
    model = MODELS[name]
    good = model.predict(0.01, 16)
    with pytest.raises(InvalidInputError, match=r"learning_rate = -0\.5"):
        model.predict(-0.5, 16)
    with pytest.raises(InvalidInputError, match=r"batch_size = 2\.5"):
        model.predict(0.01, 2.5)
    with pytest.raises(InvalidInputError, match="updates"):
        good.learning_curve(good.levels, [3, 1])
    with pytest.raises(InvalidInputError, match="initial_levels"):
        good.learning_curve(good.levels[:-1].tolist(), [1])


def _shape(model: Model) -> tuple[int, ...]:
    with jax.enable_x64(True):
        shape: tuple[int, ...] = jax.eval_shape(model.init, jax.random.key(0)).shape
    return shape


def test_a_prediction_goes_to_another_process_and_back(name: str) -> None:
    """Pools pickle what their workers give back; law, distance and learning curve are functions."""
    comes_back(MODELS[name].predict(0.01, 16))


def comes_back(predicted: Prediction) -> None:
    copied = pickle.loads(pickle.dumps(predicted))
    times = np.array([1, 10])
    assert repr(copied) == repr(predicted)
    assert np.array_equal(copied.sample_levels(512), predicted.sample_levels(512))
    start = predicted.levels / 2
    curves = [each.learning_curve(start, times) for each in (copied, predicted)]
    assert np.array_equal(*curves)
