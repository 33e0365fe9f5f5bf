"""The network of two hidden layers: its gradient, and where it stops being stable."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy import integrate, stats

from sgdyson import simulate
from sgdyson._normals import normals
from sgdyson.errors import InvalidInputError, NoPredictionError
from sgdyson.models import TwoLayerTeacher
from sgdyson.models.stability import (
    lyapunov_exponent,
    mean_square_limit,
    mean_square_weights,
    typical_limit,
)

ACTIVATIONS = ("identity", "tanh", "relu")
IDENTITY = TwoLayerTeacher("identity")


@pytest.mark.parametrize(("activation", "noise"), [("identity", 0.0), ("tanh", 0.3), ("relu", 0.3)])
def test_both_gradients_are_the_slope_of_the_loss(activation: str, noise: float) -> None:
    """The one along the replicas is by hand; the other by JAX."""
    model = TwoLayerTeacher(activation, inner=5, outer=3, label_noise=noise)

    @jax.jit
    def all_ways(keys):
        weights = jax.vmap(model.init)(keys)
        many, _ = jax.vmap(lambda k, w: model.gradient(k, w, (), 4))(keys, weights)
        alone, _ = model.gradient(keys[1], weights[1], (), 4)
        batch = model.batch(keys[1], 4)
        steps = 1e-6 * jnp.eye(15).reshape(15, 3, 5)
        ends = jax.vmap(lambda step: model.loss(weights[1] + step, batch))
        numeric = (ends(steps) - ends(-steps)) / 2e-6
        return many, alone, jax.grad(model.loss)(weights[1], batch), numeric.reshape(3, 5)

    with jax.enable_x64(True):
        many, alone, automatic, numeric = all_ways(jax.random.split(jax.random.key(4), 3))
    np.testing.assert_allclose(many[1], automatic, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(alone, automatic, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(numeric, automatic, rtol=1e-6, atol=1e-8)
    assert not np.allclose(many[0], many[1])


def test_other_ways_to_map_over_the_gradient_agree() -> None:
    model = TwoLayerTeacher("tanh", label_noise=0.1)

    def gradient(key, weights):
        return model.gradient(key, weights, (), 2)[0]

    @jax.jit
    def all_ways(keys):
        weights = jax.vmap(model.init)(keys)
        one_weight = jax.vmap(gradient, (0, None))(keys, weights[0])
        one_key = jax.vmap(gradient, (None, 0))(keys[0], weights)
        return (
            one_weight[1],
            one_key[1],
            gradient(keys[1], weights[0]),
            gradient(keys[0], weights[1]),
        )

    with jax.enable_x64(True):
        one_weight, one_key, *expected = all_ways(jax.random.split(jax.random.key(1), 2))
    np.testing.assert_allclose(one_weight, expected[0], rtol=1e-12)
    np.testing.assert_allclose(one_key, expected[1], rtol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_teacher_is_a_fixed_point_and_signals_are_of_order_one(activation: str) -> None:
    model = TwoLayerTeacher(activation)
    with jax.enable_x64(True):
        key = jax.random.key(0)
        gradient, output = jax.jit(lambda key, w: (
            model.gradient(key, w, (), 4)[0],
            2 * model.loss(jnp.zeros((4, 8)), model.batch(key, 999)),  # the teacher's
        ))(key, jnp.asarray(model.teacher))  # fmt: skip
    np.testing.assert_allclose(gradient, 0, atol=1e-14)
    assert 0.03 < float(output) < 3


def second_moment_map(alpha: float, batch_size: int, weights: np.ndarray) -> np.ndarray:
    """E[(1 - alpha G C) x (1 - alpha G C)], 9 x 9, moments of x by exact Gaussian quadrature."""
    nodes, mass = hermegauss(4)
    mass = mass / mass.sum()
    gram = weights.T @ weights
    square = np.zeros((9, 9))
    for places in itertools.product(range(4), repeat=3):
        x = nodes[list(places)]
        outer = gram @ np.outer(x, x)
        square += mass[list(places)].prod() * np.kron(outer, outer)
    mean = np.kron(gram, gram)
    squares = square / batch_size + (1 - 1 / batch_size) * mean
    one = np.eye(3)
    return np.eye(9) - alpha * (np.kron(gram, one) + np.kron(one, gram)) + alpha**2 * squares


@pytest.mark.parametrize("batch_size", [1, 2, 4, 16, 1000])
def test_at_the_limit_the_second_moments_have_a_stationary_mode(batch_size: int) -> None:
    limit = IDENTITY.stability_limit(batch_size)
    for factor, sign in [(0.99, -1), (1.01, 1)]:
        moments = second_moment_map(factor * limit, batch_size, IDENTITY.inner_weights)
        assert sign * (np.abs(np.linalg.eigvals(moments)).max() - 1) > 0
    moments = second_moment_map(limit, batch_size, IDENTITY.inner_weights)
    assert np.abs(np.linalg.eigvals(moments)).max() == pytest.approx(1, abs=1e-9)


def test_the_limit_of_large_batches_is_that_of_the_mean_dynamics() -> None:
    assert IDENTITY.stability_limit(math.inf) == pytest.approx(2 / IDENTITY.rates()[0])
    assert IDENTITY.stability_limit(10**6) == pytest.approx(2 / IDENTITY.rates()[0], rel=1e-5)


def decays(rate: float, batch_size: int = 4) -> bool | None:
    """Whether the mean square of the error seen decays, with four standard errors; else None."""
    run = simulate(
        IDENTITY, learning_rate=rate, batch_size=batch_size, replicas=16384, updates=4,
        record_every=2, seed=2, record_weights=True, progress=False,
    )  # fmt: skip
    error = IDENTITY.teacher - run.weights.values[:, 1:]
    squares = ((IDENTITY.outer_weights @ error @ IDENTITY.inner_weights) ** 2).sum(axis=-1)
    change = np.diff(squares, axis=1)[:, 0]
    pull = change.mean() / (change.std() / len(change) ** 0.5)
    return None if abs(pull) < 4 else bool(pull < 0)


def test_ensembles_decay_below_the_limit_and_grow_above_it() -> None:
    """Fixed seed; a normal change of four errors has a chance of 6e-5.

    The mean dynamics alone would put the limit at 2/g_1, where the same check finds growth.
    """
    limit = IDENTITY.stability_limit(4)
    assert decays(0.85 * limit)
    assert decays(1.3 * limit) is False
    wrong = 2 / IDENTITY.rates()[0]
    assert wrong > 1.5 * limit
    assert decays(0.85 * wrong) is False


def test_a_typical_path_is_stable_for_longer_than_the_mean_square() -> None:
    """In one dimension and for |B| = 1 the exponent is an integral over a normal number."""
    pole = 0.3**-0.5
    half = [
        integrate.quad(lambda x: stats.norm.pdf(x) * np.log(abs(1 - 0.3 * x**2)), *ends)[0]
        for ends in [(0, pole), (pole, 12)]
    ]
    exact = 2 * sum(half)
    found, error, _ = lyapunov_exponent([1.0], 1, 0.3, updates=400, paths=1000)
    assert abs(found - exact) < 4 * error
    assert abs(found - np.log(1 - 0.3)) > 4 * error  # of the mean dynamics
    root, _ = typical_limit(IDENTITY.rates(), 4, 2016, 15.5, paths=50)
    assert root > 1.2 * IDENTITY.stability_limit(4)


def test_a_student_that_escapes_is_flagged() -> None:
    limit = IDENTITY.stability_limit(4)
    run = simulate(
        IDENTITY, learning_rate=5 * limit, batch_size=4, replicas=8, updates=100, record_every=50,
        seed=0, progress=False,
    )  # fmt: skip
    assert run.diverged.all()
    assert np.isfinite(run.levels).all()


def test_numbers_of_a_replica_are_those_of_its_own_key() -> None:
    model = TwoLayerTeacher("tanh", label_noise=0.5)
    with jax.enable_x64(True):
        key = jax.random.key(3)
        inputs, noise = model.batch(key, 4)
        numbers = np.asarray(normals(key, (4, 4)))
    np.testing.assert_array_equal(inputs, numbers[:3].T)
    np.testing.assert_array_equal(noise, 0.5 * numbers[3])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activation": "sine"}, "activation = 'sine'"),
        ({"inner": 0}, "inner = 0"),
        ({"outer": 2.5}, r"outer = 2\.5"),
        ({"initial_width": -1.0}, r"initial_width = -1\.0"),
        ({"label_noise": math.nan}, "label_noise = nan"),
        ({"teacher_seed": -3}, "teacher_seed = -3"),
    ],
)
def test_bad_input_is_named(wrong: dict, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        TwoLayerTeacher(**wrong)


def test_what_has_no_closed_form_says_so() -> None:
    with pytest.raises(NoPredictionError, match="TwoLayerTeacher"):
        IDENTITY.predict(0.1, 4)
    with pytest.raises(InvalidInputError, match="tanh"):
        TwoLayerTeacher("tanh").stability_limit(4)
    with pytest.raises(InvalidInputError, match=r"batch_size = 2\.5"):
        IDENTITY.stability_limit(2.5)


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_the_weighted_mean_square_is_conserved_at_the_limit(batch_size) -> None:
    """A left vector of the map of second moments, E[(1 - a g_i x x^T/|B|)...], of eigenvalue 1."""
    g = np.array([3.0, 1.0, 0.5])
    step = mean_square_limit(g, batch_size) * g
    # Gaussian inputs: E (x_i^2)^2 = 3, E x_i^2 x_j^2 = 1
    moments = np.diag((1 - step) ** 2) + (step[:, None] ** 2) * (1 + np.eye(3)) / batch_size
    weights = mean_square_weights(g, batch_size)
    np.testing.assert_allclose(weights @ moments, weights, rtol=1e-9)
