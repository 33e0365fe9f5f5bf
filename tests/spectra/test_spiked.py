"""The transition of Baik, Ben Arous and Peche, against draws on both sides of the threshold.

One direction is brought to the first entry by rotations, which leave the noise as it is; the noise
then is that of the bidiagonal, or tridiagonal, matrices of Dumitriu and Edelman.
"""

import numpy as np
import pytest
from scipy.linalg import eigvalsh_tridiagonal

from sgdyson.errors import InvalidInputError
from sgdyson.laws import Gaussian, LargestLevel
from sgdyson.spectra import SpikedModel
from sgdyson.stats import ks_test

SHAPE = (900, 600)


def largest(diagonal, off):
    last = len(diagonal) - 1
    return eigvalsh_tridiagonal(diagonal, off, select="i", select_range=(last, last))[0]


def singular_value(random, theta, shape):
    """The largest of a noise of variance 1 with theta in its first entry."""
    m, n = shape
    diagonal = np.sqrt(random.chisquare(m - np.arange(n)))
    above = np.sqrt(random.chisquare(n - 1 - np.arange(n - 1)))
    below = np.sqrt(random.chisquare(m - 1)) if m > 1 else 0.0
    diagonal[0] = np.hypot(theta + random.standard_normal(), below)
    squares = diagonal**2 + np.concatenate([[0.0], above**2])
    return np.sqrt(largest(squares, diagonal[:-1] * above))


def eigenvalue(random, theta, n):
    diagonal = np.sqrt(2) * random.standard_normal(n)
    diagonal[0] += theta
    return largest(diagonal, np.sqrt(random.chisquare(n - 1 - np.arange(n - 1))))


def draws(spiked, number, seed):
    random, unit = np.random.default_rng(seed), np.sqrt(spiked.variance)
    theta = spiked.strengths[0] / unit
    if spiked.symmetric:
        return unit * np.array([eigenvalue(random, theta, spiked.shape[0]) for _ in range(number)])
    return unit * np.array([singular_value(random, theta, spiked.shape) for _ in range(number)])


def test_the_reduction_is_that_of_dense_matrices():
    random, theta, shape = np.random.default_rng(0), 9.0, (30, 20)
    noise = random.standard_normal((2000, *shape))
    noise[:, 0, 0] += theta
    dense = np.linalg.norm(noise, 2, axis=(1, 2))
    reduced = [singular_value(random, theta, shape) for _ in range(2000)]
    assert (
        ks_test(np.sort(dense), lambda x: np.searchsorted(np.sort(reduced), x) / 2000).statistic
        < 0.055
    )


@pytest.mark.parametrize("symmetric", [False, True], ids=["rectangular", "symmetric"])
@pytest.mark.parametrize("ratio", [1.7, 3.0])
def test_above_the_threshold_the_level_is_gaussian(symmetric, ratio):
    shape = (SHAPE[1], SHAPE[1]) if symmetric else SHAPE
    threshold = SpikedModel([1.0], shape, 0.04, symmetric).threshold
    spiked = SpikedModel([ratio * threshold], shape, 0.04, symmetric)
    x, law = draws(spiked, 600, seed=1), spiked.law()
    assert isinstance(law, Gaussian)
    error = law.std() / np.sqrt(len(x))
    assert x.mean() == pytest.approx(law.mean(), abs=4 * error)
    assert x.var() == pytest.approx(law.var(), rel=4 * np.sqrt(2 / len(x)))
    assert ks_test(x, law.cdf).pvalue > 1e-3
    # power: the strength itself, without what the noise adds; half the variance
    assert abs(x.mean() - spiked.strengths[0]) > 40 * error
    assert ks_test(x, Gaussian(law.mean(), law.std() / np.sqrt(2)).cdf).pvalue < 1e-3


def test_every_term_of_the_variance_above_the_threshold():
    """24 000 draws: a variance without mu, or without nu, 7 and 14 % less, is rejected."""
    shape = (200, 100)
    spiked = SpikedModel([2 * SpikedModel([1.0], shape).threshold], shape)
    x = draws(spiked, 24_000, seed=6)
    allowed = 4 * np.sqrt(2 / len(x)) + 2 / min(shape)  # and what is neglected, of order 1/N
    variance = float(spiked.level_variances[0])
    assert abs(x.var() / variance - 1) < allowed
    mu, nu = (side / spiked.strengths[0] ** 2 for side in shape)
    for missing in (mu, nu):
        assert abs(x.var() / (variance * (1 - missing / (2 + mu + nu))) - 1) > allowed


