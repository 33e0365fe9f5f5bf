"""Which levels the numbers of a matrix are made of: no outliers, no rounding, every other gap."""

import numpy as np
import pytest

from sgdyson.spectra import mean_ratio, spectrum


def spiked(seed, strength):
    w = np.random.default_rng(seed).standard_normal((220, 150))
    for place in range(3):
        w[place, place] += strength * (1 + 0.2 * place)
    return w


def test_outliers_have_no_part_in_the_statistics_of_neighbours():
    """Three of them: the gaps that they leave are no spacings of the bulk."""
    found = spectrum("w", spiked(0, 60.0))
    assert found.bulk.outliers == 3
    inside, everything = (np.sort(found.singular_values[first:]) for first in (3, 0))
    assert found.mean_ratio.value == pytest.approx(mean_ratio(inside).value)
    assert found.mean_ratio.value != pytest.approx(mean_ratio(everything).value, rel=1e-4)


def test_every_other_spacing_is_held_against_the_surmise():
    """Neighbouring spacings repel each other as levels do: not all of 149 are independent."""
    found = spectrum("w", np.random.default_rng(1).standard_normal((220, 150)))
    assert 0.4 * 149 < found.ks_wigner.effective_size <= 75


@pytest.mark.parametrize("shape", [(4000, 20), (20, 4000), (60, 50)])
def test_rounding_to_float32_makes_no_rank(shape):
    """The largest singular value of rounding goes by both sides of a matrix."""
    random = np.random.default_rng(2)
    product = random.standard_normal((shape[0], 3)) @ random.standard_normal((3, shape[1]))
    assert spectrum("w", product.astype(np.float32)).rank == 3
