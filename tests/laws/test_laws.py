"""Laws against oracles: total mass, derivatives, exact moments, direct matrices."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special
from scipy.linalg import eigvalsh_tridiagonal

import sgdyson.laws
from sgdyson.ensembles import GaussianEnsemble, WishartEnsemble
from sgdyson.errors import InvalidInputError
from sgdyson.laws import (
    Brody,
    ExactSpacing,
    Gaussian,
    GaussianEnsembleDensity,
    HardEdge,
    LargestLevel,
    Law,
    MarchenkoPastur,
    MarchenkoPasturSingular,
    PairDensity,
    PoissonSpacing,
    Semicircle,
    SpacingRatio,
    TracyWidom,
    WignerSurmise,
)
from sgdyson.stats import ks_test

LAWS = [
    *(WignerSurmise(beta) for beta in (1, 2, 4)),
    *(ExactSpacing(beta) for beta in (1, 2)),
    PoissonSpacing(),
    Brody(0.4),
    *(SpacingRatio(beta) for beta in (0, 1, 2, 4)),
    *(PairDensity(1.5, 0.3, beta) for beta in (1, 2, 4)),
    Semicircle(2.5),
    *(GaussianEnsembleDensity(n, 1, 0.7) for n in (1, 2, 3, 4, 16, 64)),
    *(GaussianEnsembleDensity(n, beta, 0.7) for n in (1, 2, 5, 32) for beta in (2, 4)),
    MarchenkoPastur(0.3, 1.3),
    MarchenkoPastur(0.95),
    MarchenkoPastur(1.0, 0.5),
    MarchenkoPasturSingular(0.3, 1.3),
    MarchenkoPasturSingular(1.0),
    *(TracyWidom(beta) for beta in (1, 2, 4)),
    Gaussian(1.5, 0.3),
    LargestLevel.of_eigenvalues(50, 0.3),
    LargestLevel.of_singular_values((80, 50), 0.3),
    HardEdge(1, 0.0),
    HardEdge(1, 2.5),
    HardEdge(2, 0.0),
    HardEdge(2, 3.0),
    HardEdge(4, 1.0),
    HardEdge(4, 4.5),
    HardEdge(2, 0.3),
]
_ANGLES, _WEIGHTS = (np.pi / 2 * part for part in np.polynomial.legendre.leggauss(800))


def test_every_law_is_in_the_list():
    known = {value for value in vars(sgdyson.laws).values() if isinstance(value, type)}
    assert {type(law) for law in LAWS} == known - {Law}


def names(law: Law) -> str:
    return repr(law)


def integral(law: Law, function) -> float:
    """Over the support, in an angle in which its square-root edges are smooth."""
    low, high = law.support
    x = (low + high) / 2 + (high - low) / 2 * np.sin(_ANGLES)
    return float(np.sum(_WEIGHTS * (high - low) / 2 * np.cos(_ANGLES) * function(x) * law.pdf(x)))


@pytest.mark.parametrize("law", LAWS, ids=names)
class TestEveryLaw:
    def test_mass_mean_and_variance_are_integrals_of_the_density(self, law):
        assert integral(law, np.ones_like) == pytest.approx(1, abs=1e-8)
        assert integral(law, lambda x: x) == pytest.approx(law.mean(), rel=1e-8, abs=1e-8)
        square = integral(law, lambda x: (x - law.mean()) ** 2)
        assert square == pytest.approx(law.var(), rel=1e-7)

    def test_cdf_is_the_integral_of_the_density(self, law):
        points = law.ppf(np.linspace(0.0, 1.0, 9))[1:-1]
        for low, high in pairwise(points):
            area = integrate.quad(law.pdf, low, high, epsabs=1e-12, limit=400)[0]
            assert float(law.cdf(high) - law.cdf(low)) == pytest.approx(area, abs=1e-8)

    def test_ppf_undoes_cdf(self, law):
        q = np.linspace(0.001, 0.999, 41)
        np.testing.assert_allclose(law.cdf(law.ppf(q)), q, atol=1e-9)

    def test_draws_follow_the_law_and_repeat(self, law):
        draws = law.rvs(4000, random_state=1)
        assert ks_test(draws, law.cdf).pvalue > 1e-4
        np.testing.assert_array_equal(draws, law.rvs(4000, random_state=1))
        # the same test, the same draws, a law 10 % too wide about its mean
        wide = law.mean() + 1.15 * (draws - law.mean())
        assert ks_test(wide, law.cdf).pvalue < 0.01

    def test_numbers_of_any_shape(self, law):
        assert np.shape(law.pdf(law.mean())) == ()
        assert np.shape(law.cdf(np.full((2, 3), law.mean()))) == (2, 3)
        assert law.rvs((3, 2), random_state=0).shape == (3, 2)
        outside = np.array([law.support[0] - 1, law.support[1] + 1])
        np.testing.assert_allclose(law.cdf(outside), [0, 1], atol=1e-10)
        np.testing.assert_allclose(law.pdf(outside), 0, atol=1e-15)
        assert law.citation

    @pytest.mark.parametrize("ask", ["pdf", "cdf", "logpdf", "ppf"])
    def test_nan_of_nan_in_every_shape_under_any_setting(self, law, ask):
        with np.errstate(all="raise"):
            function = getattr(law, ask)
            assert np.isnan(function(np.nan))
            assert function(np.nan).shape == ()
            mixed = function([[0.5, np.nan], [0.25, 1.0]])
            np.testing.assert_array_equal(np.isnan(mixed), [[False, True], [False, False]])
            assert function([]).shape == (0,)
            assert function(np.float32(0.5)) == function(0.5) == function(np.array(0.5))
            with pytest.raises(InvalidInputError, match="real numbers"):
                function([0.5, 0.5j])

    def test_what_is_at_infinity_and_at_the_ends(self, law):
        low, high = law.ends
        with np.errstate(all="raise"):
            far = np.array([-np.inf, -1e300, 1e300, np.inf])
            np.testing.assert_array_equal(law.pdf(far), 0)
            np.testing.assert_allclose(law.cdf(far), [0, 0, 1, 1], atol=1e-10)
            np.testing.assert_array_equal(law.cdf(far[[0, 3]]), [0, 1])
            np.testing.assert_array_equal(law.ppf([0, 1]), [low, high])
            assert (law.logpdf(far) < -700).all()
        assert low <= law.support[0] < law.support[1] <= high

    def test_probabilities_outside_zero_and_one_are_refused(self, law):
        with pytest.raises(InvalidInputError, match=r"1\.5"):
            law.ppf(1.5)


def goe_levels(n: int, size: int, seed: int) -> np.ndarray:
    """Levels of dense GOE matrices with off-diagonal variance 1/2: sigma = 1."""
    a = np.random.default_rng(seed).standard_normal((size, n, n))
    return np.linalg.eigvalsh((a + a.mT) / 2)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_finite_density_is_that_of_dense_matrices(n):
    # one random level of each matrix: independent draws from the one-level density
    levels = goe_levels(n, 60_000, seed=n)
    chosen = levels[np.arange(len(levels)), np.random.default_rng(0).integers(n, size=len(levels))]
    assert ks_test(chosen, GaussianEnsembleDensity(n).cdf).pvalue > 1e-4
    assert ks_test(chosen, GaussianEnsembleDensity(n + 1).cdf).pvalue < 1e-6
    assert ks_test(chosen, Semicircle(np.sqrt(2 * n)).cdf).pvalue < 1e-6


def test_two_levels_are_the_pair_density():
    x = np.linspace(-4, 4, 101)
    np.testing.assert_allclose(
        GaussianEnsembleDensity(2, 1, 0.8).pdf(x), PairDensity(0.0, 0.8).pdf(x), atol=1e-14
    )


def test_many_levels_are_the_semicircle():
    x = np.linspace(-0.9, 0.9, 1001)
    for n in (50, 200, 500):
        exact = GaussianEnsembleDensity(n, 1, 1 / np.sqrt(2 * n)).cdf(x)
        # the smooth correction is of the order of one level in n
        assert np.abs(exact - Semicircle(1.0).cdf(x)).max() < 1.0 / n


def test_spacing_of_dense_pairs_is_the_surmise():
    spacing = np.diff(goe_levels(2, 20_000, seed=9), axis=1)[:, 0] / np.sqrt(np.pi)
    assert ks_test(spacing, WignerSurmise(1).cdf).pvalue > 1e-4
    assert ks_test(spacing, WignerSurmise(2).cdf).pvalue < 1e-10


# Bornemann (2010), tables 1 and 2; the scale of beta = 4 is Tracy and Widom's
@pytest.mark.parametrize(
    ("beta", "mean", "variance"),
    [
        (1, -1.2065335745820, 1.607781034581),
        (2, -1.7710868074117, 0.8131947928329),
        (4, -2.306884893241, 0.5177237207726),
    ],
)
def test_tracy_widom_has_its_published_moments(beta, mean, variance):
    assert TracyWidom(beta).mean() == pytest.approx(mean, abs=1e-11)
    assert TracyWidom(beta).var() == pytest.approx(variance, abs=1e-10)


def edge_of_the_beta_ensemble(beta: float, n: int, size: int) -> np.ndarray:
    """Lambda of Dumitriu and Edelman's tridiagonal matrices, sigma = 1."""
    rng = np.random.default_rng(11)
    diagonal = rng.standard_normal((size, n))
    off = np.sqrt(rng.chisquare(beta * np.arange(n - 1, 0, -1), (size, n - 1)) / 2)
    top = [
        eigvalsh_tridiagonal(d, e, select="i", select_range=(n - 1, n - 1))[0]
        for d, e in zip(diagonal, off, strict=True)
    ]
    scale = np.sqrt(beta / 2) * n ** (-1 / 6)
    return (np.array(top) - np.sqrt(2 * beta * n)) / scale


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_the_largest_level_follows_tracy_and_widom(beta):
    s = edge_of_the_beta_ensemble(beta, 400, 2000) * (2 ** (1 / 6) if beta == 4 else 1)
    # the law is approached as n^(-2/3), 2 % of its width here
    assert ks_test(s, TracyWidom(beta).cdf).statistic < 0.02 + 1.95 / np.sqrt(len(s))
    for other in {1, 2, 4} - {beta}:
        assert ks_test(s, TracyWidom(other).cdf).pvalue < 1e-8


