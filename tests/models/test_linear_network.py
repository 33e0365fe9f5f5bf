"""A deep linear network: its law of mini-batches, its Langevin prediction, its semicircle.

Each statistical check allows four standard errors (false-alarm rate 6e-5) and the neglected order.
"""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sgdyson import simulate
from sgdyson.errors import InvalidInputError, NoPredictionError
from sgdyson.models import LinearNetwork
from sgdyson.models._linear_network_prediction import _balanced, _block
from sgdyson.optimizers import SGD, Adam, HeavyBall
from sgdyson.stats import mean_over_replicas


def test_the_hessian_is_that_of_the_loss():
    for modes, decay, depth in (((2.0, 2.0, 1.2), 0.3, 2), ((2.0, 1.2), 0.1, 3)):
        w = np.array([_balanced(mode, decay, depth) for mode in modes])
        net = LinearNetwork(modes, hidden=(len(modes),) * (depth - 1))
        with jax.enable_x64(True):
            layers = {f"w{number}": np.diag(w) for number in range(1, depth + 1)}
            exact = net.batch(jax.random.key(0), np.inf)
            slope, tree = jax.tree.map(np.asarray, jax.jit(
                lambda w, net=net, exact=exact: (
                    jax.grad(net.loss)(w, exact), jax.hessian(net.loss)(w, exact)
                )
            )(layers))  # fmt: skip
        for number in range(1, depth + 1):  # a minimum, with the decay
            np.testing.assert_allclose(slope[f"w{number}"], -decay * np.diag(w), atol=1e-12)
        for i in range(len(modes)):
            for j in range(i, len(modes)):
                entries = [(number, i, j) for number in range(1, depth + 1)]
                entries += [(number, j, i) for number in range(1, depth + 1)] if i != j else []
                found, _ = _block(w[[i, j]], (w**depth - modes)[[i, j]],
                                  same=i == j, depth=depth)  # fmt: skip
                expected = [[tree[f"w{a}"][f"w{b}"][r, c, s, t] for b, s, t in entries]
                            for a, r, c in entries]  # fmt: skip
                np.testing.assert_allclose(found, expected, atol=1e-12)


def test_drawn_factors_have_the_law_of_data():
    # second moments of C = F F^T and of Xi X^T/|B| = Z F^T, against Wick's theorem
    net = LinearNetwork((2.0, 1.0, 1.0), hidden=(3,))
    for count in (2, 5):  # fewer and more samples than inputs
        with jax.enable_x64(True):
            keys = jax.random.split(jax.random.key(1), 40_000)
            draw = jax.jit(jax.vmap(lambda key, n=count: net.batch(key, n)))
            factor, labels = draw(keys)
            factor, labels = np.asarray(factor), np.asarray(labels)
        moment, cross = factor @ factor.mT, labels @ factor.mT
        for sample, variance in ((moment[:, 0, 0], 2 / count), (moment[:, 0, 1], 1 / count),
                                 (cross[:, 1, 2], 1 / count)):  # fmt: skip
            square = (sample - sample.mean()) ** 2
            error = square.std() / len(square) ** 0.5
            assert abs(square.mean() - variance) < 4 * error
            assert abs(square.mean() - 1.2 * variance) > 4 * error  # power
        assert abs(moment[:, 0, 0].mean() - 1) < 4 * moment[:, 0, 0].std() / len(keys) ** 0.5


def widths(levels: np.ndarray, centre: float) -> np.ndarray:
    r"""sigma^2 of each record: $\sum_i u_i^2 = 2\sigma^2 [n/2 + n (n-1)/4]$, exact for the gas."""
    n = levels.shape[-1]
    return ((levels - centre) ** 2).sum(axis=-1) / (n + n * (n - 1) / 2)


@pytest.mark.parametrize(
    ("optimizer", "rate", "depth"), [(SGD(0.2), 0.02, 2), (HeavyBall(0.8, 0.2), 0.004, 3)]
)
def test_joint_fluctuations_of_all_layers(optimizer, rate, depth):
    start = [_balanced(2.0, 0.2, depth) * np.eye(4)] * depth
    net = LinearNetwork(
        (2.0,) * 4, hidden=(4,) * (depth - 1), label_noise=0.3, initial_weights=start
    )
    theory = net.predict_matrices(rate, 64, optimizer)
    run = simulate(net, learning_rate=rate, batch_size=64, replicas=512, updates=800,
                   record_every=200, record_from=1000, seed=1, optimizer=optimizer,
                   progress=False)  # fmt: skip
    assert list(theory) == ["product", *(f"w{number}" for number in range(1, depth + 1))]
    for name, part in theory.items():
        levels = run.levels.values[..., (run.matrix == name).values]
        found = mean_over_replicas(widths(levels, levels.mean()))
        predicted, next_order = part.width[0] ** 2, part.next_order[0]
        assert abs(found.value - predicted) < 4 * found.error + next_order * predicted
        # power: a tenth less, and the momentum ignored
        ignored = net.predict_matrices(rate, 64, SGD(0.2))[name].width[0] ** 2
        for wrong in (0.9 * predicted, ignored if depth == 3 else 0.9 * predicted):
            assert abs(found.value - wrong) > 4 * found.error + next_order * predicted
        # sum of the levels follows the trace: Gaussian, variance n sigma^2 (isotropic noise)
        trace = mean_over_replicas((levels.sum(axis=-1) - levels.sum(axis=-1).mean()) ** 2)
        assert abs(trace.value - 4 * predicted) < 4 * trace.error + 4 * next_order * predicted


