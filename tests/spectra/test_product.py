"""Spectra of products by their thin factors."""

import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.spectra import spectrum, spectrum_of_product

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(30, 4, 20), (20, 4, 30), (6, 6, 9), (5, 8, 6)])
def test_the_factors_tell_what_the_product_does(shape):
    rows, inner, columns = shape
    left, right = RANDOM.standard_normal((rows, inner)), RANDOM.standard_normal((inner, columns))
    mine = spectrum_of_product("w", left, right, tail=True, tail_draws=0)
    whole = spectrum("w", left @ right, tail=True, tail_draws=0)
    np.testing.assert_allclose(mine.singular_values, whole.singular_values, atol=1e-12)
    assert (mine.rank, mine.shape, mine.notes) == (whole.rank, whole.shape, whole.notes)
    for key in ("stable_rank", "effective_rank", "frobenius", "spectral"):
        assert getattr(mine, key) == pytest.approx(getattr(whole, key))
    assert mine.tail.exponent.value == pytest.approx(whole.tail.exponent.value)


def test_the_product_is_not_made():
    """It would take 80 GB."""
    left, right = RANDOM.standard_normal((100_000, 2)), RANDOM.standard_normal((2, 100_000))
    found = spectrum_of_product("w", left, right)
    assert found.rank == 2
    # of independent columns, up to their overlap of 1/sqrt(rows)
    assert found.spectral == pytest.approx(1e5, rel=0.02)


def test_sizes_at_the_ends_of_a_float():
    left, right = np.full((9, 1), 1e-200), np.full((1, 9), 1e250)
    assert spectrum_of_product("w", left, right).spectral == pytest.approx(9e50)


def test_shuffled_entries_are_those_of_the_product():
    left, right = RANDOM.standard_normal((70, 3)), RANDOM.standard_normal((3, 90))
    found = spectrum_of_product("w", left, right, randomise=1)
    assert found.random_spectral == spectrum("w", left @ right, randomise=1).random_spectral


def test_what_makes_no_product_is_one_sentence():
    with pytest.raises(InvalidInputError, match=r"w: factors of shapes \(3, 2\) and \(3, 2\)"):
        spectrum_of_product("w", np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(InvalidInputError, match="neither of them zero"):
        spectrum_of_product("w", np.zeros((5, 2)), np.ones((2, 5)))
    with pytest.raises(InvalidInputError, match="finite"):
        spectrum_of_product("w", np.full((5, 2), np.nan), np.ones((2, 5)))