def test_exact_spacings():
    # variances of Mehta's tables; numbers of levels in an interval, E(0; 1), of Gaudin's
    assert ExactSpacing(1).var() == pytest.approx(0.28553, abs=1e-5)
    assert ExactSpacing(2).var() == pytest.approx(0.17999, abs=1e-5)
    s = np.linspace(0.01, 3, 300)
    for beta, distance in ((1, 0.02), (2, 0.006)):
        gap = np.abs(ExactSpacing(beta).pdf(s) - WignerSurmise(beta).pdf(s)).max()
        assert 0.1 * distance < gap < distance
    small = 0.02  # level repulsion at small s: pi^2 s/6 and pi^2 s^2/3
    assert float(ExactSpacing(1).pdf(small)) == pytest.approx(np.pi**2 * small / 6, rel=2e-3)
    assert float(ExactSpacing(2).pdf(small)) == pytest.approx(np.pi**2 * small**2 / 3, rel=2e-3)


def test_mean_ratios_of_the_source():
    root3 = np.sqrt(3)
    assert SpacingRatio(0).mean() == pytest.approx(2 * np.log(2) - 1, abs=1e-12)
    assert SpacingRatio(1).mean() == pytest.approx(4 - 2 * root3, abs=1e-12)
    assert SpacingRatio(2).mean() == pytest.approx(2 * root3 / np.pi - 1 / 2, abs=1e-12)
    assert SpacingRatio(4).mean() == pytest.approx(32 * root3 / (15 * np.pi) - 1 / 2, abs=1e-12)


