"""Mini-batches of data, and chains that begin at them: each law told from the three others.

Four errors of each number, one false alarm in 16 000; theory may be off by 3 %.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sgdyson import GaussianRBM, simulate
from sgdyson.errors import InvalidInputError, NoPredictionError
from sgdyson.models import scalar_field_kernel
from sgdyson.optimizers import HeavyBall
from sgdyson.stats import mean_over_replicas

KERNEL = scalar_field_kernel(3, 1.5)  # one single mode and a pair
RATE, BATCH = 0.05, 32
WAYS = [(phase, chains) for phase in ("exact", "minibatch") for chains in ("persistent", "data")]


def at_rest(kernel):
    modes, vectors = np.linalg.eigh(kernel)
    return np.sqrt(9 - modes)[:, None] * vectors.T


def machine(phase, chains, **more):
    return GaussianRBM(KERNEL, rbm_mass=3.0, gibbs_sweeps=1, positive_phase=phase, chains=chains,
                       initial_weights=at_rest(KERNEL), **more)  # fmt: skip


def off(run, theory):
    """Gap, width of the single level and the means, in units of what is allowed."""
    x = run.levels.values[~run.diverged.values][:, 1:]
    top = x[..., 0]
    gap = mean_over_replicas(x[..., 1] - x[..., 2])
    square = mean_over_replicas((top - top.mean()) ** 2)
    width = square.value**0.5
    predicted = -np.diff(theory.sample_levels(2**14)[:, 1:], axis=1).mean()
    found = [(gap.value - predicted) / (4 * gap.error + 0.03 * predicted),
             (width - theory.width[0]) / (2 * square.error / width + 0.03 * width)]  # fmt: skip
    for level in range(3):
        mean = mean_over_replicas(x[..., level])
        found.append((mean.value - theory.mean_level[level]) / (4 * mean.error + 0.004))
    return np.abs(found)


@pytest.fixture(scope="module")
def runs():
    """Kept short: an update of each, and no more than theory needs to be told apart."""
    return {
        way: simulate(machine(*way), learning_rate=RATE, batch_size=BATCH, replicas=128,
                      updates=1200, record_from=200, record_every=40, seed=3, progress=False)
        for way in WAYS[1:]
    }  # fmt: skip


@pytest.mark.parametrize("way", WAYS[1:], ids="-".join)
def test_widths_spacings_and_means_of_each_way(runs, way):
    theories = {each: machine(*each).predict(RATE, BATCH) for each in WAYS}
    found = off(runs[way], theories[way])
    assert (found < 1).all(), found
    for other in WAYS:
        wrong = off(runs[way], theories[other])
        assert other == way or (wrong > 1).any(), (other, wrong)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("optimizer", [None, HeavyBall(0.5)], ids=["sgd", "heavy ball"])
def test_every_way_at_length(way, optimizer):
    rate = RATE if optimizer is None else RATE / 2
    run = simulate(machine(*way), learning_rate=rate, batch_size=BATCH, replicas=1024, updates=6000,
                   record_from=500, record_every=50, seed=4, optimizer=optimizer,
                   progress=False)  # fmt: skip
    found = off(run, machine(*way).predict(rate, BATCH, optimizer))
    assert (found < 1).all(), found


def test_rows_of_a_users_own_data():
    """Uniform numbers: their fourth moments are those of no Gaussian."""
    random = np.random.default_rng(0)
    data = random.uniform(-1, 1, (500, 3)) * 3**0.5 @ np.linalg.cholesky(np.linalg.inv(KERNEL)).T
    how = {"rbm_mass": 3.0, "positive_phase": "minibatch", "chains": "data", "gibbs_sweeps": 2}
    model = GaussianRBM.from_data(data, **how)
    phases = model._phases()
    modes, vectors = np.linalg.eigh(model.target_kernel)
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(0), 20_000)
        target = jnp.asarray(model.target_covariance)
        drawn = np.asarray(jax.vmap(lambda key: model._drawn(key, target, 8))(keys))
    average = vectors.T @ (drawn @ drawn.mT / 8) @ vectors
    np.testing.assert_allclose(average.mean(axis=0), np.diag(1 / modes), atol=0.004)
    scatter = 8 * average.var(axis=0)
    np.testing.assert_allclose(scatter, phases.data.fourth, rtol=0.06)
    gaussian = phases._replace(data=None).of_the_data(1 / modes)
    assert np.abs(scatter / gaussian - 1).max() > 0.3  # uniform numbers scatter less
    widths = model.predict(RATE, BATCH).leading.width
    assert (widths < machine("minibatch", "data").predict(RATE, BATCH).leading.width).all()
    assert "data" in model.settings()
    assert "data" not in GaussianRBM.from_data(data, rbm_mass=3.0).settings()


@pytest.mark.parametrize(("sampler", "beta"), [("gibbs", 1), ("collapsed", 2)])
def test_chains_that_begin_at_the_data_know_part_of_the_difference(sampler, beta):
    """<C> = G + A^k (P - G) A^k, at weights that are far from the fixed point."""
    model = machine("exact", "data", sampler=sampler, beta=beta)
    w = 0.7 * at_rest(KERNEL)
    a, p = w.T @ w / 9, np.linalg.inv(KERNEL)
    g, power = np.linalg.inv(9 * np.eye(3) - w.T @ w), a
    expected = g + power @ (p - g) @ power
    with jax.enable_x64(True):
        weights = model._numbers.lift(jnp.asarray(w))
        keys = jax.random.split(jax.random.key(1), 20_000)
        step = jax.jit(jax.vmap(lambda key: model.gradient(key, weights, jnp.zeros((0,)), 8)[0]))
        average = np.linalg.solve(w, np.asarray(step(keys))).real + p
    error = average.std(axis=0) / len(average) ** 0.5
    assert (np.abs(average.mean(axis=0) - expected) < 4.5 * error).all()
    assert (np.abs(average.mean(axis=0) - g) > 4.5 * error).any()
    assert (np.abs(average.mean(axis=0) - p) > 4.5 * error).any()


def test_without_noise_all_ways_end_at_the_target():
    """Contrastive divergence has no bias here: at the fixed point the data have the model's law."""
    for way in WAYS[1:3]:
        run = simulate(machine(*way), learning_rate=0.2, batch_size=np.inf, replicas=1,
                       updates=2000, record_every=2000, seed=0, progress=False)  # fmt: skip
        np.testing.assert_allclose(run.levels.values[0, -1], [6.75, 3.75, 3.75], rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: machine("half", "data"), "positive_phase = 'half'"),
        (lambda: machine("exact", "new"), "chains = 'new'"),
        (lambda: machine("exact", "data", sampler="independent"), "needs a chain"),
        (lambda: machine("minibatch", "data").predict(0.1, 16).at_order(2), "persistent"),
        (lambda: GaussianRBM(KERNEL, rbm_mass=3.0, data=np.ones((9, 2))), r"\(sample, 3\)"),
        (lambda: GaussianRBM(KERNEL, rbm_mass=3.0, data=np.eye(3)), "second moment"),
        (lambda: GaussianRBM.from_data(np.eye(3).repeat(2, 0), rbm_mass=2.0, beta=2,
                                       chains="data"), "beta = 2"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(call, named):
    with pytest.raises((InvalidInputError, NoPredictionError), match=named):
        call()
