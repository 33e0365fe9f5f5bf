"""A student of low rank: exact moments, levels and overlaps against runs of the engine."""

import json

import jax
import numpy as np
import pytest

from sgdyson import simulate
from sgdyson.errors import InvalidInputError, NoPredictionError
from sgdyson.models import LowRankTeacher

HOW = {"learning_rate": 0.05, "batch_size": 16}


@pytest.fixture(scope="module")
def small():
    """Large scatter of the inputs, many replicas: the moments."""
    model = LowRankTeacher([3.0, 1.5], (8, 6), label_noise=0.7, initial_width=0.2)
    run = simulate(
        model, **HOW, replicas=4000, updates=40, record_every=8, seed=1, record_weights=True,
        progress=False,
    )  # fmt: skip
    return model, run


def within(values, expected, errors=4.5):
    """The variance of independent numbers, one or more a replica, against its expectation."""
    variance = values.var()
    return abs(variance - expected) < errors * expected * np.sqrt(2 / values.shape[0])


def test_every_moment_is_exact(small):
    model, run = small
    path = model.predict_path(**HOW, times=run.time.values)
    moments = path._moments
    scatter, mode = moments.scatter(path.times)[..., 0], moments.own(path.times)
    signal = 3.0 * moments.gains(path.times)[:, 0]
    for at in range(1, len(path.times)):
        w = run.weights.values[:, at]
        v = path.sigma[at] ** 2
        assert within(w[:, 5, 5], v)
        assert within(w[:, 0, 3], v + scatter[at, 0])
        assert within(w[:, 0, 0], v + scatter[at, 0] + mode[at, 0])
        error = w[:, 0, 0].std() / np.sqrt(len(w))
        assert abs(w[:, 0, 0].mean() - signal[at]) < 4 * error
    # power: without the scatter of the inputs, and with all of it in every row
    w, v = run.weights.values[:, 2], path.sigma[2] ** 2
    assert not within(w[:, 0, 3], v)
    assert not within(w[:, 5, 5], v + scatter[2, 0])


def test_every_term_of_a_large_step():
    """Where alpha^2 (N + 1)/|B| is a fourth of the decay: exact, and N for N + 1 is rejected."""
    model = LowRankTeacher([2.0], (5, 3), label_noise=1.0, initial_width=0.0)
    how = {"learning_rate": 0.3, "batch_size": 4}
    run = simulate(
        model, **how, replicas=30_000, updates=8, record_every=4, seed=3, record_weights=True,
        progress=False,
    )  # fmt: skip
    path = model.predict_path(**how, times=run.time.values)
    moments = path._moments
    scatter, mode = moments.scatter(path.times)[..., 0], moments.own(path.times)
    signal = 2.0 * moments.gains(path.times)
    # one dimension fewer: N for N + 1
    fewer = 0.7**2 + 0.3**2 / 4 * 3
    floor = 0.3**2 / 4 / (1 - fewer) * (1 - fewer**path.times)
    for at in (1, 2):
        w, v = run.weights.values[:, at], path.sigma[at] ** 2
        bulk, row = (w[:, 1:] ** 2).mean((1, 2)), (w[:, 0, 1:] ** 2).mean(1)
        own = (w[:, 0, 0] - signal[at, 0]) ** 2
        extra = scatter[at, 0]
        expected = [v, v + extra, v + extra + mode[at, 0]]
        for squares, variance in zip((bulk, row, own), expected, strict=True):
            error = squares.std() / np.sqrt(len(squares))
            assert abs(squares.mean() - variance) < 4.5 * error
        if at == 2:
            error = bulk.std() / np.sqrt(len(bulk))
            assert abs(bulk.mean() - floor[at]) > 4.5 * error