def test_spacings_between_poisson_and_wigner():
    s = np.linspace(0, 4, 41)
    np.testing.assert_allclose(Brody(1.0).pdf(s), WignerSurmise(1).pdf(s), atol=1e-12)
    np.testing.assert_allclose(PoissonSpacing().pdf(s), np.exp(-s), atol=1e-15)
    assert Brody.fit(Brody(0.6).rvs(20_000, 3)).q == pytest.approx(0.6, abs=0.03)
    assert Brody.fit(PoissonSpacing().rvs(20_000, 3)).q < 0.03


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
def test_marchenko_pastur_is_the_law_of_noise(ratio):
    rows = 200
    columns = int(ratio * rows)
    noise = 0.7 * np.random.default_rng(2).standard_normal((20, rows, columns))
    values = np.linalg.svd(noise / np.sqrt(rows), compute_uv=False)
    levels = np.zeros((20, columns))
    levels[:, : values.shape[1]] = values**2
    law, singular = MarchenkoPastur(ratio, 0.7), MarchenkoPasturSingular(ratio, 0.7)
    x = np.linspace(0.01, law.support[1], 50)
    found = (levels.ravel()[:, None] <= x).mean(axis=0)
    assert np.abs(found - law.cdf(x)).max() < 0.3 / columns + 0.01  # rigid: errors of order 1/n
    assert np.abs(found - MarchenkoPastur(1.1 * ratio, 0.7).cdf(x)).max() > 0.3 / columns + 0.01
    np.testing.assert_allclose(law.cdf(x), singular.cdf(np.sqrt(x)), atol=1e-12)
    assert MarchenkoPastur.fit(levels, ratio).sigma == pytest.approx(0.7, rel=0.01)


