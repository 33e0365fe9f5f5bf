"""Power laws with a cut-off: the likelihood, the exact test beside the plain law, its power."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, chi2

from sgdyson.spectra import fit_tail, spectrum
from sgdyson.spectra._truncated import _density, fit_truncated


def plain(random, size, exponent):
    """Levels over their start, the start first, as a tail has it."""
    drawn = (1 - random.random(size - 1)) ** (-1 / (exponent - 1))
    return np.sort(np.append(drawn, 1.0))


def cut(random, size, exponent, rate):
    """By rejection of levels of the plain law."""
    kept = np.empty(0)
    while len(kept) < size - 1:
        drawn = plain(random, 20 * size, exponent)[1:]
        kept = np.append(kept, drawn[random.random(len(drawn)) < np.exp(-rate * (drawn - 1))])
    return np.sort(np.append(random.permutation(kept)[: size - 1], 1.0))


def fit(ratios, draws=200, seed=0):
    return fit_truncated(ratios, 1 + len(ratios) / np.log(ratios).sum(), draws, seed)


def integral(function, alpha, rate):
    """Of a function times the density over all levels, piece by piece."""
    end = 1 + (60 + 60 * max(-alpha, 0)) / rate
    edges = [1.0, *(1 + 10.0**k for k in range(-2, 10) if 1 + 10.0**k < end), end]
    return sum(
        quad(lambda y: function(y) * y**-alpha * np.exp(-rate * (y - 1)), *piece,
             epsabs=0, epsrel=1e-11)[0]
        for piece in pairwise(edges)
    )  # fmt: skip


LAWS = [(1.5, 1e-3), (2.5, 0.1), (0.0, 0.5), (-20.0, 30.0), (50.0, 0.2), (3.0, 1e-9)]


@pytest.mark.parametrize(("alpha", "rate"), LAWS)
def test_the_normalisation_is_the_generalised_exponential_integral(alpha, rate):
    norm = integral(lambda y: 1.0, alpha, rate)
    t, share, log_norm = _density(alpha, rate)
    assert log_norm == pytest.approx(np.log(norm), abs=1e-9)
    assert share @ t == pytest.approx(integral(np.log, alpha, rate) / norm, rel=1e-7)


def test_the_numbers_of_the_package_powerlaw():
    powerlaw = pytest.importorskip("powerlaw")
    ratios = cut(np.random.default_rng(0), 300, 2.0, 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = powerlaw.Fit(ratios, xmin=1.0, verbose=False)
        law = theirs.truncated_power_law
        ratio, _ = theirs.distribution_compare("truncated_power_law", "power_law", nested=True)
    mine = fit(ratios)
    assert mine.exponent.value == pytest.approx(law.alpha, abs=1e-4)
    assert mine.rate.value == pytest.approx(law.Lambda, rel=1e-3)
    assert mine.log_ratio == pytest.approx(ratio, abs=1e-5)
    assert mine.log_ratio >= ratio - 1e-12  # the most likely one is ours


def test_no_law_of_the_family_is_more_likely():
    random = np.random.default_rng(1)
    ratios = cut(random, 100, 1.5, 0.02)
    mine = fit(ratios)

    def likelihood(alpha, rate):
        log_norm = _density(alpha, rate)[2]
        return float(np.sum(-alpha * np.log(ratios) - rate * (ratios - 1) - log_norm))

    best = likelihood(mine.exponent.value, mine.rate.value)
    for step in np.array([[1, 0], [0, 1], [1, 1], [1, -1]]) * [0.05, 0.002]:
        for sign in (1, -1):
            near = np.array([mine.exponent.value, mine.rate.value]) + sign * step
            assert likelihood(*near) < best


@pytest.mark.parametrize("exponent", [1.5, 2.5, 4.0])
def test_false_alarms_are_as_many_as_it_says(exponent):
    """With a variance and without: 300 tails, each rate within four standard deviations."""
    random = np.random.default_rng(2)
    found = np.array([fit(plain(random, 60, exponent), 199, n).pvalue for n in range(300)])
    for rate in (0.05, 0.2, 0.5):
        assert abs(np.sum(found <= rate) - 300 * rate) < 4 * (300 * rate * (1 - rate)) ** 0.5


def test_false_alarms_of_the_shortest_tails():
    """Of five levels, where it matters that the first one is the start, and not drawn."""
    random = np.random.default_rng(6)
    found = np.array([fit(plain(random, 5, 2.5), 99, n).pvalue for n in range(1500)])
    for rate in (0.1, 0.5):
        assert abs(np.sum(found <= rate) - 1500 * rate) < 4 * (1500 * rate * (1 - rate)) ** 0.5


def test_a_fitted_start_raises_no_false_alarms():
    """Of levels with a body below the tail, the start of which is found from the same levels."""
    random, alarms = np.random.default_rng(7), 0
    for seed in range(150):
        levels = np.append(random.random(100), plain(random, 101, 2.5)[1:])
        alarms += fit_tail(levels, 5, seed).truncated.pvalue <= 0.05
    assert binom.sf(alarms - 1, 150, 0.05) > 1e-3


def test_the_mixture_of_chi_squares_would_raise_false_alarms():
    """Why the test is another one: of 300 tails without a variance twice as many as it says."""
    random = np.random.default_rng(3)
    ratios = [fit(plain(random, 200, 1.5), 1).log_ratio for _ in range(300)]
    alarms = int(np.sum(chi2.sf(2 * np.array(ratios), 1) / 2 <= 0.05))
    assert binom.sf(alarms - 1, 300, 0.05) < 1e-3


def test_a_cut_off_is_found_and_its_errors_hold():
    random = np.random.default_rng(4)
    found = [fit(cut(random, 200, 2.0, 0.1), 99, n) for n in range(100)]
    assert np.mean([f.pvalue <= 0.05 for f in found]) > 0.6
    assert abs(np.mean([f.exponent.pull(2.0) for f in found])) < 0.4
    assert 0.6 < np.std([f.exponent.pull(2.0) for f in found]) < 1.3
    pulls = [f.rate.pull(0.1) for f in found if f.rate]
    assert abs(np.mean(pulls)) < 0.5
    assert 0.6 < np.std(pulls) < 1.4


def test_levels_longer_than_the_plain_law_has_them_have_no_cut_off():
    ratios = np.append(np.linspace(1, 1.5, 60), 50.0)
    found = fit(ratios)
    assert found.rate is None
    assert found.log_ratio == 0
    assert found.exponent.value == pytest.approx(1 + 61 / np.log(ratios).sum())
    assert found.pvalue > 0.9


@pytest.mark.parametrize(
    "ratios",
    [1 + 1e-7 * np.arange(6.0), np.append(np.ones(20), 1e300), 10.0 ** np.linspace(0, 300, 40)],
    ids=["near", "far", "decades"],
)
def test_levels_too_near_or_too_far_have_none(ratios):
    assert fit(ratios) is None


@pytest.mark.parametrize("end", [1.0001, 1e3, 1e60])
def test_evenly_spread_logarithms_are_cut_off(end):
    """Over any number of decades: they end, where a power law goes on."""
    found = fit(np.geomspace(1, end, 200))
    assert found.pvalue < 0.01
    assert found.rate.value * end > 0.5


def test_a_matrix_has_both_and_its_units():
    random = np.random.default_rng(5)
    levels = cut(random, 150, 2.0, 0.3)
    small, large = (spectrum("w", unit * np.diag(levels**0.5), tail=True) for unit in (1.0, 1e20))
    assert small.tail.start == pytest.approx(fit_tail(levels, 10).start)
    row, other = small.to_row(), large.to_row()
    assert row["cutoff_pvalue"] == other["cutoff_pvalue"] < 0.05
    assert other["cutoff_rate"] * 1e40 == pytest.approx(row["cutoff_rate"])
    assert other["cutoff_exponent"] == pytest.approx(row["cutoff_exponent"])
    assert spectrum("w", np.diag(levels), tail=True, tail_draws=0).tail.truncated is None
