"""Ensembles: exact moments, and reduced matrices against dense ones."""

import jax
import numpy as np
import pytest
from scipy import stats

from compared_levels import FALSE_ALARM, smallest_pvalue
from sgdyson.ensembles import (
    CircularEnsemble,
    CoulombGas,
    GaussianEnsemble,
    JacobiEnsemble,
    Quadratic,
    WishartEnsemble,
)
from sgdyson.errors import InvalidInputError
from sgdyson.laws import HardEdge, MarchenkoPastur, PairDensity
from sgdyson.stats import ks_test


def dense_levels(ensemble, size: int, seed: int) -> np.ndarray:
    matrices = ensemble.matrices(size, seed)
    if isinstance(ensemble, CircularEnsemble):
        levels = np.sort(np.angle(np.linalg.eigvals(matrices)), axis=1)
    else:
        levels = np.linalg.eigvalsh(matrices)
    return levels[:, ::2] if ensemble.beta == 4 else levels


def wrong(ensemble):
    """The same, of another beta."""
    values = vars(ensemble) | {"beta": {1: 2, 2: 1, 4: 2}[ensemble.beta]}
    return type(ensemble)(**values)


@pytest.mark.parametrize("beta", [1, 2, 4])
@pytest.mark.parametrize(
    "make",
    [
        lambda beta: GaussianEnsemble(4, beta, 0.7),
        lambda beta: GaussianEnsemble(1, beta),
        lambda beta: WishartEnsemble(3, 5, beta),
        lambda beta: JacobiEnsemble(3, 4, 6, beta),
        lambda beta: CircularEnsemble(4, beta),
    ],
)
def test_reduced_matrices_are_the_dense_ones_in_law(make, beta):
    ensemble = make(beta)
    found = ensemble.eigenvalues(8000, 1)
    assert found.shape == (8000, ensemble.n)
    assert (np.diff(found, axis=1) >= 0).all()
    assert smallest_pvalue(found, dense_levels(ensemble, 8000, 2)) > FALSE_ALARM
    if ensemble.n > 1:
        assert smallest_pvalue(found, dense_levels(wrong(ensemble), 8000, 2)) < FALSE_ALARM


@pytest.mark.parametrize("beta", [0.5, 1, 2, 3.3, 4])
def test_moments_of_the_gaussian_ensemble(beta):
    # E sum x^2/(2 sigma^2) = n/2 + beta n(n-1)/4, and Gamma distributed, by scaling
    n, sigma = 6, 1.3
    half = (GaussianEnsemble(n, beta, sigma).eigenvalues(20_000, 3) ** 2).sum(1) / (2 * sigma**2)
    shape = n / 2 + beta * n * (n - 1) / 4
    assert stats.kstest(half, stats.gamma(shape).cdf).pvalue > FALSE_ALARM
    assert stats.kstest(half, stats.gamma(shape + n / 4).cdf).pvalue < FALSE_ALARM


def test_fourth_moments():
    # dense GOE of sigma^2 = 1: E tr M^4 = n (2 n^2 + 5 n + 5)/4; GUE: n (2 n^2 + 1)
    n = 5
    for beta, exact in ((1, n * (2 * n**2 + 5 * n + 5) / 4), (2, n * (2 * n**2 + 1))):
        fourth = (GaussianEnsemble(n, beta).eigenvalues(40_000, 4) ** 4).sum(axis=1)
        error = fourth.std() / np.sqrt(len(fourth))
        assert abs(fourth.mean() - exact) < 4 * error
        assert abs(fourth.mean() - 1.1 * exact) > 4 * error


def test_a_pair_of_the_orthogonal_ensemble():
    levels = GaussianEnsemble(2, 1, 0.8).eigenvalues(20_000, 5)
    spacing = np.diff(levels, axis=1)[:, 0]
    error = spacing.std() / np.sqrt(len(spacing))
    assert abs(spacing.mean() - np.sqrt(np.pi) * 0.8) < 4 * error
    chosen = levels[np.arange(20_000), np.random.default_rng(0).integers(2, size=20_000)]
    assert ks_test(chosen, PairDensity(0.0, 0.8).cdf).pvalue > FALSE_ALARM
    # of diagonal variance sigma^2/2, as peers have it, the same pair is narrower
    assert abs(spacing.mean() * np.sqrt(3 / 4) - np.sqrt(np.pi) * 0.8) > 4 * error


@pytest.mark.parametrize("beta", [1, 2, 4, 2.5])
def test_moments_of_noise(beta):
    # E tr X = m n; E tr X^2 = m n (m + n + 2/beta - 1), entries of unit variance
    n, m = 4, 7
    levels = WishartEnsemble(n, m, beta).eigenvalues(40_000, 6)
    for found, exact in (
        (levels.sum(1), m * n),
        ((levels**2).sum(1), m * n * (m + n + 2 / beta - 1)),
    ):
        error = found.std() / np.sqrt(len(found))
        assert abs(found.mean() - exact) < 4 * error
        assert abs(found.mean() - 1.03 * exact) > 4 * error