def test_marchenko_pastur_with_an_atom():
    law = MarchenkoPastur(4.0, 0.5)
    assert law.atom == 0.75
    assert integral_between(law, *law.edges) == pytest.approx(0.25, abs=1e-10)
    np.testing.assert_allclose(
        law.cdf([-1e-9, 0.0, law.edges[0], law.edges[1]]), [0, 0.75, 0.75, 1]
    )
    draws = law.rvs(20_000, random_state=4)
    assert np.mean(draws == 0) == pytest.approx(0.75, abs=0.015)
    assert draws.mean() == pytest.approx(law.mean(), abs=0.02)
    assert draws.var() == pytest.approx(law.var(), rel=0.06)
    assert MarchenkoPasturSingular(4.0, 0.5).atom == 0.75


def integral_between(law: Law, low: float, high: float) -> float:
    return integrate.quad(law.pdf, low, high, epsabs=1e-12, limit=400)[0]


def test_the_quarter_circle():
    s = np.linspace(0, 1.99, 50)
    np.testing.assert_allclose(
        MarchenkoPasturSingular(1.0).pdf(s), np.sqrt(4 - s**2) / np.pi, atol=1e-12
    )


def test_the_hard_edge():
    x = np.geomspace(0.01, 60, 30)
    # Edelman's closed forms of square matrices, real and complex
    np.testing.assert_allclose(
        HardEdge(1, -0.5).cdf(x), -np.expm1(-x / 8 - np.sqrt(x) / 2), atol=1e-12
    )
    np.testing.assert_allclose(HardEdge(2, 0.0).cdf(x), -np.expm1(-x / 4), atol=1e-12)
    # and of real matrices with one row more: exp(-x/8), from a = 0
    np.testing.assert_allclose(HardEdge(1, 0.0).cdf(x), -np.expm1(-x / 8), atol=1e-12)


def test_the_smallest_level_of_noise_follows_the_hard_edge():
    n = 100
    noise = np.random.default_rng(6).standard_normal((1500, n + 4, n))
    smallest = np.linalg.svd(noise, compute_uv=False)[:, -1] ** 2
    law = HardEdge(1, 1.5)
    # 1/n corrections: the spectrum's edge moves with M + n rather than with 2 n
    s = 4 * (n + 2) * smallest
    assert ks_test(s, law.cdf).pvalue > 1e-3
    assert ks_test(s, HardEdge(1, 1.0).cdf).pvalue < 1e-6


@pytest.mark.parametrize(("beta", "a"), [(2, 1.0), (4, 3.0)])
def test_the_smallest_level_of_complex_and_quaternion_noise(beta, a):
    n, extra = 100, 1  # a = beta/2 (extra + 1) - 1
    smallest = WishartEnsemble(n, n + extra, beta).eigenvalues(4000, 8)[:, 0]
    s = 4 * (n + extra / 2) * smallest
    assert ks_test(s, HardEdge(beta, a).cdf).pvalue > 1e-3
    assert ks_test(s, HardEdge(beta, a + 0.5).cdf).pvalue < 1e-6


