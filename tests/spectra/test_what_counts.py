"""Which levels the numbers of a matrix are made of: no outliers, no rounding, every other gap."""

import numpy as np
import pytest

from sgdyson.spectra import is_average, layout_of, mean_ratio, multiplets, spectrum


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


@pytest.mark.parametrize(
    ("targets", "groups"),
    [
        ([4e6, 4e6 - 1e-4, 1.0], [(0, 1), (2,)]),
        ([1e-6, 1e-6 - 1e-10, 0.0], [(0,), (1,), (2,)]),
        ([0.0, -1e-12], [(0,), (1,)]),
        ([0.0, 0.0], [(0, 1)]),
    ],
)
def test_targets_are_equal_relative_to_the_largest(targets, groups):
    assert [group.indices for group in multiplets(targets)] == groups


@pytest.mark.parametrize(
    ("name", "average"),
    [("ema.weight", True), ("model_ema/layer/kernel", True), ("layer.ema", False), ("ema", False)],
)
def test_a_matrix_that_is_itself_called_so_is_no_moving_average(name, average):
    assert is_average(name) == average


@pytest.mark.parametrize(
    ("shape", "bias", "stack"),
    [((4, 5), (5,), 0), ((7, 4, 5), (7, 5), 1), ((2, 7, 4, 5), (2, 7, 5), 2)],
)
def test_a_kernel_is_stacked_as_often_as_its_bias(shape, bias, stack):
    layout = layout_of("scan/dense/kernel", shape, shapes={"scan/dense/bias": bias})
    assert layout.stack == stack


def test_a_long_matrix_of_few_levels_is_not_sketched():
    w = np.random.default_rng(3).standard_normal((1500, 12))
    found, exact = (spectrum("w", w, method=method) for method in ("lanczos", "exact"))
    assert found.measure is None
    np.testing.assert_array_equal(found.singular_values, exact.singular_values)
