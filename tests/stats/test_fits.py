"""Fits; coverage at 1 sigma over 1000 data sets, binomial bounds of false-alarm rate 1e-4."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import erf
from scipy.stats import binom

from sgdyson.ensembles import GaussianEnsemble
from sgdyson.errors import InvalidInputError
from sgdyson.laws import PairDensity
from sgdyson.stats import fit_gaussian, fit_pair_density, fit_wigner, jackknife, mean_over_replicas

CENTRE, WIDTH = 5.0, 0.3
SETS, REPLICAS, TIMES = 1000, 200, 3
ONE_SIGMA = 0.682689492137086


def pairs(rng, *shape):
    """(..., 2) levels of 2 x 2 GOE matrices of width WIDTH: diagonal WIDTH, off it WIDTH/sqrt 2."""
    diagonal = rng.normal(size=(*shape, 2)) * WIDTH
    half_gap = np.hypot(
        (diagonal[..., 0] - diagonal[..., 1]) / 2, rng.normal(size=shape) * WIDTH / np.sqrt(2)
    )
    mean = CENTRE + diagonal.mean(axis=-1)
    return np.stack([mean + half_gap, mean - half_gap], axis=-1)


def log_density(x, centre, width):
    u = (x - centre) / width
    bell = np.exp(-(u**2) / 2)
    return np.log(
        bell / (4 * np.sqrt(np.pi) * width)
        * (2 * bell + np.sqrt(2 * np.pi) * u * erf(u / np.sqrt(2)))
    )  # fmt: skip


def test_the_density_fitted_is_normalised():
    assert quad(lambda x: np.exp(log_density(x, 1.0, 0.5)), -6, 8)[0] == pytest.approx(1)


def test_pair_density_finds_the_maximum_a_plain_optimiser_finds():
    x = pairs(np.random.default_rng(1), 300, 2)
    fit = fit_pair_density(x)
    plain = minimize(
        lambda p: -log_density(x, *p).mean(), [4.9, 0.25], method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-15},
    )  # fmt: skip
    np.testing.assert_allclose([fit.centre.value, fit.width.value], plain.x, rtol=1e-6)


@pytest.mark.parametrize("beta", [2, 4])
def test_pairs_of_complex_and_quaternion_matrices(beta):
    x = GaussianEnsemble(2, beta, 0.3).eigenvalues(20_000, 7) + 5
    fit = fit_pair_density(x, beta)
    plain = minimize(
        lambda p: -PairDensity(*p, beta).logpdf(x).mean(), [4.9, 0.25], method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-15},
    )  # fmt: skip
    np.testing.assert_allclose([fit.centre.value, fit.width.value], plain.x, rtol=1e-6)
    spacing = fit_wigner(x[:, 1] - x[:, 0], beta)
    for width in (fit.width, spacing):
        assert abs(width.value - 0.3) < 4 * width.error < 0.01
    assert abs(fit.centre.value - 5) < 4 * fit.centre.error
    for other in {1, 2, 4} - {beta}:
        wrong = (fit_pair_density(x, other).width, fit_wigner(x[:, 1] - x[:, 0], other))
        assert all(abs(width.value - 0.3) > 4 * width.error for width in wrong)
    with pytest.raises(InvalidInputError, match="beta = 3"):
        fit_pair_density(x, 3)


def test_fits_move_and_scale_with_the_units():
    x = pairs(np.random.default_rng(2), 300, 2)
    for fitted in (fit_pair_density, fit_gaussian):
        fit, moved = fitted(x), fitted(1e-6 * (x - 4))
        assert moved.centre.value == pytest.approx(1e-6 * (fit.centre.value - 4), rel=1e-7)
        assert moved.width.error == pytest.approx(1e-6 * fit.width.error, rel=1e-6)
        assert moved.width.effective_size == pytest.approx(fit.width.effective_size, rel=1e-6)
        assert np.sqrt(fit.covariance[1, 1]) == pytest.approx(fit.width.error)


def test_closed_forms():
    x = pairs(np.random.default_rng(3), 300, 2)
    spacing = x[..., 0] - x[..., 1]
    fit = fit_gaussian(x)
    assert fit.centre.value == pytest.approx(x.mean())
    assert fit.centre.error == pytest.approx(mean_over_replicas(x.reshape(300, -1)).error)
    assert fit.width.value == pytest.approx(x.std())
    assert fit_wigner(spacing).value == pytest.approx(np.sqrt(np.mean(spacing**2)) / 2)


def test_sandwich_is_the_jackknife_without_refits():
    """They differ by terms of relative order 1/replicas, and 3 of these are allowed."""
    x = np.repeat(pairs(np.random.default_rng(4), 400, 1), 3, axis=1)
    for fitted in (fit_pair_density, fit_gaussian):
        for name in ("centre", "width"):
            refitted = jackknife(lambda d: getattr(fitted(d), name).value, x, groups=400)  # noqa: B023
            assert getattr(fitted(x), name).error == pytest.approx(refitted.error, rel=3 / 400)
    spacing = x[..., 0] - x[..., 1]
    refitted = jackknife(lambda d: fit_wigner(d).value, spacing, groups=400)
    assert fit_wigner(spacing).error == pytest.approx(refitted.error, rel=3 / 400)


def _within_one_sigma(fit, data, truths):
    """How often each estimate is within one of its errors of the truth."""
    pulls = [[e.pull(t) for e, t in zip(fit(x), truths, strict=True)] for x in data]
    return np.sum(np.abs(pulls) < 1, axis=0)


def _single(rng):
    return CENTRE + WIDTH * rng.normal(size=(REPLICAS, 1)).repeat(TIMES, axis=1)


def _spacing(rng):
    levels = pairs(rng, REPLICAS, 1).repeat(TIMES, axis=1)
    return levels[..., 0] - levels[..., 1]


def both(fit):
    return fit.centre, fit.width


CASES = {
    "gaussian": (
        _single,
        lambda x: both(fit_gaussian(x)),
        (CENTRE, WIDTH),
    ),
    "pair density": (
        lambda rng: pairs(rng, REPLICAS, 1).repeat(TIMES, axis=1),
        lambda x: both(fit_pair_density(x)),
        (CENTRE, WIDTH),
    ),
    "wigner": (_spacing, lambda x: (fit_wigner(x),), (WIDTH,)),
    "mean spacing": (_spacing, lambda x: (mean_over_replicas(x),), (np.sqrt(np.pi) * WIDTH,)),
}


@pytest.mark.parametrize("clustered", [True, False], ids=["clustered", "as if independent"])
@pytest.mark.parametrize("case", CASES)
def test_coverage(case, clustered):
    """Records that repeat inside a replica; ignoring it leaves errors smaller by sqrt 3."""
    draw, fit, truths = CASES[case]
    rng = np.random.default_rng(11)
    data = [draw(rng) if clustered else draw(rng).ravel() for _ in range(SETS)]
    covered = _within_one_sigma(fit, data, truths)
    low, high = binom.ppf([5e-5, 1 - 5e-5], SETS, ONE_SIGMA)
    assert np.all((low <= covered) & (covered <= high)) == clustered
    if not clustered:
        assert np.all(covered < low)


def test_effective_size_sees_the_repeated_records():
    x = _single(np.random.default_rng(12))
    assert fit_gaussian(x).centre.effective_size == pytest.approx(REPLICAS, rel=0.01)
    assert fit_gaussian(x).width.effective_size == pytest.approx(REPLICAS, rel=0.01)


@pytest.mark.parametrize("fitted", [fit_gaussian, fit_pair_density, fit_wigner])
def test_refuses(fitted):
    with pytest.raises(InvalidInputError, match="NaN"):
        fitted([[1.0, np.nan], [1.0, 2.0]])
    with pytest.raises(InvalidInputError, match="at least 2"):
        fitted([[1.0, 2.0]])
    with pytest.raises(InvalidInputError, match=r"differ|not all zero"):
        fitted(np.zeros((3, 4)))


def test_refuses_negative_spacings():
    with pytest.raises(InvalidInputError, match="larger level minus the smaller"):
        fit_wigner([[1.0, -0.1], [1.0, 2.0]])


@pytest.mark.parametrize("samples", [[0.0, 1.0], [0.0] * 999 + [1.0], [0.0, 1e-9, 1.0, 1e3]])
def test_pair_density_has_one_maximum_whatever_the_samples(samples):
    x = np.array(samples)
    fit = fit_pair_density(x)
    best = log_density(x, fit.centre.value, fit.width.value).mean()
    for factor in (0.99, 1.01):
        assert log_density(x, fit.centre.value, factor * fit.width.value).mean() < best
    for shift in (-0.01, 0.01):
        moved = fit.centre.value + shift * fit.width.value
        assert log_density(x, moved, fit.width.value).mean() < best


def test_a_fit_that_does_not_settle_is_refused(monkeypatch):
    monkeypatch.setattr("sgdyson.stats._pair_likelihood._STEPS", 1)
    with pytest.raises(InvalidInputError, match="no maximum within 1 Newton steps"):
        fit_pair_density([0.0, 1.0, 5.0])