def test_the_hard_edge_of_any_power():
    """The Bessel kernel at zero: density (s/4)^a / (4 Gamma(a+1) Gamma(a+2)), to order s."""

    def expected(s, a):
        return (s / 4) ** (a + 1) / (special.gamma(a + 2) ** 2)

    s = np.array([1e-4, 1e-3])
    np.testing.assert_allclose(HardEdge(2, -0.3).cdf(s), expected(s, -0.3), rtol=1e-3)
    assert np.all(np.abs(HardEdge(2, -0.3).cdf(s) / expected(s, -0.29) - 1) > 0.03)


def test_the_smallest_level_of_a_laguerre_ensemble_with_any_power():
    """Bidiagonal matrices of Dumitriu and Edelman with M = n + 2a + 1 rows, no whole number."""
    n, a, draws = 40, -0.3, 1500
    rng, rows = np.random.default_rng(9), n + 2 * a + 1
    matrix = np.zeros((draws, n, n))
    places = np.arange(n)
    matrix[:, places, places] = np.sqrt(rng.chisquare(rows - places, (draws, n)))
    matrix[:, places[1:], places[:-1]] = np.sqrt(rng.chisquare(n - places[1:], (draws, n - 1)))
    smallest = np.linalg.svd(matrix, compute_uv=False)[:, -1] ** 2
    s = 4 * (n + (rows - n) / 2) * smallest
    assert ks_test(s, HardEdge(1, a).cdf).pvalue > 1e-3
    assert ks_test(s, HardEdge(1, a + 0.2).cdf).pvalue < 1e-6


def test_the_hard_edge_of_square_quaternion_matrices():
    # V of order 0 has det(1 -+ V) = exp(-s/8 -+ sqrt(s)/2), by beta = 1 and 2 at a = -1/2 and 0;
    # at 4 s, for quaternion levels lie half as dense as those of real matrices they are drawn from
    s = np.linspace(0, 60, 61)
    survival = np.exp(-s / 2) * np.cosh(np.sqrt(s))
    np.testing.assert_allclose(HardEdge(4, 1.0).cdf(s), 1 - survival, atol=1e-12)


@pytest.mark.parametrize("beta", [2, 4])
def test_density_of_complex_and_quaternion_matrices(beta):
    # two levels: by integrating the joint density over the other
    x = np.linspace(-4, 4, 33)
    y, weights = np.polynomial.legendre.leggauss(200)
    other = 12 * y
    joint = np.abs(x[:, None] - other) ** beta * np.exp(-(x[:, None] ** 2 + other**2) / 2)
    density = joint @ weights
    law = GaussianEnsembleDensity(2, beta).pdf(x)
    np.testing.assert_allclose(law / law.sum(), density / density.sum(), atol=1e-10)


def test_widths_are_fitted():
    levels = GaussianEnsemble(6, 2, 0.4).eigenvalues(4000, 3)
    # 36 degrees of freedom a matrix: relative error 1/sqrt(2 36 4000) = 0.19 %
    assert GaussianEnsembleDensity.fit(levels, 2).width == pytest.approx(0.4, rel=0.007)
    assert GaussianEnsembleDensity.fit(levels, 1).width > 0.45
    pairs = GaussianEnsemble(2, 1, 0.4).eigenvalues(20000, 4) + 3
    fitted = PairDensity.fit(pairs)
    assert fitted.centre == pytest.approx(3, abs=4 * 0.4 / np.sqrt(40000))
    assert fitted.width == pytest.approx(0.4, rel=0.01)
    noise = np.random.default_rng(5).normal(scale=0.4, size=(400, 300)) / 20
    found = MarchenkoPasturSingular.fit(np.linalg.svd(noise, compute_uv=False), 0.75)
    assert found.sigma == pytest.approx(0.4, rel=4 / np.sqrt(2 * 400 * 300))


