import numpy as np
import pytest
from scipy.signal import lfilter

from sgdyson.errors import InvalidInputError
from sgdyson.stats import (
    ShortChainError,
    autocorrelation_time,
    mean_along_time,
    mean_over_replicas,
)


def ar1(coefficient, replicas, length, seed):
    """Stationary AR(1) chains; tau = (1 + a)/(1 - a), 19 at a = 0.9."""
    rng = np.random.default_rng(seed)
    start = rng.normal(size=(replicas, 1)) / np.sqrt(1 - coefficient**2)
    noise = rng.normal(size=(replicas, length))
    return lfilter([1], [1, -coefficient], noise, zi=coefficient * start)[0]


@pytest.mark.parametrize("coefficient", [0.9, 0.5, 0.0, -0.3, -0.5, -0.9])
def test_ar1(coefficient):
    """Six pulls below 4: a false alarm in 2600 for all of them, were they normal."""
    tau = (1 + coefficient) / (1 - coefficient)
    estimate = autocorrelation_time(ar1(coefficient, 20, 20000, seed=1))
    assert abs(estimate.pull(tau)) < 4
    assert estimate.error < 0.05 * tau
    # the power of it: the time of a chain a little less, or more, correlated
    for other in (coefficient - 0.05, coefficient + 0.05):
        assert abs(estimate.pull((1 + other) / (1 - other))) > 4
    assert estimate.effective_size == pytest.approx(400000 / max(estimate.value, 1))


@pytest.mark.parametrize("coefficient", [0.5, -0.7])
def test_the_error_of_tau_is_that_of_repeated_measurements(coefficient):
    """200 measurements: the scatter is known to 5 %, the formula promises the leading order."""
    measured = [autocorrelation_time(ar1(coefficient, 2, 2000, seed)) for seed in range(200)]
    scatter = np.std([e.value for e in measured])
    assert np.mean([e.error for e in measured]) == pytest.approx(scatter, rel=0.25)


def test_mean_along_time_covers_and_agrees_with_replicas():
    x = ar1(0.8, 200, 2000, seed=2)
    along, over = mean_along_time(x), mean_over_replicas(x)
    assert along.value == pytest.approx(over.value, rel=1e-12)
    assert along.error == pytest.approx(over.error, rel=4 / np.sqrt(2 * 199))
    pulls = [mean_along_time(chain).pull(0.0) for chain in x]
    assert np.mean(np.abs(pulls) < 1) == pytest.approx(0.683, abs=4 * np.sqrt(0.217 / 200))
    independent = np.abs(x.mean(axis=1)) < x.std() / np.sqrt(2000)  # forgets tau = 9
    assert np.mean(independent) < 0.45


def test_short_chain_is_refused_with_the_estimate():
    x = ar1(0.9, 5, 300, seed=3)
    with pytest.raises(ShortChainError, match="300 records are fewer than 50") as caught:
        autocorrelation_time(x)
    assert 5 < caught.value.estimate.value < 40
    assert autocorrelation_time(x, least_length=5).value == caught.value.estimate.value


def test_one_series_is_one_replica():
    x = ar1(0.5, 1, 5000, seed=4)
    assert autocorrelation_time(x[0]) == autocorrelation_time(x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1.0, np.nan]], "NaN"),
        ([[1.0], [2.0]], "at least 2 records"),
        (np.ones((3, 9)), "never"),
        ([1.0, 2j], "real numbers"),
        (["1", "2"], "real numbers"),
    ],
)
def test_refuses(x, message):
    with pytest.raises(InvalidInputError, match=message):
        autocorrelation_time(x)


@pytest.mark.parametrize(
    "x",
    [
        np.tile([1.0, -1.0], 500),
        np.tile([1.0, 0.0, -1.0, 0.0], 200),
        np.cos(np.pi * 0.93 * np.arange(400)),
        np.diff(np.random.default_rng(0).standard_normal((3, 401))),
        np.random.default_rng(1).integers(0, 2, (2, 500)).astype(bool),
        1e200 * np.random.default_rng(2).standard_normal(500),
    ],
    ids=["alternating", "period 4", "incommensurate", "differences", "truth values", "huge"],
)
def test_tau_is_positive_of_whatever_series(x):
    estimate = autocorrelation_time(x, least_length=1.0)
    assert 0 < estimate.value < 1.5
    assert estimate.effective_size <= np.size(x)


def test_tau_knows_no_origin_and_no_unit():
    x = ar1(-0.5, 2, 5000, seed=5)
    rounded = np.round(x * 2**20) / 2**20  # of which 2^30 takes no digit
    expected = autocorrelation_time(rounded)
    assert autocorrelation_time(rounded + 2.0**30).value == pytest.approx(expected.value, rel=1e-9)
    assert autocorrelation_time(1e-200 * rounded).value == pytest.approx(expected.value, rel=1e-9)


@pytest.mark.parametrize("window", [1.0, 5.0])
def test_the_error_of_tau_is_madras_and_sokals_formula(window):
    """tau sqrt(2(2M + 1)/n), M the first whole number of lags from c tau on."""
    found = autocorrelation_time(ar1(0.5, 20, 2000, seed=4), window)
    lags = ((found.error / found.value) ** 2 * 40_000 / 2 - 1) / 2
    assert lags == pytest.approx(round(lags), abs=1e-6)
    assert lags >= window * found.value > lags - 2  # tau(M) grows with M by less than one here
