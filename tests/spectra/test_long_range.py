"""Long spectra against the exact theory of large matrices; each test with what it must reject."""

import numpy as np
import pytest

from sgdyson.ensembles import GaussianEnsemble, WishartEnsemble
from sgdyson.errors import InvalidInputError
from sgdyson.laws import Brody, ExactSpacing, Semicircle
from sgdyson.spectra import (
    brody_fit,
    form_factor,
    form_factor_theory,
    mean_ratio,
    nearest_spacings,
    number_variance,
    number_variance_theory,
    rigidity,
    rigidity_theory,
    two_level_cluster,
    unfold,
)
from sgdyson.stats import ks_test

LENGTHS = np.array([2.0, 20.0])


@pytest.fixture(scope="module", params=[1, 2])
def spectra(request):
    """beta, and 60 unfolded spectra of 1000 levels, 15 % left out at each edge."""
    beta = request.param
    levels = GaussianEnsemble(1000, beta).eigenvalues(60, 1)
    cdf = Semicircle(np.sqrt(2 * beta * 1000)).cdf
    return beta, levels, unfold(levels, "law", cdf=cdf, trim=0.15)


def poisson(samples: int = 60, levels: int = 700) -> np.ndarray:
    return np.cumsum(np.random.default_rng(3).exponential(size=(samples, levels)), axis=1)


def pulls(curve, theory) -> np.ndarray:
    return np.abs(curve.value - theory) / curve.error


def test_number_variance_and_rigidity(spectra):
    beta, _, unfolded = spectra
    other = 3 - beta
    for statistic, theory in (
        (number_variance, number_variance_theory),
        (rigidity, rigidity_theory),
    ):
        found = statistic(unfolded, LENGTHS)
        assert pulls(found, theory(LENGTHS, beta)).max() < 4
        assert pulls(found, theory(LENGTHS, other)).min() > 8
        assert pulls(found, theory(LENGTHS, 0)).min() > 8
        assert pulls(statistic(1.02 * unfolded, LENGTHS), theory(LENGTHS, beta)).max() > 4


def test_mean_ratios(spectra):
    # Atas et al. (2013): of large matrices
    published = {0: 0.3863, 1: 0.5307, 2: 0.5996, 4: 0.6744}
    beta, levels, _ = spectra
    found = mean_ratio(levels[:, 100:-100])
    for other, value in published.items():
        assert (abs(found.pull(value)) < 4) == (other == beta)
    assert abs(mean_ratio(poisson()).pull(published[0])) < 4
    symplectic = mean_ratio(GaussianEnsemble(400, 4).eigenvalues(60, 2)[:, 40:-40])
    assert abs(symplectic.pull(published[4])) < 4


def test_form_factor(spectra):
    beta, _, unfolded = spectra
    times = np.linspace(0.05, 1.6, 60)
    found = form_factor(unfolded, times)

    def chi2(theory):
        return np.mean(pulls(found, theory) ** 2)

    # neighbouring times are nearly independent: 1 with a spread of 0.2, errors estimated
    assert chi2(form_factor_theory(times, beta)) < 2
    assert chi2(form_factor_theory(times, 3 - beta)) > 3
    assert chi2(form_factor_theory(times, 0)) > 3


def test_unfolded_spacings(spectra):
    beta, _, unfolded = spectra
    spacing = nearest_spacings(unfolded)
    assert spacing.mean() == pytest.approx(1.0, abs=1e-12)
    few = spacing[:, ::7].ravel()  # nearly independent
    assert ks_test(few, ExactSpacing(beta).cdf).pvalue > 1e-3
    assert ks_test(few, ExactSpacing(3 - beta).cdf).pvalue < 1e-6
    next_one = nearest_spacings(unfolded, order=2)
    assert next_one.mean() == pytest.approx(2.0, abs=0.01)
    q = brody_fit(spacing)
    assert q.value > 0.9
    assert brody_fit(nearest_spacings(poisson())).value < 0.03


def test_independent_levels():
    x = poisson()
    assert pulls(number_variance(x, LENGTHS), LENGTHS).max() < 4
    assert pulls(rigidity(x, LENGTHS), LENGTHS / 15).max() < 4
    assert pulls(number_variance(x, LENGTHS), 1.1 * LENGTHS).max() > 4


def test_brody_is_recovered():
    q = brody_fit(Brody(0.4).rvs((40, 500), 1))
    assert abs(q.pull(0.4)) < 4
    assert abs(q.pull(0.5)) > 4


def test_a_picket_fence_is_as_rigid_as_can_be():
    fence = np.tile(np.arange(2000.0), (2, 1))
    # of whole lengths, averaged over where a window begins, 1/12
    offsets = np.linspace(0, 1, 40, endpoint=False)
    shifted = np.arange(60.0) + offsets[:, None]
    assert rigidity(shifted, [20.0]).value[0] == pytest.approx(1 / 12, rel=0.02)
    assert number_variance(fence, [20.0]).value[0] == 0