def test_the_semicircle_is_fitted():
    assert Semicircle.fit(Semicircle(2.0).rvs(50_000, 1)).radius == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda: WignerSurmise(3), "3"),
        (lambda: PairDensity(0.0, -1.0), "-1.0"),
        (lambda: PairDensity(np.nan, 1.0), "nan"),
        (lambda: PairDensity("0", 1.0), "centre = '0'"),
        (lambda: Semicircle(0.0), "0.0"),
        (lambda: GaussianEnsembleDensity(0), "0"),
        (lambda: GaussianEnsembleDensity(2, beta=3), "3"),
        (lambda: ExactSpacing(4), "4"),
        (lambda: Brody(1.5), r"1\.5"),
        (lambda: Brody.fit([1.0, -2.0]), r"-2\.0"),
        (lambda: SpacingRatio(3), "3"),
        (lambda: MarchenkoPastur(-1.0), r"-1\.0"),
        (lambda: MarchenkoPasturSingular(1.0, 0.0), r"0\.0"),
        (lambda: TracyWidom(3), "3"),
        (lambda: HardEdge(1, -0.7), r"-0\.7"),
        (lambda: HardEdge(3, 0.0), "3"),
        (lambda: HardEdge(4, 0.0), r"0\.0"),
    ],
)
def test_bad_parameters_are_named(make, value):
    with pytest.raises(InvalidInputError, match=value):
        make()


@pytest.mark.parametrize("kind", [np.int64, np.float64, np.array])
def test_parameters_of_any_type_of_number(kind):
    for law in (TracyWidom, ExactSpacing, WignerSurmise, SpacingRatio):
        assert law(kind(2)) == law(2)
        assert law(kind(2)).pdf(0.5) == law(2).pdf(0.5)
    assert GaussianEnsembleDensity(np.array(3)).pdf(0.5) == GaussianEnsembleDensity(3).pdf(0.5)
    assert HardEdge(kind(2), kind(1)).pdf(0.5) == HardEdge(2, 1.0).pdf(0.5)
    assert Brody(kind(1)).pdf(0.5) == Brody(1.0).pdf(0.5)


@pytest.mark.parametrize("law", [TracyWidom, ExactSpacing, WignerSurmise, SpacingRatio, HardEdge])
@pytest.mark.parametrize("beta", [True, "1", 1.5, np.array([1, 2]), None, np.nan])
def test_a_beta_that_is_none_is_refused(law, beta):
    with pytest.raises(InvalidInputError, match=r"beta = .* must be"):
        law(beta)


# ln(1 - F) at r = 12 (r = s, for beta = 4 sqrt(2) s), from determinants of 30 nodes in 40 digits by
# mpmath; of beta = 1 the density too, by central differences of 1e-9
@pytest.mark.parametrize(
    ("beta", "above"),
    [(1, -31.5548267863608), (2, -63.1041973549163), (4, -69.0110708428448)],
)
def test_tracy_widom_keeps_its_digits_in_the_right_tail(beta, above):
    s = 12 / np.sqrt(2) if beta == 4 else 12.0
    assert np.log(TracyWidom(beta).sf(s)) == pytest.approx(above, abs=1e-8)
    assert abs(np.log(TracyWidom(beta).sf(1.001 * s)) - above) > 1e-2
    assert float(TracyWidom(1).logpdf(12.0)) == pytest.approx(-30.2951611199303, abs=1e-8)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_tracy_widom_in_both_tails(beta):
    law = TracyWidom(beta)
    s = np.linspace(-30, 60, 20_001)
    assert (np.diff(law.cdf(s)) >= 0).all()
    assert (np.diff(law.sf(s)) <= 0).all()
    # the density is the slope of the tail that is small, relative to either: steps of 1e-4
    # leave (h^2/6) (ln F)'^2
    for point in (-12.0, -9.0, -6.0, -3.0, 2.0, 6.0, 20.0):
        tail = law.cdf if point < -1 else law.sf
        slope = abs(float(tail(point + 1e-4) - tail(point - 1e-4))) / 2e-4
        assert slope == pytest.approx(float(law.pdf(point)), rel=1e-5)


def test_a_law_without_a_density_is_refused_when_it_is_written():
    with pytest.raises(TypeError, match="Nothing needs _pdf or _logpdf"):
        type("Nothing", (Law,), {})
