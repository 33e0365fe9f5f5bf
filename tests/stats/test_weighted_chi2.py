import numpy as np
import pytest
from scipy.stats import chi2

from sgdyson.stats._weighted_chi2 import weighted_chi2_sf


@pytest.mark.parametrize("degrees", [1, 2, 5, 50, 1000])
def test_equal_weights_are_chi_square(degrees):
    for x in degrees * np.array([0.01, 0.3, 0.8, 1.0, 1.2, 2.0, 5.0]):
        expected = chi2.sf(x, degrees)
        found = weighted_chi2_sf(0.3 * x, np.full(degrees, 0.3))
        near_one = 1e-8 if expected > 0.99 else 0.0
        assert found == pytest.approx(expected, rel=1e-9, abs=near_one + 1e-300)


@pytest.mark.parametrize("x", [0.01, 1.0, 5.0, 40.0, 300.0])
def test_two_double_weights_are_a_sum_of_two_exponentials(x):
    slow, fast = 2.0, 0.5  # each twice: exponentials of mean 2 * weight
    expected = (slow * np.exp(-x / (2 * slow)) - fast * np.exp(-x / (2 * fast))) / (slow - fast)
    found = weighted_chi2_sf(x, np.array([fast, slow, slow, fast]))
    assert found == pytest.approx(expected, rel=1e-9)


def test_below_zero_is_certain():
    assert weighted_chi2_sf(-1.0, np.ones(3)) == weighted_chi2_sf(0.0, np.ones(3)) == 1.0


def test_far_tail_underflows_to_zero():
    assert 0 < weighted_chi2_sf(1400.0, np.ones(1)) < 1e-300
    assert weighted_chi2_sf(1e30, np.ones(5)) == 0.0