def test_theory_at_large_lengths():
    # Mehta, chapter 16: asymptotic number variances, and the rigidity of beta = 2
    length, gamma = np.array([60.0]), np.euler_gamma
    log = np.log(2 * np.pi * length) + gamma
    np.testing.assert_allclose(
        number_variance_theory(length, 1), 2 / np.pi**2 * (log + 1 - np.pi**2 / 8), atol=1e-3
    )
    np.testing.assert_allclose(number_variance_theory(length, 2), (log + 1) / np.pi**2, atol=1e-3)
    np.testing.assert_allclose(
        number_variance_theory(length, 4),
        (log + np.log(2) + 1 + np.pi**2 / 8) / (2 * np.pi**2), atol=3e-3,
    )  # fmt: skip
    np.testing.assert_allclose(rigidity_theory(length, 2), (log - 1.25) / (2 * np.pi**2), atol=1e-3)
    np.testing.assert_allclose(rigidity_theory(length, 0), length / 15, rtol=1e-12)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_form_factor_and_cluster_function_belong_together(beta):
    # a large spectrum is incompressible: int Y2 = 1; and K is the transform of Y2, at r = 0
    r = np.linspace(0, 400, 400_001)
    weights = np.full(len(r), r[1])
    weights[0] /= 2
    assert 2 * np.sum(weights * two_level_cluster(r, beta)) == pytest.approx(1, abs=2e-3)
    tau = (np.arange(2_000_000) + 0.5) * 1e-5 * 2
    hole = (1 - form_factor_theory(tau, beta)).sum() * 2e-5 * 2
    # beta = 1: 1 - K falls as 1/(12 tau^2)
    assert hole == pytest.approx(float(two_level_cluster(0.0, beta)), abs=6e-3)


@pytest.mark.parametrize("method", ["law", "polynomial", "spline", "local"])
def test_unfolding_makes_a_known_density_uniform(method):
    # levels of a stretched lattice with small jitter
    rng = np.random.default_rng(5)
    uniform = (np.arange(1000) + 0.5 + 0.2 * rng.standard_normal((4, 1000))) / 1000
    law = Semicircle(2.0)
    levels = law.ppf(np.sort(np.clip(uniform, 1e-6, 1 - 1e-6), axis=1))[:, ::-1]
    unfolded = unfold(levels, method, cdf=law.cdf, degree=15, knots=12, trim=0.1)
    assert unfolded.shape == (4, 800)
    spacing = nearest_spacings(unfolded)
    assert spacing.mean() == pytest.approx(1, abs=1e-12)
    parts = spacing[:, :795].reshape(4, 5, 159).mean(axis=(0, 2))
    np.testing.assert_allclose(parts, 1, atol=0.03)
    raw = nearest_spacings(levels[:, 100:900])
    parts = raw[:, :795].reshape(4, 5, 159).mean(axis=(0, 2)) / raw.mean()
    assert np.abs(parts - 1).max() > 0.03


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: unfold(np.arange(5.0)), "5 levels"),
        (lambda: unfold(np.arange(50.0), "magic"), "magic"),
        (lambda: unfold(np.arange(50.0), "law"), "cdf"),
        (lambda: unfold(np.arange(50.0), trim=0.6), r"0\.6"),
        (lambda: unfold(np.sort(np.random.default_rng(0).standard_normal(500))), "larger trim"),
        (lambda: unfold(np.arange(50.0), "law", cdf=lambda x: 1 - x / 50), "rising probabilities"),
        (lambda: unfold([np.nan] * 20), "NaN"),
        (lambda: number_variance(poisson(3, 50), [1000.0]), "1000"),
        (lambda: rigidity(np.arange(12.0), [2.0]), "12 levels"),
        (lambda: form_factor(poisson(3, 50), [0.01]), r"0\.01"),
        (lambda: mean_ratio(np.ones((1, 50))), "1 samples"),
        (lambda: number_variance_theory([-1.0], 1), r"-1\.0"),
        (lambda: form_factor_theory([1.0], 3), "beta = 3"),
        (lambda: nearest_spacings(np.arange(4.0), 4), "order = 4"),
        (lambda: nearest_spacings(np.arange(4.0), 1.5), r"order = 1\.5"),
        (lambda: number_variance(100 * poisson(3, 50), [1.0]), "mean spacing of"),
        (lambda: brody_fit(np.r_[-1.0, np.ones(60)]), r"-1\.0"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(InvalidInputError, match=named):
        call()


STATISTICS = {
    "mean_ratio": mean_ratio,
    "number_variance": lambda x: number_variance(x, [2.0]),
    "rigidity": lambda x: rigidity(x, [2.0]),
    "form_factor": lambda x: form_factor(x, [0.3, 0.8]),
    "nearest_spacings": nearest_spacings,
    **{
        f"unfold {method}": lambda x, method=method: unfold(
            x, method, cdf=lambda v: v / 2000, trim=0.05
        )
        for method in ("law", "polynomial", "spline", "local")
    },
}


def numbers(result):
    return [result.value, result.error] if hasattr(result, "value") else result


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("shape", [(900,), (6, 150)])
def test_the_order_of_levels_is_of_no_account(name, shape):
    statistic = STATISTICS[name]
    x = poisson(1, 900)[0].reshape(shape)
    expected = numbers(statistic(x))
    shuffled = np.random.default_rng(1).permuted(x, axis=-1)
    before = shuffled.copy()
    np.testing.assert_array_equal(numbers(statistic(shuffled)), expected)
    np.testing.assert_array_equal(shuffled, before)
    np.testing.assert_array_equal(numbers(statistic(x[..., ::-1])), expected)
    # levels that differ, not only in order, give other numbers
    assert not np.array_equal(numbers(statistic(np.sqrt(1000 * x))), expected)


@pytest.mark.parametrize("name", [*STATISTICS, "brody_fit"])
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda x: x + 1j, "real numbers"),
        (lambda x: np.where(x == x[3], np.nan, x), "1 values of NaN"),
        (lambda x: np.where(x == x[3], np.inf, x), "1 values of NaN or infinity"),
        (lambda x: [str(value) for value in x], "real numbers"),
        (lambda x: x.reshape(2, 2, -1), "shape"),
    ],
    ids=["complex", "nan", "inf", "text", "three axes"],
)
def test_all_statistics_refuse_alike(name, spoil, told):
    statistic = {**STATISTICS, "brody_fit": brody_fit}[name]
    with pytest.raises(InvalidInputError, match=told):
        statistic(spoil(np.arange(1.0, 101.0)))


