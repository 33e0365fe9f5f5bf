"""Size and power. Each size test has a false-alarm rate of 1e-4 and a partner that must fail."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.signal import lfilter
from scipy.special import binom
from scipy.stats import kstest, norm

from sgdyson.errors import InvalidInputError
from sgdyson.laws import WignerSurmise
from sgdyson.stats import _anderson_darling as ad
from sgdyson.stats import anderson_darling, ks_test, wigner_ks_test, wigner_test
from sgdyson.stats._weighted_chi2 import weighted_chi2_sf

SCALE = np.sqrt(2 / np.pi)  # the Wigner surmise is a Rayleigh law of this scale and mean 1
ALARM = 1e-4


def surmise(rng, *shape):
    return rng.rayleigh(SCALE, size=shape)


def series_cdf(z):
    """Limit law of A^2, Anderson and Darling, Ann. Math. Stat. 23, 193 (1952)."""
    total = 0.0
    for j in range(6):
        a = (4 * j + 1) ** 2 * np.pi**2 / (8 * z)
        integral = quad(lambda w, a=a: np.exp(z / (8 * (w * w + 1)) - a * w * w - a), 0, np.inf)[0]
        total += (-1) ** j * binom(j - 0.5, j) * (4 * j + 1) * integral
    return np.sqrt(2 * np.pi) / z * total


@pytest.mark.parametrize("z", [0.2, 0.5, 1.0, 1.9329578, 2.4923672, 3.8781250, 6.0])
def test_limit_law_is_the_series_of_anderson_and_darling(z):
    assert weighted_chi2_sf(z, ad.bridge_weights()) == pytest.approx(
        1 - series_cdf(z), abs=3e-4, rel=2e-3
    )


@pytest.mark.parametrize(("z", "chance"), [(1.9329578, 0.1), (2.4923672, 0.05), (3.8781250, 0.01)])
def test_published_percentage_points(z, chance):
    """Marsaglia and Marsaglia, J. Stat. Softw. 9(2) (2004); the grid costs 0.3 %."""
    assert weighted_chi2_sf(z, ad.bridge_weights()) == pytest.approx(chance, rel=5e-3)


def test_eigenvalues_are_those_of_anderson_and_darling():
    found = ad.bridge_weights()[::-1][:5]
    j = np.arange(1, 6)
    np.testing.assert_allclose(found, 1 / (j * (j + 1)), rtol=2e-3)


def test_a_squared_is_its_defining_integral():
    u = np.array([0.1, 0.35, 0.4, 0.8, 0.95])
    cuts = np.r_[0, np.sort(u), 1]
    pieces = [
        quad(lambda v, i=i: (i / 5 - v) ** 2 / (v * (1 - v)), cuts[i], cuts[i + 1])[0]
        for i in range(6)
    ]
    assert ad.a_squared(u) == pytest.approx(5 * sum(pieces))


def test_ks_is_scipys():
    x = np.random.default_rng(1).normal(size=83)
    ours, theirs = ks_test(x, norm.cdf), kstest(x, "norm")
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-12)
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-9)


def uniform(pvalues):
    return kstest(pvalues, "uniform").pvalue > ALARM


SIZE = {
    "ks": lambda x: ks_test(x, norm.cdf),
    "anderson-darling": lambda x: anderson_darling(x, norm.cdf),
}


@pytest.mark.parametrize("test", SIZE)
def test_size_with_a_given_law(test):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(800, 100))
    assert uniform([SIZE[test](row).pvalue for row in x])
    fitted = [SIZE[test]((row - row.mean()) / row.std()).pvalue for row in x]  # Lilliefors
    assert not uniform(fitted)
    assert np.median(fitted) > 0.8


@pytest.mark.parametrize("spacings", [30, 300])
def test_size_of_the_surmise_with_and_without_its_mean(spacings):
    rng = np.random.default_rng(3)
    x = 0.4 * surmise(rng, 800, spacings)
    estimated = [wigner_test(row) for row in x]
    given = [wigner_test(row, mean=0.4) for row in x]
    assert uniform([t.pvalue for t in estimated])
    assert uniform([t.pvalue for t in given])
    assert estimated[0].null != given[0].null
    # the parameter-free law for spacings in units of their own mean: hardly ever a small p-value
    wrong = [wigner_test(row / row.mean(), mean=1.0).pvalue for row in x]
    assert not uniform(wrong)
    assert np.mean(np.array(wrong) < 0.05) < 0.01


def beta_two(rng, *shape):
    """Spacing of 2 x 2 GUE matrices: length of a normal vector in three dimensions."""
    return np.linalg.norm(rng.normal(size=(*shape, 3)), axis=-1) / np.sqrt(8 / np.pi)


@pytest.mark.parametrize("beta", [2, 4])
def test_size_and_power_of_the_surmise_of_every_beta(beta):
    rng = np.random.default_rng(12)
    x = 0.4 * WignerSurmise(beta).rvs((800, 60), rng)
    assert uniform([wigner_test(row, beta=beta).pvalue for row in x])
    assert uniform([wigner_test(row, 0.4, beta).pvalue for row in x])
    assert uniform([wigner_ks_test(row, beta).pvalue for row in x[:300]])
    for other in {1, 2, 4} - {beta}:
        assert not uniform([wigner_test(row, beta=other).pvalue for row in x])
        assert wigner_test(x[:20].ravel(), beta=other).pvalue < 1e-6
        assert wigner_ks_test(x[:20].ravel(), other).pvalue < 1e-3


ALTERNATIVES = {"Poisson": lambda rng, *shape: rng.exponential(size=shape), "beta = 2": beta_two}


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("mean", [None, 1.0])
@pytest.mark.parametrize("shape", [(1200,), (400, 3)])
def test_power(alternative, mean, shape):
    rng = np.random.default_rng(4)
    pvalues = [wigner_test(ALTERNATIVES[alternative](rng, *shape), mean).pvalue for _ in range(50)]
    assert max(pvalues) < 1e-3


def test_power_against_a_wrong_mean():
    x = surmise(np.random.default_rng(5), 2000)
    assert wigner_test(x, mean=1.1).pvalue < 1e-6
    assert wigner_test(x).pvalue > 1e-2


def correlated_surmise(rng, replicas, times, correlation=0.8):
    """Lengths of stationary AR(1) plane vectors: the surmise at each time, correlated in time."""
    step = np.sqrt(1 - correlation**2)
    start = rng.normal(size=(2, replicas, 1))
    noise = step * rng.normal(size=(2, replicas, times))
    vector = lfilter([1], [1, -correlation], noise, zi=correlation * start)[0]
    return SCALE * np.hypot(*vector)


@pytest.mark.parametrize("mean", [None, 1.0])
def test_size_of_correlated_spacings(mean):
    """Replicas as rows: uniform p-values. The same spacings as if independent: far too small."""
    rng = np.random.default_rng(6)
    data = [correlated_surmise(rng, 300, 10) for _ in range(400)]
    clustered = [wigner_test(x, mean) for x in data]
    flat = [wigner_test(x.ravel(), mean).pvalue for x in data]
    assert uniform([t.pvalue for t in clustered])
    assert not uniform(flat)
    assert np.mean(np.array(flat) < 0.01) > 0.01 + 4 * np.sqrt(0.01 / 400)
    assert 300 < np.mean([t.effective_size for t in clustered]) < 3000


def test_clustering_costs_nothing_where_there_is_none():
    """Independent samples in rows: nearly the statistic, p-value and size of a flat list."""
    x = surmise(np.random.default_rng(7), 2000, 5)
    for mean in (None, 1.0):
        rows, flat = wigner_test(x, mean), wigner_test(x.ravel(), mean)
        assert rows.effective_size == pytest.approx(flat.effective_size, rel=0.1)
        assert rows.statistic == pytest.approx(flat.statistic, rel=0.15)
        assert rows.pvalue == pytest.approx(flat.pvalue, abs=0.1)


def test_fewest_replicas_keep_the_size():
    """With 50 replicas the covariance is known to 20 %: the rate at 5 % stays within 3.5 to 8 %."""
    rng = np.random.default_rng(8)
    rate = np.mean([wigner_test(correlated_surmise(rng, 50, 4)).pvalue < 0.05 for _ in range(1500)])
    assert 0.035 < rate < 0.08


def test_effective_size_of_ks_guards_repeated_samples():
    rng = np.random.default_rng(9)
    x = rng.normal(size=(1000, 100)).repeat(3, axis=1)
    guarded = [ks_test(row, norm.cdf, effective_size=100).pvalue for row in x]
    assert np.mean(np.array(guarded) < 0.05) == pytest.approx(0.05, abs=4 * 0.007)
    assert np.mean([ks_test(row, norm.cdf).pvalue < 0.05 for row in x]) > 0.3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wigner_test([1.0, np.nan]), "NaN"),
        (lambda: wigner_test([1.0, -1.0]), "larger level minus"),
        (lambda: wigner_test([1.0, 2.0], mean=0.0), "mean = 0.0"),
        (lambda: wigner_test(np.ones((20, 5))), "20 replicas are too few"),
        (lambda: wigner_test(np.tile([[1.0, 2.0]], (60, 1))), "60 replicas are alike"),
        (lambda: wigner_test(np.ones((60, 5, 2))), r"shape \(60, 5, 2\)"),
        (lambda: anderson_darling([1.0, 2.0], norm.logcdf), "probabilities"),
        (lambda: ks_test([1.0, 2.0], norm.cdf, effective_size=3), "at most 2"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(InvalidInputError, match=message):
        call()
