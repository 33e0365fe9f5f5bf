import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.stats import density_histogram


def test_integral_edges_and_rule():
    x = np.random.default_rng(1).normal(size=3000)
    h = density_histogram(x)
    assert np.sum(h.density * np.diff(h.edges)) == pytest.approx(1)
    assert (h.edges[0], h.edges[-1]) == (x.min(), x.max())
    np.testing.assert_allclose(h.edges, np.histogram_bin_edges(x, "fd"))
    assert len(h.centres) == len(h.density) == len(h.error)


def test_binomial_errors_of_independent_samples():
    h = density_histogram([0.1, 0.2, 0.3, 0.9], edges=[0.0, 0.5, 1.0])
    np.testing.assert_allclose(h.density, [1.5, 0.5])
    np.testing.assert_allclose(h.error, 2 * np.sqrt(0.75 * 0.25 / 4))


def test_repeated_records_do_not_shrink_the_error():
    x = np.random.default_rng(2).normal(size=(500, 1))
    edges = np.linspace(-3, 3, 13)
    once, repeated = density_histogram(x, edges), density_histogram(x.repeat(9, axis=1), edges)
    np.testing.assert_allclose(once.density, repeated.density)
    np.testing.assert_allclose(once.error, repeated.error)
    flat = density_histogram(x.ravel(), edges)
    np.testing.assert_allclose(once.error, flat.error * np.sqrt(500 / 499))


def test_errors_of_replicas_count_the_last_edge_as_numpy_does():
    x = np.random.default_rng(4).integers(0, 4, size=(20, 6)).astype(float)
    h = density_histogram(x, edges=[0.0, 1.0, 2.0, 3.0])
    shares = np.array([np.histogram(row, h.edges)[0] / 6 for row in x])
    np.testing.assert_allclose(h.error, shares.std(axis=0, ddof=1) / np.sqrt(20))


def test_far_outlier_does_not_ask_for_endless_bins():
    x = np.r_[np.random.default_rng(3).normal(size=1000), 1e9]
    assert len(density_histogram(x).density) <= 1000
    assert np.sum(density_histogram(x).density * np.diff(density_histogram(x).edges)) == (
        pytest.approx(1)
    )


@pytest.mark.parametrize(
    ("x", "edges", "message"),
    [([1.0, np.nan], None, "NaN"), ([1.0, 1.0], None, "equal"), ([1.0, 2.0], [1, 1], "must rise")],
)
def test_refuses(x, edges, message):
    with pytest.raises(InvalidInputError, match=message):
        density_histogram(x, edges)
