"""Students of inputs of two variances, and of a data set: moments, levels, what drowns again."""

import numpy as np
import pytest

from sgdyson import simulate
from sgdyson.errors import InvalidInputError, NoPredictionError
from sgdyson.models import LowRankTeacher
from sgdyson.models._data_spectrum import data_spectrum
from sgdyson.models._scatter import Scatter

TWO = np.repeat([1.0, 0.1], [20, 20])


def run_of(model, how, replicas, updates, every, seed=0, **record):
    return simulate(
        model, **how, replicas=replicas, updates=updates, record_every=every, seed=seed,
        progress=False, **record,
    )  # fmt: skip


def test_moments_of_two_variances_are_exact():
    """At a large step; and power: inputs of one variance, the mean of the two."""
    variances = np.array([1.0, 1.0, 0.4])
    model = LowRankTeacher(
        [2.0],
        (5, 3),
        label_noise=1.0,
        initial_width=0.3,
        input_variances=variances,
        mode_inputs=[2],
    )
    how = {"learning_rate": 0.3, "batch_size": 4}
    run = run_of(model, how, 30_000, 8, 4, seed=3, record_weights=True)
    white = LowRankTeacher([2.0], (5, 3), label_noise=1.0, initial_width=0.3, input_variances=0.8,
                           mode_inputs=[2])  # fmt: skip
    found = {}
    for name, student in {"two": model, "one": white}.items():
        moments = student.predict_path(**how, times=[8])._moments
        v, w, f = (of(np.array([8.0]))[0] for of in (moments.variances, moments.scatter,
                                                     moments.own))  # fmt: skip
        # classes ascend: 0.4, then 1
        found[name] = np.array([v[0], v[-1], v[-1] + w[0, -1], v[0] + w[0, 0] + f[0]])
        found[name, "gain"] = 2 * moments.gains(np.array([8.0]))[0, 0]
    w = run.weights.values[:, -1]
    own = (w[:, 0, 2] - found["two", "gain"]) ** 2
    squares = np.stack([(w[:, 1:, 2] ** 2).mean(1), (w[:, 1:, :2] ** 2).mean((1, 2)),
                        (w[:, 0, :2] ** 2).mean(1), own])  # fmt: skip
    error = squares.std(1) / np.sqrt(squares.shape[1])
    assert (np.abs(squares.mean(1) - found["two"]) < 4.5 * error).all()
    assert (np.abs(squares.mean(1) - found["one"]) > 4.5 * error).all()


def test_the_coupled_moments_are_those_of_their_recursion():
    curvature, counts, kick = np.array([0.3, 1.0, 1.2]), np.array([3.0, 5.0, 2.0]), 0.01
    decay = (1 - 0.1 * curvature) ** 2
    v, scatter = np.zeros(3), Scatter(decay, curvature, counts, kick)
    for update in range(30):
        square = 2.0 + 0.7 * decay[1] ** update + (counts * curvature * v).sum()
        v = decay * v + kick * curvature * square
    rates, amplitudes = np.array([1.0, decay[1]]), np.array([[2.0, 0.7]])
    response = scatter.response(np.array([0.0, 30.0]), rates, amplitudes)[:, 0]
    np.testing.assert_allclose(response[1], v, rtol=1e-12)
    assert not response[0].any()
    growing = Scatter(decay, curvature, counts, 1.0)
    assert scatter.growth < 1 < growing.growth


@pytest.mark.parametrize(("samples", "s"), [(200, (0.1, 1.0)), (50, (0.1, 1.0)), (400, (0.01, 1))])
def test_functions_of_the_data_s_second_moment(samples, s):
    """More samples than inputs and fewer, bulks in one piece and in two; and another D fails."""
    random, n, replicas = np.random.default_rng(0), 40, 60
    scale = np.sqrt(np.repeat(s, n))[:, None]
    x = scale * random.standard_normal((replicas, 2 * n, samples))
    values, vectors = np.linalg.eigh(x @ x.mT / samples)

    def functions(c):
        return np.stack([np.exp(-3 * c), c / (c + 0.2), c], axis=-1)

    entries = (vectors**2) @ functions(np.maximum(values, 0))
    measured = entries.reshape(replicas, 2, n, 3).mean(2)
    error = measured.std(0) / np.sqrt(replicas)

    def off(of_samples):
        found = data_spectrum(np.array(s), np.array([n, n]), of_samples)
        predicted = found.measures @ functions(found.eigenvalues)
        return np.abs(measured.mean(0) - predicted) / (4 * error + 1e-3 + 0.2 * predicted / n)

    assert (off(samples) < 1).all()
    assert (off(2 * samples)[:, :2] > 1).any()