@pytest.mark.parametrize("symmetric", [False, True], ids=["rectangular", "symmetric"])
def test_below_the_threshold_the_level_is_that_of_noise(symmetric):
    shape = (SHAPE[1], SHAPE[1]) if symmetric else SHAPE
    threshold = SpikedModel([1.0], shape, 0.04, symmetric).threshold
    spiked = SpikedModel([0.5 * threshold], shape, 0.04, symmetric)
    x, law = draws(spiked, 600, seed=2), spiked.law()
    assert isinstance(law, LargestLevel)
    assert ks_test(x, law.cdf).pvalue > 1e-3
    assert ks_test(x, Gaussian(spiked.edge, law.std()).cdf).pvalue < 1e-3
    above = SpikedModel([1.7 * threshold], shape, 0.04, symmetric)
    assert ks_test(draws(above, 60, seed=3), law.cdf).pvalue < 1e-8


def test_levels_and_overlaps_of_several_directions():
    """Two that are seen and one that is not, in dense matrices with vectors."""
    random, shape, strengths = np.random.default_rng(4), (240, 120), [40.0, 24.0, 5.0]
    spiked = SpikedModel(strengths, shape)
    u, v = (np.linalg.qr(random.standard_normal((side, 3)))[0] for side in shape)
    levels, left, right = [], [], []
    for _ in range(60):
        a, s, bt = np.linalg.svd((u * strengths) @ v.T + random.standard_normal(shape), False)
        levels.append(s[:3])
        left.append(np.einsum("ik,ik->k", a[:, :3], u) ** 2)
        right.append(np.einsum("ki,ik->k", bt[:3], v) ** 2)
    for seen, predicted in [(levels, spiked.levels), (left, spiked.left_overlaps),
                            (right, spiked.right_overlaps)]:  # fmt: skip
        error = np.std(seen, axis=0) / np.sqrt(60)
        # of leading order: what is left out is O(1/N) of the value
        assert (np.abs(np.mean(seen, axis=0) - predicted)[:2] < 4 * error[:2] + 1 / 120).all()
    assert (abs(spiked.left_overlaps - spiked.right_overlaps)[:2] > 0.03).all()  # told apart
    assert np.mean(left, axis=0)[2] < 0.05
    assert spiked.detached.tolist() == [True, True, False]
    assert spiked.law(2).mean() == pytest.approx(np.mean(levels, axis=0)[2], rel=0.01)


def test_the_wall_of_the_transition_is_seen_from_both_sides():
    spiked = SpikedModel([2.0], (60, 30), 0.1)
    at = SpikedModel([spiked.threshold * (1 + 1e-9)], (60, 30), 0.1)
    assert at.levels[0] == pytest.approx(at.edge)
    assert at.left_overlaps[0] == pytest.approx(0, abs=1e-8)
    assert at.level_variances[0] == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"strengths": [1.0, 2.0], "shape": (9, 9)}, "descending"),
        ({"strengths": [-1.0], "shape": (9, 9)}, "positive"),
        ({"strengths": [np.nan], "shape": (9, 9)}, "NaN"),
        ({"strengths": [3.0, 2.0, 1.0], "shape": (9, 2)}, "has 2 levels"),
        ({"strengths": [1.0], "shape": (9, 8), "symmetric": True}, "not symmetric"),
        ({"strengths": [1.0], "shape": (9, 8), "variance": 0.0}, "variance"),
    ],
)  # fmt: skip
def test_what_is_refused(arguments, says):
    with pytest.raises(InvalidInputError, match=says):
        SpikedModel(**arguments)


def test_laws_that_are_not_known_are_refused():
    shape = (400, 400)
    with pytest.raises(InvalidInputError, match="next to the threshold"):
        SpikedModel([20.5], shape).law()
    with pytest.raises(InvalidInputError, match="repel"):
        SpikedModel([50.0, 50.0], shape).law(1)
    with pytest.raises(InvalidInputError, match="not the first below"):
        SpikedModel([50.0, 3.0, 2.0], shape).law(2)
    assert SpikedModel([50.0, 3.0, 2.0], shape).law(1) == LargestLevel.of_singular_values(
        (399, 399)
    )
