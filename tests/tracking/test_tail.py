"""Power laws in the tail: the numbers of `powerlaw`, and a p-value that means what it says."""

import warnings

import numpy as np
import pytest
from scipy.stats import binom

from sgdyson.errors import InvalidInputError
from sgdyson.spectra._tail import _draw_once
from sgdyson.tracking import fit_tail


def pareto(size, exponent, seed=0):
    return (1 - np.random.default_rng(seed).random(size)) ** (-1 / (exponent - 1))


def mixture(seed=0):
    body = np.random.default_rng(seed).random(150)
    return np.concatenate([body, pareto(150, 3.0, seed)])


SAMPLES = {
    "pareto": pareto(200, 2.5),
    "steep": pareto(150, 4.5),
    "mixture": mixture(),
    "noise": np.linalg.svd(np.random.default_rng(0).normal(size=(120, 100)), compute_uv=False) ** 2,
    "repeated": np.repeat(pareto(60, 2.5), 2),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_numbers_of_the_package_powerlaw(name):
    powerlaw = pytest.importorskip("powerlaw")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # version 2 bounds the exponent by 3 unless it is told not to
        exact = powerlaw.Fit(SAMPLES[name], verbose=False, parameter_ranges={"alpha": [1.0, 1e3]})
        error = exact.power_law.standard_err
    found = fit_tail(SAMPLES[name], draws=0)
    assert found.start == pytest.approx(exact.xmin, rel=1e-12)
    assert found.exponent.value == pytest.approx(exact.alpha, rel=1e-9)
    assert found.exponent.error == pytest.approx(error, rel=1e-9)
    assert found.distance == pytest.approx(exact.D, rel=1e-9)
    assert found.pvalue is None


def test_the_exponent_within_its_error():
    pulls = [fit_tail(pareto(300, 2.5, seed), draws=0).exponent.pull(2.5) for seed in range(60)]
    assert abs(np.mean(pulls)) < 0.6
    assert np.std(pulls) < 2  # the choice of the start adds to the error


def test_false_alarms_of_the_pvalue_and_its_power():
    at_law = [fit_tail(mixture(seed), 40, seed).pvalue <= 0.1 for seed in range(60)]
    assert binom.sf(sum(at_law) - 1, 60, 0.1) > 1e-3
    random = np.random.default_rng(1)
    bulk = [random.uniform(1, 2, 400) for _ in range(10)]
    assert sum(fit_tail(x, 40).pvalue <= 0.1 for x in bulk) >= 5
    assert fit_tail(bulk[0], 40) == fit_tail(bulk[0], 40)


def test_draws_of_the_null_are_levels_below_the_start_and_the_law_above():
    """ln(x/start) is exponential of mean 1/(alpha - 1), not 1/alpha: four standard errors."""
    x, random = np.sort(pareto(50, 3.0)), np.random.default_rng(2)
    drawn = np.concatenate([_draw_once(random, x, 20, 3.0) for _ in range(400)])
    above = drawn >= x[20]
    logs = np.log(drawn[above] / x[20])
    for mean, holds in ((1 / 2, True), (1 / 3, False)):
        assert bool(abs(logs.mean() - mean) < 4 * logs.std() / logs.size**0.5) is holds
    assert abs(above.mean() - 0.6) < 4 * (0.6 * 0.4 / drawn.size) ** 0.5
    assert np.isin(drawn[~above], x[:20]).all()


def test_too_few_levels():
    with pytest.raises(InvalidInputError, match="2 different positive levels"):
        fit_tail([0.0, 1.0, 1.0, 2.0])
