"""Laws against oracles: total mass, derivatives, exact moments, direct matrices."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

from sgdyson.errors import InvalidInputError
from sgdyson.laws import GaussianEnsembleDensity, Law, PairDensity, Semicircle, WignerSurmise
from sgdyson.stats import ks_test

LAWS = [
    WignerSurmise(1),
    WignerSurmise(2),
    WignerSurmise(4),
    PairDensity(1.5, 0.3),
    Semicircle(2.5),
    *(GaussianEnsembleDensity(n, 1, 0.7) for n in (1, 2, 3, 4, 16, 64)),
]


def names(law: Law) -> str:
    return repr(law)


def integral(law: Law, function) -> float:
    low, high = law.support
    nodes, weights = np.polynomial.legendre.leggauss(4000)
    x = (low + high) / 2 + (high - low) / 2 * nodes
    return float((high - low) / 2 * np.sum(weights * function(x) * law.pdf(x)))


@pytest.mark.parametrize("law", LAWS, ids=names)
class TestEveryLaw:
    def test_mass_mean_and_variance_are_integrals_of_the_density(self, law):
        # the semicircle's square-root edges limit the quadrature
        assert integral(law, np.ones_like) == pytest.approx(1, abs=1e-8)
        assert integral(law, lambda x: x) == pytest.approx(law.mean(), abs=1e-8)
        square = integral(law, lambda x: (x - law.mean()) ** 2)
        assert square == pytest.approx(law.var(), abs=1e-8)

    def test_cdf_is_the_integral_of_the_density(self, law):
        points = np.linspace(*law.support, 9)[1:-1]
        for low, high in pairwise(points):
            area = integrate.quad(law.pdf, low, high, epsabs=1e-12, limit=400)[0]
            assert float(law.cdf(high) - law.cdf(low)) == pytest.approx(area, abs=1e-8)

    def test_ppf_undoes_cdf(self, law):
        q = np.linspace(0.001, 0.999, 41)
        np.testing.assert_allclose(law.cdf(law.ppf(q)), q, atol=1e-9)

    def test_draws_follow_the_law_and_repeat(self, law):
        draws = law.rvs(4000, random_state=1)
        assert ks_test(draws, law.cdf).pvalue > 1e-4
        np.testing.assert_array_equal(draws, law.rvs(4000, random_state=1))
        # the same test, the same draws, a law 10 % too wide about its mean
        wide = law.mean() + 1.1 * (draws - law.mean())
        assert ks_test(wide, law.cdf).pvalue < 0.05

    def test_probabilities_outside_zero_and_one_are_refused(self, law):
        with pytest.raises(InvalidInputError, match=r"1\.5"):
            law.ppf(1.5)


def goe_levels(n: int, size: int, seed: int) -> np.ndarray:
    """Levels of dense GOE matrices with off-diagonal variance 1/2: sigma = 1."""
    a = np.random.default_rng(seed).standard_normal((size, n, n))
    return np.linalg.eigvalsh((a + a.mT) / 2)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_finite_density_is_that_of_dense_matrices(n):
    # one random level of each matrix: independent draws from the one-level density
    levels = goe_levels(n, 60_000, seed=n)
    chosen = levels[np.arange(len(levels)), np.random.default_rng(0).integers(n, size=len(levels))]
    assert ks_test(chosen, GaussianEnsembleDensity(n).cdf).pvalue > 1e-4
    assert ks_test(chosen, GaussianEnsembleDensity(n + 1).cdf).pvalue < 1e-6
    assert ks_test(chosen, Semicircle(np.sqrt(2 * n)).cdf).pvalue < 1e-6


def test_two_levels_are_the_pair_density():
    x = np.linspace(-4, 4, 101)
    np.testing.assert_allclose(
        GaussianEnsembleDensity(2, 1, 0.8).pdf(x), PairDensity(0.0, 0.8).pdf(x), atol=1e-14
    )


def test_many_levels_are_the_semicircle():
    x = np.linspace(-0.9, 0.9, 1001)
    for n in (50, 200, 500):
        exact = GaussianEnsembleDensity(n, 1, 1 / np.sqrt(2 * n)).cdf(x)
        # the smooth correction is of the order of one level in n
        assert np.abs(exact - Semicircle(1.0).cdf(x)).max() < 1.0 / n


def test_spacing_of_dense_pairs_is_the_surmise():
    spacing = np.diff(goe_levels(2, 20_000, seed=9), axis=1)[:, 0] / np.sqrt(np.pi)
    assert ks_test(spacing, WignerSurmise(1).cdf).pvalue > 1e-4
    assert ks_test(spacing, WignerSurmise(2).cdf).pvalue < 1e-10


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda: WignerSurmise(3), "3"),
        (lambda: PairDensity(0.0, -1.0), "-1.0"),
        (lambda: PairDensity(np.nan, 1.0), "nan"),
        (lambda: Semicircle(0.0), "0.0"),
        (lambda: GaussianEnsembleDensity(0), "0"),
        (lambda: GaussianEnsembleDensity(2, beta=3), "3"),
    ],
)
def test_bad_parameters_are_named(make, value):
    with pytest.raises(InvalidInputError, match=value):
        make()