def test_noise_within_a_multiplet_has_no_preferred_direction():
    for hidden in ((3,), (3, 5)):
        for part in (
            LinearNetwork((2.0, 2.0, 1.0), hidden=hidden)
            .predict_matrices(0.01, 16, SGD(0.1))
            .values()
        ):
            np.testing.assert_allclose(part.covariance[0, 0], 2 * part.covariance[0, 1], rtol=1e-9)


def test_one_wide_step_is_slower_than_two_small_ones():
    # alpha -> 0 of two balanced layers: the product moves at the rate 2 alpha s, so does its noise
    noise, decay, alpha, level = 0.3, 1e-4, 1e-4, 2.0
    part = LinearNetwork((level,) * 2, hidden=(2,), label_noise=noise).predict(
        alpha, 10, SGD(decay)
    )
    one_layer = alpha / 10 * noise**2 / 2  # the symmetric part of independent label noise
    np.testing.assert_allclose(part.width[0] ** 2, 2 * level * one_layer, rtol=1e-3)


def test_learning_curve_is_that_of_the_recursion():
    optimizer = SGD(0.1)
    net = LinearNetwork((2.0, 1.0), hidden=(2, 2), label_noise=0.0)
    with jax.enable_x64(True):
        layers = {f"w{number}": jnp.diag(jnp.array([0.5, 0.4])) for number in (1, 2, 3)}
        exact = net.batch(jax.random.key(0), np.inf)

        def step(_, layers):
            slope = jax.grad(net.loss)(layers, exact)
            return {k: w - 0.002 * (slope[k] + 0.1 * w) for k, w in layers.items()}

        layers = jax.lax.fori_loop(0, 2000, step, layers)
        expected = net.levels({k: np.asarray(w) for k, w in layers.items()})
    curves = net.predict_matrices(0.002, 16, optimizer)
    found = curves["product"].learning_curve([0.5**3, 0.4**3], [2000])[0]
    np.testing.assert_allclose(found, expected[:2], rtol=5e-3)
    np.testing.assert_allclose(curves["w1"].learning_curve([0.5, 0.4], [2000])[0], expected[2:4],
                               rtol=5e-3)  # fmt: skip


@pytest.mark.parametrize(
    ("options", "optimizer", "named"),
    [({}, None, "weight decay"), ({}, SGD(0.0), "weight decay"), ({}, Adam(), "weight decay"),
     ({"teacher": (2.0, 1.0), "hidden": (1,)}, SGD(0.1), "narrower"),
     ({"teacher": [[2.0, 1.0], [0.0, 1.0]]}, SGD(0.1), "diagonal"),
     ({"teacher": (2.0, 0.1)}, SGD(0.5), "too strong")],
)  # fmt: skip
def test_what_is_not_known_is_refused(options, optimizer, named):
    with pytest.raises(NoPredictionError, match=named):
        LinearNetwork(**options).predict(0.01, 16, optimizer)


@pytest.mark.parametrize(
    ("options", "named"),
    [({"hidden": ()}, "hidden"), ({"initial_weights": [np.eye(2)]}, "initial_weights"),
     ({"hidden": (0,)}, "hidden"), ({"label_noise": -1.0}, "label_noise = -1"),
     ({"teacher": ()}, "teacher"), ({"initial_width": np.nan}, "initial_width")],
)  # fmt: skip
def test_bad_input_is_named(options, named):
    with pytest.raises(InvalidInputError, match=named):
        LinearNetwork(**options)


def test_predictions_go_to_another_process_and_back():
    network = LinearNetwork((2.0, 1.0), hidden=(2,))
    predicted = network.predict(0.01, 16, SGD(weight_decay=0.01))
    copied = pickle.loads(pickle.dumps(predicted))
    times, start = np.array([1, 10]), predicted.levels / 2
    assert np.array_equal(copied.sample_levels(512), predicted.sample_levels(512))
    assert np.array_equal(
        copied.learning_curve(start, times), predicted.learning_curve(start, times)
    )
