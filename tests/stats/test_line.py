import numpy as np
import pytest
from scipy.stats import chi2, kstest

from sgdyson.errors import InvalidInputError
from sgdyson.stats import Estimate, fit_line

X = np.array([0.5, 1.0, 1.7, 2.2, 4.0])


def test_exact_line_is_found_exactly():
    fit = fit_line(X, 3 - 2 * X, y_error=[0.1, 0.2, 0.1, 0.3, 0.1])
    assert fit.slope.value == pytest.approx(-2, rel=1e-12)
    assert fit.intercept.value == pytest.approx(3, rel=1e-12)
    assert fit.chi2 == pytest.approx(0, abs=1e-20)
    assert fit.dof == 3
    assert fit.pvalue == pytest.approx(1.0)
    np.testing.assert_allclose(fit(X), 3 - 2 * X)


def test_equal_errors_give_the_closed_form():
    y = np.array([1.0, 2.5, 2.0, 4.0, 5.0])
    fit = fit_line(X, y, y_error=0.2)
    spread = np.sum((X - X.mean()) ** 2)
    slope = np.sum((X - X.mean()) * y) / spread
    assert fit.slope.value == pytest.approx(slope)
    assert fit.slope.error == pytest.approx(0.2 / np.sqrt(spread))
    assert fit.intercept.error == pytest.approx(0.2 * np.sqrt(np.mean(X**2) / spread))
    assert fit.covariance[0, 1] == pytest.approx(-(0.2**2) * X.mean() / spread)
    residual = y - y.mean() - slope * (X - X.mean())
    assert fit.chi2 == pytest.approx(np.sum(residual**2) / 0.2**2)
    assert fit.pvalue == pytest.approx(chi2.sf(fit.chi2, 3))
    assert fit.error_at(X.mean()) == pytest.approx(0.2 / np.sqrt(5))


def test_through_the_origin():
    y, error = 1.5 * X + 0.1, np.array([0.1, 0.2, 0.1, 0.3, 0.1])
    fit = fit_line(X, y, error, through_origin=True)
    weight = np.sum(X**2 / error**2)
    assert fit.slope.value == pytest.approx(np.sum(X * y / error**2) / weight)
    assert fit.slope.error == pytest.approx(1 / np.sqrt(weight))
    assert fit.intercept == Estimate(0.0, 0.0, 5.0)
    assert fit.dof == 4


def test_a_common_offset_goes_into_the_intercept_alone():
    y = np.array([1.0, 2.5, 2.0, 4.0, 5.0])
    alone = fit_line(X, y, covariance=0.04 * np.eye(5))
    common = fit_line(X, y, covariance=0.04 * np.eye(5) + 0.7)
    assert common.slope.value == pytest.approx(alone.slope.value)
    assert common.slope.error == pytest.approx(alone.slope.error)
    assert common.chi2 == pytest.approx(alone.chi2)
    assert common.intercept.error**2 == pytest.approx(alone.intercept.error**2 + 0.7)


def test_takes_estimates():
    y = [
        Estimate(v, e, 9.0) for v, e in zip([1, 2, 3, 3, 4], [0.1, 0.2, 0.1, 0.3, 0.1], strict=True)
    ]
    plain = fit_line(X, [1, 2, 3, 3, 4], [0.1, 0.2, 0.1, 0.3, 0.1])
    assert fit_line(X, y).slope == plain.slope
    with_covariance = fit_line(X, y, covariance=np.eye(5))
    assert with_covariance.slope == fit_line(X, [1, 2, 3, 3, 4], np.ones(5)).slope


def _fits(covariance, ignore_correlation):
    rng = np.random.default_rng(8)
    used = np.diag(np.diag(covariance)) if ignore_correlation else covariance
    data = rng.multivariate_normal(1 + 2 * X, covariance, size=1000)
    return [fit_line(X, y, covariance=used) for y in data]


@pytest.mark.parametrize("ignore_correlation", [False, True])
def test_pulls_and_p_values_of_correlated_points(ignore_correlation):
    """Size and power: false alarms 1e-4 each; forgetting the correlation must be noticed."""
    covariance = 0.1 * 0.9 ** np.abs(np.subtract.outer(range(5), range(5)))
    fits = _fits(covariance, ignore_correlation)
    honest = kstest([fit.slope.pull(2.0) for fit in fits], "norm").pvalue > 1e-4
    uniform = kstest([fit.pvalue for fit in fits], "uniform").pvalue > 1e-4
    assert (honest, uniform) == (not ignore_correlation, not ignore_correlation)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, X), "errors of its points once"),
        ((X, X, 0.1, np.eye(5)), "errors of its points once"),
        ((X, X[:4], 0.1), "two lists of one length"),
        ((X, X, [0.1, 0.1, 0.1, 0.1, 0.0]), "must be positive"),
        ((X, X, None, np.eye(4)), r"symmetric \(5, 5\)"),
        ((X, X, None, np.ones((5, 5))), "smallest eigenvalue"),
        ((np.ones(5), X, 0.1), "as many different x"),
        ((X, [np.nan, 1, 2, 3, 4], 0.1), "NaN"),
        ((X, [Estimate(1, 1, 1), 1, 2, 3, 4], 0.1), "one kind"),
    ],
)
def test_refuses(arguments, message):
    x, y, *errors = arguments
    keywords = dict(zip(["y_error", "covariance"], errors, strict=False))
    with pytest.raises(InvalidInputError, match=message):
        fit_line(x, y, **keywords)
