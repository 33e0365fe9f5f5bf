"""Weights whose scale the loss does not see: noise and decay set it, (22) of docs/theory.md."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sgdyson import Model, simulate
from sgdyson.optimizers import SGD
from sgdyson.stats import jackknife_of_means

RATE, DECAY, BATCH, REPLICAS = 0.1, 0.05, 4, 128
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 6))
Y = X @ RANDOM.normal(size=(6, 2)) + RANDOM.normal(size=(200, 2))


def scale_free(weights, batch):
    x, y = batch
    return jnp.mean((x @ weights / jnp.sqrt(jnp.mean(weights**2)) - y) ** 2)


def with_scale(weights, batch):
    x, y = batch
    return jnp.mean((x @ weights - y) ** 2)


def excess(loss):
    """|w|^2 lambda (2 - alpha lambda)/(alpha |g|^2) - 1, averages over replicas apart."""
    model = Model.from_loss(loss, lambda key: 0.3 * jax.random.normal(key, (6, 2)), (X, Y))
    run = simulate(
        model, learning_rate=RATE, batch_size=BATCH, replicas=REPLICAS, updates=2000, seed=0,
        record_every=20, record_from=2000, optimizer=SGD(weight_decay=DECAY), record_weights=True,
        progress=False,
    )  # fmt: skip
    assert not run.diverged.any()
    weights = run.weights.values
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(1), weights.shape[:2])
        gradient = jax.jit(jax.vmap(jax.vmap(lambda key, w: model.gradient(key, w, (), BATCH)[0])))
        g = np.asarray(gradient(keys, jnp.asarray(weights)))
    squares = np.stack([np.sum(a**2, axis=(2, 3)).mean(axis=1) for a in (weights, g)], axis=1)
    return jackknife_of_means(
        lambda m: m[..., 0] * DECAY * (2 - RATE * DECAY) / (RATE * m[..., 1]) - 1, squares
    )


def test_noise_and_decay_set_the_scale():
    """Exact: four standard errors, a false alarm in 16 000."""
    found = excess(scale_free)
    assert found.error < 0.02
    assert abs(found.value) < 4 * found.error


def test_a_loss_with_a_scale_does_not_follow():
    found = excess(with_scale)
    assert abs(found.value) > 20 * found.error


def test_gradients_are_orthogonal_to_the_weights():
    w = jnp.asarray(RANDOM.normal(size=(6, 2)))
    for loss, angle in ((scale_free, 0.0), (with_scale, None)):
        g = jax.jit(jax.grad(loss))(w, (jnp.asarray(X[:4]), jnp.asarray(Y[:4])))
        cosine = float(jnp.sum(g * w) / (jnp.linalg.norm(g) * jnp.linalg.norm(w)))
        assert cosine == pytest.approx(0.0, abs=1e-6) if angle == 0.0 else abs(cosine) > 0.1
