"""Noise whose columns differ in variance: against one variance, and against draws."""

import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.laws import LargestLevel
from sgdyson.spectra import ColumnNoise, SpikedModel

SHAPE, COUNTS, VARIANCES = (60, 40), [15, 25], [1.0, 0.05]


def draws(directions, replicas, seed=0):
    """Singular vectors and values of matrices with a direction in their first row."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal((replicas, *SHAPE)) * np.sqrt(np.repeat(VARIANCES, COUNTS))
    noise[:, 0] += directions
    return np.linalg.svd(noise, full_matrices=False)


def test_one_variance_is_the_spiked_model():
    spiked = SpikedModel([30.0, 15.0, 10.0], (160, 80), 1.3)
    # three classes of one variance are one
    for counts, share in [([80.0], [1.0]), ([20.0, 50.0, 10.0], [0.2, 0.5, 0.3])]:
        noise = ColumnNoise(160, counts, [1.3] * len(counts))
        spikes = noise.spikes(spiked.strengths[:, None] ** 2 * share)
        along = spiked.strengths[:, None] * share
        assert noise.edge == pytest.approx(spiked.edge)
        np.testing.assert_array_equal(spikes.detached, spiked.detached)
        np.testing.assert_allclose(spikes.levels, spiked.levels)
        np.testing.assert_allclose(spikes.level_variances, spiked.level_variances)
        np.testing.assert_allclose(spikes.left_overlaps, spiked.left_overlaps)
        np.testing.assert_allclose(spikes.right_overlaps(along), spiked.right_overlaps)
        law = LargestLevel.of_singular_values((160, 80), 1.3**0.5)
        assert noise.largest().centre == pytest.approx(law.centre)
        assert noise.largest().scale == pytest.approx(law.scale)


@pytest.mark.parametrize("parts", [(120.0, 0.0), (0.0, 250.0), (60.0, 60.0)])
def test_levels_widths_and_overlaps_are_those_of_draws(parts):
    direction = np.zeros(SHAPE[1])
    direction[[0, 30]] = np.sqrt(parts)
    replicas = 1500
    left, values, right = draws(direction, replicas)
    weights = np.array([parts])
    spikes = ColumnNoise(SHAPE[0], COUNTS, VARIANCES).spikes(weights)
    unit = direction / np.linalg.norm(direction)
    measured = [
        values[:, 0],
        left[:, 0, 0] ** 2,
        (right[:, 0] @ unit) ** 2,
    ]
    along = weights / np.sqrt(weights.sum())
    predicted = [spikes.levels[0], spikes.left_overlaps[0], spikes.right_overlaps(along)[0]]
    # of leading order in 1/N, N = 40
    allowed = [spikes.levels[0] / 40, 2 / 40, 2 / 40]
    white = SpikedModel(
        [float(np.linalg.norm(direction))], SHAPE, float(np.average(VARIANCES, weights=COUNTS))
    )
    wrong = [white.levels[0], white.left_overlaps[0], white.right_overlaps[0]]
    off = []
    for numbers, expected, other, most in zip(measured, predicted, wrong, allowed, strict=True):
        error = numbers.std() / np.sqrt(replicas)
        assert abs(numbers.mean() - expected) < 4 * error + most
        off.append(abs(numbers.mean() - other) > 4 * error + most)
    assert any(off)  # power: the law of one variance, the mean, is rejected
    width = np.sqrt(spikes.level_variances[0])
    assert values[:, 0].std() == pytest.approx(width, rel=4 / np.sqrt(2 * replicas) + 2 / 40)


def test_slopes_are_derivatives():
    noise = ColumnNoise(60, COUNTS, VARIANCES)
    weights, step = np.array([150.0, 100.0]), 1e-3
    moved = noise.spikes(weights + step * np.eye(2)).levels - noise.spikes(weights[None]).levels
    np.testing.assert_allclose(noise.spikes(weights[None]).slopes[0], moved / step, rtol=1e-5)


def test_a_direction_below_the_threshold_is_not_seen():
    """On both sides of it, in the draws too."""
    noise = ColumnNoise(SHAPE[0], COUNTS, VARIANCES)
    critical = 1 / (noise.spikes(np.array([[1.0, 0.0]])).excess[0] + 1)
    for factor, seen in [(0.2, False), (5.0, True)]:
        weights = np.array([[factor * critical, 0.0]])
        assert noise.spikes(weights).detached[0] == seen
        direction = np.zeros(SHAPE[1])
        direction[0] = np.sqrt(weights[0, 0])
        overlaps = draws(direction, 200)[0][:, 0, 0] ** 2
        assert (overlaps.mean() > 0.3) == seen


def test_the_largest_level_of_noise():
    """Its law at three quantiles, 4 errors; and power: that of one variance, the mean."""
    replicas = 2000
    values = draws(np.zeros(SHAPE[1]), replicas)[1][:, 0]
    law = ColumnNoise(SHAPE[0], COUNTS, VARIANCES).largest()
    variance = float(np.average(VARIANCES, weights=COUNTS))
    white = LargestLevel.of_singular_values(SHAPE, variance**0.5)
    for q in (0.1, 0.5, 0.9):
        error = np.sqrt(q * (1 - q) / replicas)
        assert abs((values < law.ppf(q)).mean() - q) < 4 * error + 0.02
        assert abs((values < white.ppf(q)).mean() - q) > 4 * error + 0.02


def test_many_matrices_at_once_are_each_alone():
    variances = np.array([[1.0, 0.1], [0.3, 2.0], [0.0, 0.0]])
    weights = np.array([[[200.0, 1.0]], [[30.0, 300.0]], [[4.0, 0.0]]])
    both = ColumnNoise(60, COUNTS, variances)
    for at in range(3):
        alone = ColumnNoise(60, COUNTS, variances[at])
        assert both.edge[at] == pytest.approx(alone.edge)
        expected = alone.spikes(weights[at]).levels
        np.testing.assert_allclose(both.spikes(weights).levels[at], expected)
    assert both.largest(0) == ColumnNoise(60, COUNTS, variances[0]).largest()
    assert both.spikes(weights).levels[2, 0] == pytest.approx(2.0)  # without noise its strength


def test_what_is_refused():
    with pytest.raises(InvalidInputError, match="last axis"):
        ColumnNoise(60, [20, 20], [1.0])
    with pytest.raises(InvalidInputError, match="not negative"):
        ColumnNoise(60, [20, 20], [1.0, -1.0])
    with pytest.raises(InvalidInputError, match="positive"):
        ColumnNoise(60, [20, 0], [1.0, 1.0])