@pytest.mark.parametrize(("samples", "off"), [(160, 1e-12), (90, 1e-4), (84, 1e-3)])
def test_moments_of_a_white_data_set_are_those_of_marchenko_and_pastur(samples, off):
    """Mean, mean square, and the mean inverse 1/(1 - N/D), which its lower edge decides."""
    ratio = 80 / samples
    found = data_spectrum(np.array([1.0]), np.array([80.0]), samples)
    c, mass = found.eigenvalues, found.measures[0]
    np.testing.assert_allclose([mass @ c, mass @ c**2], [1, 1 + ratio], rtol=off)
    assert mass @ (1 / c) == pytest.approx(1 / (1 - ratio), rel=off)
    fewer = data_spectrum(np.array([1.0]), np.array([80.0]), 40)
    assert fewer.measures[0][-1] == pytest.approx(0.5)  # directions without data
    assert fewer.eigenvalues[-1] == 0


SETTINGS = {
    "two variances": (
        [4.0, 3.0], {"input_variances": TWO, "mode_inputs": [0, 20]}, (0.02, 64), 300,
    ),
    "a data set": ([3.0], {"samples": 80}, (0.1, np.inf), 60),
    "its mini-batches": ([3.0], {"samples": 80}, (0.05, 16), 120),
    "fewer samples than inputs": ([4.0], {"samples": 20}, (0.05, np.inf), 60),
    "a data set of two variances": (
        [4.0], {"samples": 100, "input_variances": TWO, "mode_inputs": [20]}, (0.1, np.inf), 300,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_levels_and_overlaps_of_the_engine(name):
    """Within 4 errors and what is of order 1/N; and power: white fresh inputs in their place.

    One mode of a data set: two mix, at that order, through the data that they share.
    """
    strengths, more, (rate, batch), updates = SETTINGS[name]
    model = LowRankTeacher(strengths, (80, 40), label_noise=1.0, **more)
    run = run_of(model, {"learning_rate": rate, "batch_size": batch}, 12, updates, updates // 3,
                 record=["overlaps"])  # fmt: skip
    path = model.predict_path(rate, batch, run.time.values)
    white = LowRankTeacher(strengths, (80, 40), label_noise=1.0)
    modes = len(strengths)
    measured = run.levels.values[..., :modes], *np.moveaxis(run.overlaps.values, -1, 0)
    far = path.levels > 1.1 * path.edge[:, None]
    assert far.sum() >= 2

    def off(predicted):
        """In units of what is allowed: levels, and both overlaps."""
        theory = predicted.levels, predicted.left_overlaps, predicted.right_overlaps
        scales = path.edge[:, None] / 40, 2 / 40, 2 / 40
        return np.array([
            (np.abs(m.mean(0) - t) / (4 * m.std(0) / np.sqrt(12) + scale))[far].max()
            for m, t, scale in zip(measured, theory, scales, strict=True)
        ])  # fmt: skip

    assert (off(path) < 1).all()
    assert (off(white.predict_path(rate, 64, run.time.values)) > 1).any()
    # the sum of all squares of entries, whatever the law of levels: the moments alone
    counts, noise = path._moments.counts, path._moments.variances(path.times)
    squares = (run.levels.values**2).sum(-1)
    expected = 80 * noise @ counts + path._weights(path.times).sum((1, 2))
    assert (np.abs(squares.mean(0) - expected) < 4 * squares.std(0) / np.sqrt(12)).all()


def test_mini_batches_of_a_data_set_scatter():
    """The sum of all squares; and what the data in whole teach, less than half, is rejected."""
    model = LowRankTeacher([3.0], (80, 40), label_noise=1.0, samples=400)
    run = run_of(model, {"learning_rate": 0.1, "batch_size": 8}, 12, 60, 20)
    squares = (run.levels.values[:, 1:] ** 2).sum(-1)
    allowed = 4 * squares.std(0) / np.sqrt(12) + squares.mean(0) / 40
    for batch, agrees in [(8, True), (np.inf, False)]:
        path = model.predict_path(0.1, batch, run.time.values[1:])
        noise = 80 * path._moments.variances(path.times) @ path._moments.counts
        expected = noise + path._weights(path.times).sum((1, 2))
        assert (np.abs(squares.mean(0) - expected) < allowed).all() == agrees


def test_a_transient_mode_is_drowned_by_the_noise_of_its_labels():
    of = {"label_noise": 1.0, "input_variances": TWO, "mode_inputs": [0]}
    model = LowRankTeacher([3.0], (80, 40), samples=100, **of)
    path = model.predict_path(0.1, np.inf, [0])
    (first, last), = path.crossings  # fmt: skip
    assert (path.detachment_times[0], path.drowning_times[0]) == (first, last)
    assert path.noise_thresholds[0] > 3
    best = round(np.sqrt(first * last))
    how, updates = {"learning_rate": 0.1, "batch_size": np.inf}, best * round(6 * last / best)
    run = run_of(model, how, 12, updates, best, record=["overlaps"])
    before, between, after = run.overlaps.values[:, [0, 1, -1], 0, 0].mean(0)
    assert before < 0.1
    assert between > 0.8
    assert after < 0.1
    # power: fresh inputs, and a data set without noise in its labels, keep the mode for good
    fresh = LowRankTeacher([3.0], (80, 40), **of).predict_path(0.1, 100, [0])
    clean = LowRankTeacher([3.0], (80, 40), samples=100, **of | {"label_noise": 0.0})
    for other in (fresh, clean.predict_path(0.1, np.inf, [0])):
        assert len(other.crossings[0]) == 1
        assert other.drowning_times[0] == np.inf
    never = LowRankTeacher([0.1], (80, 40), samples=100, **of).predict_path(0.1, np.inf, [0])
    assert never.detachment_times[0] == np.inf
    assert np.isnan(never.drowning_times[0])


def test_a_threshold_at_rest_separates():
    """By mode; and that of a data set is free of the step."""
    how = {"label_noise": 1.0, "input_variances": TWO, "mode_inputs": [0, 20]}
    for more, batch in [({"samples": 100}, np.inf), ({"samples": 100}, 64), ({}, 64)]:
        model = LowRankTeacher([1.0, 1.0], (80, 40), **how, **more)
        limits = model.predict_path(0.05, batch, [0]).noise_thresholds
        if more and batch == np.inf:
            again = model.predict_path(0.01, batch, [0]).noise_thresholds
            np.testing.assert_allclose(again, limits, rtol=1e-6)
        for factor, seen in [(0.98, 0), (1.02, 2)]:
            ordered = np.sort(factor * limits)[::-1]
            places = [(0, 20)[at] for at in np.argsort(-limits)]
            near = LowRankTeacher(ordered, (80, 40), **how | {"mode_inputs": places}, **more)
            assert near.predict_path(0.05, batch, [1e6]).detached.sum() == seen


def test_one_class_has_the_closed_forms_and_others_say_so():
    for more in ({"input_variances": TWO}, {"samples": 100}):
        path = LowRankTeacher([3.0], (80, 40), **more).predict_path(0.05, 16, [0, 10])
        for name in ("small_step_times", "noise_threshold"):
            with pytest.raises(NoPredictionError, match="one variance"):
                getattr(path, name)
        with pytest.raises(NoPredictionError, match="levels"):
            path.spiked(1)
    with pytest.raises(NoPredictionError, match="widths"):
        path.widths  # noqa: B018
    with pytest.raises(InvalidInputError, match="samples = 40 are as many"):
        LowRankTeacher([3.0], (80, 40), samples=40).predict_path(0.05, 16, [0])
    with pytest.raises(InvalidInputError, match="input_variances of shape"):
        LowRankTeacher([3.0], (80, 40), input_variances=[1.0, 2.0])
    with pytest.raises(InvalidInputError, match="mode_inputs"):
        LowRankTeacher([3.0, 2.0], (80, 40), mode_inputs=[1, 1])


def test_widths_with_two_variances():
    """Between replicas, of a mode among either; and power: without what its row fluctuates."""
    model = LowRankTeacher(
        [6.0, 4.0], (40, 20), label_noise=1.0, input_variances=np.repeat([1.0, 0.3], 10),
        mode_inputs=[0, 10],
    )  # fmt: skip
    how, replicas = {"learning_rate": 0.04, "batch_size": 64}, 600
    run = run_of(model, how, replicas, 60, 30)
    path = model.predict_path(**how, times=run.time.values)
    measured = run.levels.values[:, 1:, :2].std(0)
    allowed = 4 / np.sqrt(2 * replicas) + 1 / 20
    assert (np.abs(measured / path.widths[1:] - 1) < allowed).all()
    still = np.sqrt(path._spikes.level_variances[1:])
    assert (np.abs(measured / still - 1) > allowed).any()