ODD_SPECTRA = {
    "picket fence": np.arange(100),
    "multiplets of 4": np.repeat(np.sort(np.random.default_rng(0).random(50)), 4),
    "multiplets of 30": np.repeat(np.arange(8.0), 30),
    "constant": np.ones(100),
    "many zeros": np.r_[np.zeros(60), np.sort(np.random.default_rng(0).random(60))],
    "outlier": np.r_[np.sort(np.random.default_rng(0).random(99)), 1e6],
    "huge outliers": np.r_[-1.7e308, np.sort(np.random.default_rng(0).random(99)), 1.7e308],
    "subnormal": np.linspace(0, 1e-300, 50),
    "two values": np.r_[np.zeros(50, bool), np.ones(50, bool)],
    "nine": np.arange(9.0),
}


@pytest.mark.parametrize("levels", ODD_SPECTRA.values(), ids=ODD_SPECTRA)
@pytest.mark.parametrize("method", ["law", "polynomial", "spline", "local", "ratio"])
def test_odd_spectra_give_numbers_or_one_sentence(levels, method):
    low, span = float(levels[0]), float(levels[-1] / 2.0 - levels[0] / 2.0)
    if method == "ratio":
        assert levels.size < 30 or 0 <= mean_ratio(levels).value <= 1
        return
    result, told = outcome(lambda: unfold(levels, method, cdf=lambda x: (x / 2 - low / 2) / span))
    assert "cdf" not in told or method == "law"
    if result is not None:
        assert np.diff(result).min() >= 0
        assert np.diff(result).mean() == pytest.approx(1)


def outcome(call):
    """What a call gives, and "", or None and the sentence by which it refuses."""
    try:
        return call(), ""
    except InvalidInputError as error:
        return None, str(error)


def test_rigidity_knows_no_origin():
    x = poisson(20, 300)
    at_zero, far = (rigidity(x + offset, [10.0]).value[0] for offset in (0.0, 2.0**33))
    assert far == pytest.approx(at_zero, rel=1e-4)


@pytest.mark.parametrize("size", [100, 500])
def test_spectra_of_random_matrices_unfold_as_they_come(size):
    """A polynomial that overshoots at an edge gives way to one of a lower degree."""
    for ensemble in (GaussianEnsemble(size), WishartEnsemble(size, size)):
        unfolded = unfold(ensemble.eigenvalues(20, 1))
        assert (np.diff(unfolded, axis=1) >= 0).all()
        assert np.mean(np.diff(unfolded, axis=1)) == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("neighbours", [1, 3, 8])
def test_local_unfolding_by_its_definition(neighbours):
    """Each gap over the mean of those at most so many places away, fewer at the edges."""
    gaps = np.random.default_rng(4).exponential(size=20)
    unit = [
        gap / gaps[max(place - neighbours, 0) : place + neighbours + 1].mean()
        for place, gap in enumerate(gaps)
    ]
    levels = np.concatenate([[0.0], np.cumsum(gaps)])
    found = nearest_spacings(unfold(levels, "local", neighbours=neighbours))
    np.testing.assert_allclose(found, np.array(unit) / np.mean(unit), rtol=1e-12)


def test_the_weights_of_the_form_factor_keep_the_density_from_leaking():
    """Of equal spacings, K = 0 between the whole tau; without weights n/(5.5 pi)^2 is left."""
    fences = np.arange(200.0) + np.random.default_rng(5).uniform(size=(4, 1))
    left = form_factor(fences, 5.5 / 200).value
    assert left < 0.01 < 200 / (5.5 * np.pi) ** 2
