"""P-values of the Dyson index are those of Student's t; what they make a verdict of."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from sgdyson.stats import Estimate
from sgdyson.tracking._dyson_index import (
    DYSON,
    NEITHER,
    NO_REPULSION,
    TOO_LITTLE,
    chance_of,
    ratio,
    verdict_of,
)


@pytest.mark.parametrize("blocks", [3, 4, 30])
@pytest.mark.parametrize("value", [0.05, 1.0])
def test_p_values_are_those_of_students_t_of_few_blocks(blocks, value):
    random = np.random.default_rng(blocks)
    mixed, alone = random.gamma(2.0, 0.5, blocks), random.gamma(2.0, 1.0, blocks)
    rest = mixed - value * alone
    assert chance_of(mixed, alone, value) == pytest.approx(ttest_1samp(rest, 0.0).pvalue)
    above = ttest_1samp(rest, 0.0, alternative="greater").pvalue
    assert chance_of(mixed, alone, value, above=True) == pytest.approx(above)


def test_the_error_of_a_ratio_is_that_of_its_linear_part():
    """Of denominators that do not vary it is the error of a mean."""
    mixed, alone = np.array([1.0, 2.0, 6.0]), np.full(3, 2.0)
    found = ratio(mixed, alone, 3.0)
    assert found.value == pytest.approx(1.5)
    assert found.error == pytest.approx(np.std(mixed / 2, ddof=1) / 3**0.5)


@pytest.mark.parametrize(
    ("verdict", "index", "one", "zero", "power", "levels"),
    [
        (DYSON, 0.9, 0.3, 1e-9, 0.99, 0.3),
        (DYSON, 1.04, 1e-6, 1e-9, 0.99, 0.3),  # so near that it matters nowhere
        (NEITHER, 1.2, 1e-6, 1e-9, 0.99, 0.3),
        (NEITHER, 1.0, 0.9, 1e-9, 0.99, 1e-6),  # on average alone
        (NO_REPULSION, 0.02, 1e-9, 0.6, 0.99, 1e-9),
        (TOO_LITTLE, 1.0, 0.9, 0.5, 0.5, 0.9),
        (TOO_LITTLE, 0.0, 1e-9, 0.9, 0.89, 0.9),
    ],
)
def test_a_verdict_follows_from_every_one_of_its_numbers(verdict, index, one, zero, power, levels):
    assert verdict_of(Estimate(index, 0.1, 9.0), one, zero, power, levels) == verdict
