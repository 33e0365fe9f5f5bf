"""Fluctuations of a quadratic mode: closed forms, and a simulation of every optimiser.

The simulation has 2000 independent weights; its error is that over them. False-alarm rate 6e-5 a
check (four standard errors).
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sgdyson.errors import InvalidInputError, NoPredictionError
from sgdyson.optimizers import (
    SGD,
    Adam,
    AdamW,
    HeavyBall,
    Muon,
    Nesterov,
    RMSProp,
    Scheduled,
    effective_rate,
    stationary_variance,
)
from sgdyson.optimizers._normalising import _gains
from sgdyson.optimizers.stationary import remaining, response, stationary_covariance

WEIGHTS = 2000


def simulated(optimizer, rate, curvature, noise, updates) -> tuple[float, float]:
    """<w^2> over the second half of a run from rest, and its standard error."""
    with jax.enable_x64(True):
        rule = optimizer(rate)

        def step(carry, key):
            w, state = carry
            gradient = curvature * w + noise**0.5 * jax.random.normal(key, (WEIGHTS,))
            change, state = rule.update(gradient, state, w)
            return (w + change, state), (w + change) ** 2

        def half(carry, key):
            carry, squares = jax.lax.scan(step, carry, jax.random.split(key, updates // 2))
            return carry, squares.mean(axis=0)

        start = jnp.zeros(WEIGHTS)
        _, means = jax.lax.scan(
            half, (start, rule.init(start)), jax.random.split(jax.random.key(0), 2)
        )
        last = np.asarray(means[1])
    return last.mean(), last.std() / WEIGHTS**0.5


CASES = {
    "sgd": (SGD(), 0.2, 1.0, 1.0, 1000),
    "decay": (SGD(0.3), 0.2, 0.7, 2.0, 1000),
    "heavy ball": (HeavyBall(0.8, 0.1), 0.1, 1.0, 2.0, 2000),
    "nesterov": (Nesterov(0.8, 0.1), 0.1, 1.0, 2.0, 2000),
    "rmsprop": (RMSProp(0.9), 0.01, 1.0, 0.04, 3000),
    "rmsprop, short memory": (RMSProp(0.5), 0.01, 1.0, 0.04, 3000),
    "adam": (Adam(), 0.01, 1.0, 0.04, 6000),
}
# what each prediction would be if its optimiser were taken for plain SGD, or its memory for nothing
WRONG = {
    "decay": lambda: stationary_variance(SGD(), 0.2, 0.7, 2.0),
    "heavy ball": lambda: stationary_variance(SGD(0.1), 0.1, 1.0, 2.0),
    "nesterov": lambda: stationary_variance(HeavyBall(0.8, 0.1), 0.1, 1.0, 2.0),
    "rmsprop": lambda: 0.01 * 0.2 / 2,
    "rmsprop, short memory": lambda: 0.01 * 0.2 / 2,
    "adam": lambda: stationary_variance(SGD(), 0.01, 1.0, 0.04),
}


@pytest.mark.parametrize("name", CASES)
def test_the_variance_is_the_predicted_one_and_no_other(name):
    optimizer, rate, curvature, noise, updates = CASES[name]
    value, error = simulated(optimizer, rate, curvature, noise, updates)
    predicted = float(stationary_variance(optimizer, rate, curvature, noise))
    # theory of Adam leaves out terms of the order of 1 - b2
    neglected = 1e-3 * predicted if isinstance(optimizer, Adam) else 0.0
    assert abs(value - predicted) < 4 * error + neglected
    if name in WRONG:
        assert abs(value - float(WRONG[name]())) > 4 * error + neglected


def test_plain_descent_and_heavy_ball_in_closed_form():
    # an autoregression; and Polyak's second-order one (e.g. Liu et al., ICML 2021, equation 11)
    alpha, h, q, beta = 0.3, 1.7, 0.9, 0.6
    np.testing.assert_allclose(
        stationary_variance(None, alpha, h, q), alpha * q / (h * (2 - alpha * h))
    )
    exact = alpha * q * (1 + beta) / (h * (1 - beta) * (2 * (1 + beta) - alpha * h))
    np.testing.assert_allclose(stationary_variance(HeavyBall(beta), alpha, h, q), exact)
    np.testing.assert_allclose(stationary_variance(HeavyBall(0.0), alpha, h, q),
                               stationary_variance(None, alpha, h, q))  # fmt: skip


@pytest.mark.parametrize("optimizer", [HeavyBall(0.9), Nesterov(0.9)])
def test_momentum_is_an_effective_rate_at_small_rates(optimizer):
    small = float(stationary_variance(optimizer, 1e-6, 1.0, 1.0))
    np.testing.assert_allclose(small, effective_rate(optimizer, 1e-6) / 2, rtol=1e-4)
    np.testing.assert_allclose(effective_rate(optimizer, 0.02), 0.2)


def test_decay_adds_to_the_curvature():
    # with w = w* + u the decay only shifts the minimum: curvature h + lambda, noise as it was
    np.testing.assert_allclose(stationary_variance(SGD(0.4), 0.1, 1.0, 2.0),
                               stationary_variance(SGD(), 0.1, 1.4, 2.0))  # fmt: skip


def test_where_it_ceases_to_be_stable():
    # 2/h of plain descent, 2 (1 + beta)/h of the heavy ball (Polyak 1964)
    assert np.isfinite(stationary_variance(None, 1.99, 1.0, 1.0))
    assert np.isinf(stationary_variance(None, 2.01, 1.0, 1.0))
    assert np.isfinite(stationary_variance(HeavyBall(0.5), 2.99, 1.0, 1.0))
    assert np.isinf(stationary_variance(HeavyBall(0.5), 3.01, 1.0, 1.0))
    # multiplicative noise: alpha < 2/(1 + m) at h = 1
    assert np.isfinite(stationary_variance(None, 0.99, 1.0, 1.0, multiplicative=1.0))
    assert np.isinf(stationary_variance(None, 1.01, 1.0, 1.0, multiplicative=1.0))


def test_averages_of_the_normalised_step():
    # b = 0: v = n^2, so that <n^2/|n|> = sqrt(2/pi) and <n^2/n^2> = 1
    np.testing.assert_allclose(_gains(0.0), [math.sqrt(2 / math.pi), 1.0], rtol=1e-9)
    random = np.random.default_rng(0)
    n = random.standard_normal((400_000, 60))
    v = n**2 @ (0.4 * 0.6 ** np.arange(60))
    for found, sample in zip(_gains(0.6), (n[:, 0] ** 2 / v**0.5, n[:, 0] ** 2 / v), strict=True):
        assert abs(found - sample.mean()) < 4 * sample.std() / len(n) ** 0.5


def test_a_normalised_step_does_not_know_the_size_of_the_loss():
    small = stationary_variance(Adam(), 0.001, 1.0, 4.0)
    np.testing.assert_allclose(stationary_variance(Adam(), 0.001, 10.0, 400.0), small)
    # four times the batch: half the noise, half the variance; and not a quarter
    np.testing.assert_allclose(stationary_variance(Adam(), 1e-5, 1.0, 1.0) / 2,
                               stationary_variance(Adam(), 1e-5, 1.0, 0.25), rtol=1e-4)  # fmt: skip


def test_the_mean_is_left_as_the_recursion_has_it():
    optimizer, rate, h = Nesterov(0.7, 0.2), 0.1, 1.3
    rule = optimizer(rate)
    with jax.enable_x64(True):
        w = jnp.ones(())
        state = rule.init(w)
        found = [1.0]
        for _ in range(6):
            change, state = rule.update(h * w, state, w)
            w = optax.apply_updates(w, change)
            found.append(float(w))
    np.testing.assert_allclose(remaining(optimizer, rate, h, np.arange(7)), found, rtol=1e-12)


def test_response_to_noise_with_a_memory():
    # the distance moved s updates after a unit of gradient, summed with r^s
    optimizer, rate, r = HeavyBall(0.6), 0.1, 0.8
    moved = rate * (1 - 0.6 ** np.arange(1, 400)) / (1 - 0.6)
    expected = (moved * r ** np.arange(399)).sum()
    np.testing.assert_allclose(response(optimizer, rate, np.array([[r]])), [[expected]])
    np.testing.assert_allclose(response(None, rate, np.array([r])), [rate / (1 - r)])


def test_weights_that_interact():
    # in the eigenbasis, each pair of directions by itself: Sigma = A Sigma A^T + alpha^2 Q
    random = np.random.default_rng(1)
    half = random.standard_normal((3, 3))
    hessian, noise = half @ half.T, np.diag([1.0, 2.0, 3.0])
    found = stationary_covariance(SGD(0.1), 0.05, hessian, noise)
    step = np.eye(3) - 0.05 * (hessian + 0.1 * np.eye(3))
    np.testing.assert_allclose(found, step @ found @ step.T + 0.05**2 * noise, rtol=1e-9)
    # a flat direction without noise is left at rest
    flat = stationary_covariance(None, 0.05, np.diag([1.0, 0.0]), np.diag([1.0, 0.0]))
    np.testing.assert_allclose(flat, np.diag([0.05 / 1.95, 0.0]))


def test_a_schedule_multiplies_the_rate():
    shape = optax.linear_schedule(1.0, 0.0, 4)
    rule, w = Scheduled(SGD(), shape)(0.5), jnp.zeros(())
    state, moved = rule.init(w), []
    for _ in range(5):
        change, state = rule.update(jnp.ones(()), state, w)
        moved.append(float(change))
    np.testing.assert_allclose(moved, [-0.5, -0.375, -0.25, -0.125, 0.0])


def test_optimisers_are_values():
    assert HeavyBall(0.5) == HeavyBall(0.5)
    assert hash(Adam()) == hash(Adam())
    assert HeavyBall(0.5) != HeavyBall(0.6)


def test_bad_numbers_are_named():
    with pytest.raises(InvalidInputError, match=r"momentum = 1\.0"):
        HeavyBall(1.0)
    with pytest.raises(InvalidInputError, match=r"weight_decay = -1"):
        AdamW(-1)
    with pytest.raises(InvalidInputError, match=r"momentum = '0\.9'"):
        HeavyBall("0.9")
    with pytest.raises(InvalidInputError, match="weight_decay = inf"):
        SGD(float("inf"))
    with pytest.raises(InvalidInputError, match="curvature"):
        stationary_variance(None, 0.1, 0.0, 1.0)
    for unknown in (Muon(), AdamW(), Scheduled(SGD(), optax.constant_schedule(1.0))):
        with pytest.raises(NoPredictionError, match=type(unknown).__name__):
            stationary_variance(unknown, 0.1, 1.0, 1.0)
    with pytest.raises(InvalidInputError, match="multiplicative"):
        stationary_variance(Adam(), 0.1, 1.0, 1.0, multiplicative=0.1)