def test_levels_of_noise_follow_their_laws():
    levels = WishartEnsemble(100, 200).eigenvalues(200, 7) / 200
    x = np.linspace(0.1, 2.9, 30)
    found = (levels.ravel()[:, None] <= x).mean(axis=0)
    assert np.abs(found - MarchenkoPastur(0.5).cdf(x)).max() < 0.005
    assert np.abs(found - MarchenkoPastur(0.55).cdf(x)).max() > 0.005
    smallest = WishartEnsemble(60, 60).eigenvalues(4000, 8)[:, 0] * 4 * 60
    assert ks_test(smallest, HardEdge(1, -0.5).cdf).pvalue > FALSE_ALARM
    assert ks_test(smallest, HardEdge(1, 0.0).cdf).pvalue < FALSE_ALARM
    wide = WishartEnsemble(5, 3).eigenvalues(10, 9)
    np.testing.assert_array_equal(wide[:, :2], 0.0)
    assert (wide[:, 2:] > 0).all()


def test_one_level_between_zero_and_one_is_beta_distributed():
    levels = JacobiEnsemble(1, 3, 5).eigenvalues(8000, 1)[:, 0]
    assert stats.kstest(levels, stats.beta(1.5, 2.5).cdf).pvalue > FALSE_ALARM
    assert stats.kstest(levels, stats.beta(2.5, 1.5).cdf).pvalue < FALSE_ALARM


def test_traces_of_unitary_matrices():
    # P. Diaconis and M. Shahshahani: E |tr U^k|^2 = min(k, n); symmetric ones, k = 1: 2 n/(n + 1)
    n = 4
    for beta, power, exact in ((2, 1, 1), (2, 3, 3), (2, 6, 4), (1, 1, 2 * n / (n + 1))):
        angles = CircularEnsemble(n, beta).eigenvalues(30_000, 10)
        trace = np.abs(np.exp(1j * power * angles).sum(axis=1)) ** 2
        error = trace.std() / np.sqrt(len(trace))
        assert abs(trace.mean() - exact) < 4 * error
        assert abs(trace.mean() - 1.1 * exact) > 4 * error


@pytest.mark.parametrize(
    "ensemble",
    [
        GaussianEnsemble(3, 4),
        WishartEnsemble(3, 4, 2),
        JacobiEnsemble(2, 3, 4),
        CircularEnsemble(3, 1),
    ],
)
def test_the_same_random_state_gives_the_same_numbers(ensemble):
    for draw in (ensemble.matrices, ensemble.eigenvalues):
        for state in (7, jax.random.key(7)):
            np.testing.assert_array_equal(draw(3, state), draw(3, state))
        assert not np.array_equal(draw(3, jax.random.key(7)), draw(3, jax.random.key(8)))
        random = np.random.default_rng(1)
        assert not np.array_equal(draw(3, random), draw(3, random))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: GaussianEnsemble(0), "n = 0"),
        (lambda: GaussianEnsemble(2, beta=-1), "beta = -1"),
        (lambda: GaussianEnsemble(2, width=0.0), r"width = 0\.0"),
        (lambda: GaussianEnsemble(2, beta=3).matrices(), "beta = 3"),
        (lambda: GaussianEnsemble(2).eigenvalues(0), "size = 0"),
        (lambda: WishartEnsemble(2, 0), "m = 0"),
        (lambda: JacobiEnsemble(3, 2, 4), "m1 = 2"),
        (lambda: CircularEnsemble(2.5), r"n = 2\.5"),
    ],
)
def test_bad_arguments_are_named(make, named):
    with pytest.raises(InvalidInputError, match=named):
        make()


@pytest.mark.parametrize("random_state", [-1, "a", 1.5, True, [-1], [0.5], {}])
def test_a_seed_that_is_none_is_refused_in_one_sentence(random_state):
    with pytest.raises(InvalidInputError, match=r"random_state = .* must be a whole number"):
        GaussianEnsemble(3).eigenvalues(1, random_state)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.array])
def test_whole_numbers_of_any_type(kind):
    expected = GaussianEnsemble(3, 2).eigenvalues(2, 5)
    levels = GaussianEnsemble(kind(3), kind(2)).eigenvalues(kind(2), kind(5))
    np.testing.assert_array_equal(levels, expected)
    sample = CoulombGas(Quadratic(), kind(1), kind(3)).sample(kind(10), kind(1), chains=kind(4))
    assert sample.levels.shape == (10, 3)
    for bad in (2.5, True, "3", 0):
        with pytest.raises(InvalidInputError, match="must be a whole number"):
            GaussianEnsemble(bad)


@pytest.mark.parametrize(
    "ensemble", [WishartEnsemble(3, 4), JacobiEnsemble(2, 3, 4), CircularEnsemble(3)]
)
def test_draws_of_any_type_of_count(ensemble):
    np.testing.assert_array_equal(
        ensemble.eigenvalues(np.array(2), np.int64(1)), ensemble.eigenvalues(2, 1)
    )