def test_one_update_is_the_mean_over_its_mini_batch():
    """The factored inputs have the law of data: first two moments of the gradient."""
    model = LowRankTeacher([2.0], (4, 3), label_noise=0.5, initial_width=0.3)
    keys = jax.random.split(jax.random.key(3), 20_000)
    with jax.enable_x64(True):
        weights = jax.jit(lambda key: model.init(key))(jax.random.key(0))
        for size in (2, 9):  # fewer inputs than the batch, and more
            draw = jax.jit(
                jax.vmap(lambda key, size=size: model.gradient(key, weights, (), size)[0])
            )
            gradients = np.asarray(draw(keys))
            error = np.asarray(weights - np.diag([2.0, 0, 0, 0])[:, :3])
            # <(C d)_j^2> - d_j^2 = (d_j^2 + |d|^2)/|B|, and the labels' noise
            square = (error**2 + (error**2).sum(1, keepdims=True) + 0.25) / size
            spread = np.sqrt(square / len(keys))
            assert (np.abs(gradients.mean(0) - error) < 4.5 * spread).all()
            np.testing.assert_allclose(gradients.var(0), square, rtol=0.1)
        exact, _ = jax.jit(lambda w: model.gradient(keys[0], w, (), np.inf))(weights)
    np.testing.assert_allclose(exact, error, atol=1e-14)


def test_levels_overlaps_and_bulk_of_a_large_student():
    model = LowRankTeacher([6.0, 3.0, 1.5], (160, 80), label_noise=1.0)
    how = {"learning_rate": 0.02, "batch_size": 64}
    run = simulate(
        model, **how, replicas=16, updates=100, record_every=20, seed=0, record=["overlaps"],
        progress=False,
    )  # fmt: skip
    path = model.predict_path(**how, times=run.time.values)
    assert run.overlaps.shape == (16, 6, 3, 2)
    far = path.levels > 1.15 * path.edge[:, None]
    assert far.sum() == 14  # all modes but the weakest, and all of them later
    levels = run.levels.values[..., :3]
    error = levels.std(0) / 4
    # of leading order in 1/N: 1/80 of the distance between a level and its strength
    assert (np.abs(levels.mean(0) - path.levels) < 4 * error + path.edge[:, None] / 80)[far].all()
    for side, predicted in enumerate((path.left_overlaps, path.right_overlaps)):
        seen = run.overlaps.values[..., side]
        allowed = 4 * seen.std(0) / 4 + 0.02
        assert (np.abs(seen.mean(0) - predicted) < allowed)[far].all()
    edge = run.levels.values[..., 3].mean(0)
    np.testing.assert_allclose(edge[2:], path.edge[2:], rtol=0.04)  # Tracy and Widom's shift
    # power: right vectors without the scatter of their row, at the first record
    assert path.left_overlaps[1, 0] - path.right_overlaps[1, 0] > 0.01


def test_widths_between_replicas():
    """Of many replicas; and power: without the scatter of the mode's row they are too narrow."""
    model, replicas = LowRankTeacher([6.0, 3.0], (40, 20), label_noise=1.0), 1200
    how = {"learning_rate": 0.02, "batch_size": 64}
    run = simulate(
        model, **how, replicas=replicas, updates=60, record_every=20, seed=5, progress=False
    )
    path = model.predict_path(**how, times=run.time.values)
    measured = run.levels.values[:, 1:, :2].std(0)
    off = np.abs(measured / path.widths[1:] - 1)
    # four errors of a standard deviation, and of relative order 1/N what is neglected
    assert (off < 4 / np.sqrt(2 * replicas) + 1 / 20).all()
    still = np.sqrt([path.spiked(at).level_variances for at in range(1, len(path.times))])
    assert (np.abs(measured / still - 1) > 4 / np.sqrt(2 * replicas) + 1 / 20).all()


def test_detachment_in_order_and_in_closed_form():
    model = LowRankTeacher([6.0, 3.0, 1.5], (160, 80), label_noise=1.0)
    path = model.predict_path(0.02, 64, [0])
    assert (np.diff(path.detachment_times) > 0).all()
    # the closed form is that of small steps: scatter of the inputs is left out
    fine = model.predict_path(1e-5, 64, [0])
    np.testing.assert_allclose(fine.small_step_times, fine.detachment_times, rtol=2e-3)
    assert (np.abs(path.small_step_times / path.detachment_times - 1) > 0.02).all()
    for mode, time in enumerate(path.detachment_times):
        around = model.predict_path(0.02, 64, [time - 0.01, time + 0.01])
        assert around.detached[:, mode].tolist() == [False, True]


