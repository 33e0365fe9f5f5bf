import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.stats import (
    bootstrap,
    covariance_over_replicas,
    jackknife,
    jackknife_of_means,
    mean_over_replicas,
    means_over_replicas,
)


@pytest.fixture
def x():
    """(replica, time), times of one replica strongly correlated."""
    rng = np.random.default_rng(5)
    return 3.0 + rng.normal(size=(60, 1)) + 0.3 * rng.normal(size=(60, 7))


def test_mean_and_its_error_are_those_of_the_replica_means(x):
    estimate = mean_over_replicas(x)
    means = x.mean(axis=1)
    assert estimate.value == pytest.approx(x.mean(), rel=1e-14)
    assert estimate.error == pytest.approx(np.std(means, ddof=1) / np.sqrt(60), rel=1e-12)
    assert estimate.effective_size == pytest.approx(x.var() / estimate.error**2, rel=1e-12)
    assert 50 < estimate.effective_size < 80  # times add nearly nothing, 420 samples or not


@pytest.mark.parametrize("groups", [60, 1000])
def test_jackknife_of_a_mean_is_the_standard_error(x, groups):
    assert jackknife(np.mean, x, groups).error == pytest.approx(
        mean_over_replicas(x).error, rel=1e-12
    )


def test_grouped_jackknife_of_a_mean_is_the_error_of_the_block_means(x):
    blocks = x.mean(axis=1).reshape(12, 5).mean(axis=1)
    expected = np.std(blocks, ddof=1) / np.sqrt(12)
    assert jackknife(np.mean, x, groups=12).error == pytest.approx(expected, rel=1e-12)


def test_unequal_blocks_are_unbiased_for_the_variance_of_a_mean():
    rng = np.random.default_rng(6)
    variances = [jackknife(np.mean, rng.normal(size=(10, 1)), groups=4).error ** 2
                 for _ in range(4000)]  # fmt: skip
    # each variance has relative scatter of about sqrt(2/3); 4 sigma of 4000 of them
    assert np.mean(variances) == pytest.approx(0.1, rel=4 * np.sqrt(2 / 3 / 4000) + 0.01)


def test_jackknife_of_means_is_the_loop_over_left_out_replicas(x):
    pairs = np.stack([x.mean(axis=1), (x**2).mean(axis=1)], axis=1)
    quick = jackknife_of_means(lambda m: np.sqrt(m[..., 1] - m[..., 0] ** 2), pairs)
    slow = jackknife(np.std, x, groups=60)
    assert quick.value == pytest.approx(slow.value, rel=1e-12)
    assert quick.error == pytest.approx(slow.error, rel=1e-9)
    mean = jackknife_of_means(lambda m: m[..., 0], x.mean(axis=1))
    assert mean.error == pytest.approx(mean_over_replicas(x).error, rel=1e-12)


def test_bootstrap_agrees_with_the_closed_form_and_repeats(x):
    estimate = bootstrap(np.mean, x, resamples=2000, seed=3)
    assert estimate == bootstrap(np.mean, x, resamples=2000, seed=3)
    assert estimate != bootstrap(np.mean, x, resamples=2000, seed=4)
    expected = mean_over_replicas(x).error * np.sqrt(59 / 60)
    assert estimate.error == pytest.approx(expected, rel=4 / np.sqrt(2 * 2000))


def test_means_and_their_covariance(x):
    trailing = np.stack([x, 2 * x, x[::-1]], axis=-1)
    estimates = means_over_replicas(trailing)
    covariance = covariance_over_replicas(trailing)
    assert estimates[0] == mean_over_replicas(x)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), [e.error for e in estimates])
    expected = np.cov(trailing.mean(axis=1), rowvar=False) / 60
    np.testing.assert_allclose(covariance, expected, rtol=1e-10)


@pytest.mark.parametrize(
    "measure",
    [
        mean_over_replicas,
        lambda x: jackknife(np.mean, x),
        lambda x: bootstrap(np.mean, x),
        lambda x: jackknife_of_means(lambda m: m[..., 0], x),
    ],
)
def test_refuses_nan_and_lone_replicas(measure, x):
    x[3, 2] = np.nan
    with pytest.raises(
        InvalidInputError, match=r"1 values of NaN or infinity out of 420; leave out"
    ):
        measure(x)
    with pytest.raises(InvalidInputError, match=r"1 replica and an error .* at least 2"):
        measure(x[:1])


def test_refuses_wrong_arguments(x):
    with pytest.raises(InvalidInputError, match="means_over_replicas"):
        mean_over_replicas(np.zeros((3, 4, 5)))
    with pytest.raises(InvalidInputError, match="groups = 1"):
        jackknife(np.mean, x, groups=1)
    with pytest.raises(InvalidInputError, match="resamples = 1"):
        bootstrap(np.mean, x, resamples=1)
    with pytest.raises(InvalidInputError, match="one value a replica"):
        jackknife_of_means(lambda m: m, x)
    with pytest.raises(InvalidInputError, match="empty"):
        mean_over_replicas([])
