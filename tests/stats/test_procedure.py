"""Procedures of statistics: what is drawn, what is counted, what is taken as estimated."""

import numpy as np
import pytest
from scipy import stats

from sgdyson.stats import anderson_darling, bootstrap, fitted_law_test, wigner_ks_test
from sgdyson.stats._anderson_darling import a_squared


@pytest.mark.parametrize("resamples", [2, 50])
def test_a_bootstrap_is_of_all_replicas_and_reports_the_statistic_of_the_data(resamples):
    data = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]])
    seen = []

    def statistic(sample):
        seen.append(sample.copy())
        return float(sample[:, 0].max())

    found = bootstrap(statistic, data, resamples=resamples, seed=3)
    drawn = [s for s in seen if not np.array_equal(s, data)]
    assert len(seen) == resamples + 1
    assert all(s.shape == data.shape for s in drawn)
    assert all((s[:, 1] == 10 * s[:, 0]).all() for s in drawn)  # whole replicas
    values = [s[:, 0].max() for s in seen]
    values.remove(8.0)  # of the data themselves
    assert found.value == 8.0
    assert found.error == pytest.approx(np.std(values, ddof=1))
    if resamples == 50:  # each of four is missing in a resample by (3/4)^4 = 0.32
        assert {float(x) for s in drawn for x in s[:, 0]} == {1.0, 2.0, 4.0, 8.0}
        assert 5 <= sum(8.0 not in s for s in drawn) <= 30


def test_no_p_value_of_drawn_excursions_is_zero():
    """The data count as one more draw: 10 000 of them that are all smaller make 1/10001."""
    spacings = np.random.default_rng(0).uniform(0.99, 1.01, 500)
    assert wigner_ks_test(spacings).pvalue == pytest.approx(1 / 10_001)


def test_independent_samples_of_a_replica_count_each():
    """60 replicas of 8; the same 60 said eight times over are 60."""
    random = np.random.default_rng(1)
    independent = stats.rayleigh.rvs(size=(60, 8), random_state=random)
    allowed = 4 * np.sqrt(2 / 59)  # relative; a variance between 60 replicas is known to 18 %
    assert wigner_ks_test(independent).effective_size == pytest.approx(480, rel=allowed)
    repeated = np.repeat(independent[:, :1], 8, axis=1)
    assert wigner_ks_test(repeated).effective_size == pytest.approx(60, rel=allowed)


def test_one_sample_a_replica_is_a_list_of_independent_ones():
    x = np.random.default_rng(2).uniform(size=40)  # fewer than replicas would have to be
    assert anderson_darling(x[:, None], stats.uniform.cdf) == anderson_darling(x, stats.uniform.cdf)


def test_what_is_expected_of_a_fitted_law_is_what_samples_of_it_do():
    """A^2 of normal samples in units of their own mean and width, by 600 draws of 200."""
    random = np.random.default_rng(4)
    x = random.standard_normal((600, 200))
    z = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    drawn = np.array([a_squared(u) for u in stats.norm.cdf(z)])
    error = drawn.std() / len(drawn) ** 0.5
    samples = random.standard_normal(6000)
    found = fitted_law_test(samples, stats.norm(), "centre and scale")
    expected = len(samples) / found.effective_size
    assert abs(expected - drawn.mean()) < 4 * error + 0.03 < 0.1