def test_what_noise_drowns_is_never_seen():
    """The threshold is that of alpha/|B| alone, at small steps; and power: just above it is."""
    model = LowRankTeacher([1.0], (40, 30), label_noise=2.0)
    thresholds = [model.predict_path(a, b, [0]).noise_threshold for a, b in
                  [(0.001, 4), (0.002, 8), (0.004, 16)]]  # fmt: skip
    np.testing.assert_allclose(thresholds, thresholds[0], rtol=0.02)
    small = (40 * 30) ** 0.25 * np.sqrt(0.001 * 4 / (2 * 4))
    assert thresholds[-1] == pytest.approx(small, rel=0.02)
    for ratio, seen in [(0.97, False), (1.03, True)]:
        model = LowRankTeacher(
            [ratio * thresholds[0]], (40, 30), label_noise=2.0, initial_width=0.0
        )
        path = model.predict_path(0.001, 4, [1e5])
        assert path.detached[-1, 0] == seen


def test_without_noise_the_path_is_that_of_gradient_descent():
    model = LowRankTeacher([2.0, 1.0], (5, 4), label_noise=0.0, initial_width=0.0)
    run = simulate(
        model, learning_rate=0.1, batch_size=np.inf, replicas=1, updates=20, record_every=5, seed=0,
        progress=False,
    )  # fmt: skip
    path = model.predict_path(0.1, np.inf, run.time.values)
    np.testing.assert_allclose(run.levels.values[0, :, :2], path.levels, atol=1e-12)
    np.testing.assert_allclose(path.right_overlaps[1:], 1.0)


def test_a_step_that_is_too_large_diverges_as_predicted():
    model = LowRankTeacher([2.0], (20, 16))
    for rate, stable in [(0.2, True), (0.5, False)]:
        assert model.predict_path(rate, 4, [0]).is_stable == stable
        run = simulate(
            model, learning_rate=rate, batch_size=4, replicas=4, updates=400, record_every=400,
            seed=0, progress=False,
        )  # fmt: skip
        assert bool(run.diverged.all()) != stable


def test_wide_and_tall_are_one_student():
    for shape in [(12, 5), (5, 12)]:
        model = LowRankTeacher([2.0, 1.0], shape)
        w = np.random.default_rng(0).standard_normal((3, 2, *shape))
        np.testing.assert_allclose(model.levels(w), np.linalg.svd(w, compute_uv=False), rtol=1e-9)
        assert model.overlaps(w).shape == (3, 2, 2, 2)
        assert len(model.matrix_names()) == 5


def test_the_contract_of_a_model():
    """Form, bits, NaN for the lost, plain settings; as tests/contracts has it of the others."""
    model = LowRankTeacher([2.0, 1.0], (6, 5))
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        key = jax.random.key(0)
        weights = jax.jit(lambda key: model.init(key))(key)
        for size in (2, 9, np.inf):  # fewer inputs than their dimension, and more
            gradient, memory = jax.jit(
                lambda w, size=size: model.gradient(key, w, model.start(key, size), size)
            )(weights)
            assert (gradient.shape, gradient.dtype, memory) == (weights.shape, weights.dtype, ())
        plain, _ = model.gradient(key, weights, (), size)
        np.testing.assert_allclose(gradient, plain, rtol=1e-9, atol=1e-12)
        lost, _ = jax.jit(lambda w: model.gradient(key, w, (), 4))(1e9 + weights)
    assert np.isnan(lost).all()
    settings = model.settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings != LowRankTeacher([2.0, 1.0], (6, 5), label_noise=0.2).settings()
    how = HOW | {"updates": 6, "record_every": 3, "seed": 4, "progress": False}
    whole = simulate(model, replicas=9, **how)
    share = simulate(model, replicas=range(5, 8), workers=1, **how)
    np.testing.assert_array_equal(whole.levels[5:8], share.levels)


def test_what_is_refused():
    with pytest.raises(InvalidInputError, match="descending"):
        LowRankTeacher([1.0, 2.0])
    with pytest.raises(InvalidInputError, match="at most 3"):
        LowRankTeacher([1.0] * 4, (5, 3))
    with pytest.raises(InvalidInputError, match="label_noise = -1"):
        LowRankTeacher(label_noise=-1)
    with pytest.raises(InvalidInputError, match="times"):
        LowRankTeacher().predict_path(0.1, 16, [-1.0])
    with pytest.raises(NoPredictionError, match="predict_path"):
        LowRankTeacher().predict(0.1, 16)
