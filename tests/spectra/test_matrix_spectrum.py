"""The numbers of one matrix: is there a bulk, dead units, products, scales; sizes and powers."""

import numpy as np
import pytest
from scipy import stats

from sgdyson.errors import InvalidInputError
from sgdyson.spectra import fit_bulk, fit_tail, levels_of_gram, levels_of_weights, spectrum
from sgdyson.spectra._spectrum import _kurtosis
from sgdyson.spectra._sphericity import sphericity_pvalue

FALSE_ALARM = 1e-4  # of each statistical check in this file


def refused(random, draw, matrices, alpha=0.01):
    def one():
        w = draw(random)
        s = np.linalg.svd(w, compute_uv=False)
        return not fit_bulk(s, w.shape, alpha, kurtosis=_kurtosis(w)).is_noise

    return sum(one() for _ in range(matrices))


def spiked(random):
    u = np.linalg.qr(random.standard_normal((160, 3)))[0] * [2.0, 4.0, 8.0]
    v = np.linalg.qr(random.standard_normal((80, 3)))[0]
    return random.standard_normal((160, 80)) + 22 * u @ v.T


NOISE = {
    "Gaussian": lambda r: r.standard_normal((160, 80)),
    "wide": lambda r: r.standard_normal((40, 300)),
    "uniform": lambda r: r.uniform(-1, 1, (80, 80)),
    "of heavier tails": lambda r: r.laplace(size=(160, 80)),
    "with spikes": spiked,
    "small": lambda r: r.standard_normal((12, 7)),
}


@pytest.mark.parametrize("kind", NOISE)
def test_noise_is_refused_no_more_often_than_stated(kind):
    matrices, alpha = 120, 0.05
    count = refused(np.random.default_rng(1), NOISE[kind], matrices, alpha)
    # the levels of heavy tails rise above the edge more often, which costs twice the rate
    rate = 2 * alpha if kind == "of heavier tails" else alpha
    assert count <= stats.binom.ppf(1 - FALSE_ALARM, matrices, rate)


NOT_NOISE = {
    "rows of different size": lambda r: (
        r.standard_normal((160, 80)) * np.exp(0.3 * r.standard_normal((160, 1)))
    ),
    "correlated columns": lambda r: np.cumsum(r.standard_normal((160, 80)), axis=1),
    "a power law": lambda r: (
        np.linalg.qr(r.standard_normal((160, 80)))[0] * (1 + np.arange(80.0)) ** -1.0
    ),
    "an embedding, a third of whose directions are learnt": lambda r: (
        r.standard_normal((800, 60)) * np.where(np.arange(60) < 40, 3.0, 0.3)
    ),
    "orthogonal": lambda r: np.linalg.qr(r.standard_normal((160, 80)))[0],
}


@pytest.mark.parametrize("kind", NOT_NOISE)
def test_what_is_no_noise_is_refused_and_has_no_outliers(kind):
    random = np.random.default_rng(2)
    assert refused(random, NOT_NOISE[kind], 20) == 20
    measured = spectrum("w", NOT_NOISE[kind](random))
    row = measured.to_row()
    assert {row[key] for key in ("sigma", "edge", "threshold", "outliers")} == {None}
    assert row["mp_distance"] > 0
    assert row["bulk_pvalue"] < 0.01
    assert any("no bulk" in note for note in measured.notes)


def test_the_pvalue_of_gaussian_noise_is_uniform():
    random, n, m = np.random.default_rng(3), 20, 50
    draws = np.linalg.svd(random.standard_normal((400, m, n)), compute_uv=False)
    p = [sphericity_pvalue(s**2, (m, n), (0.0, 0.0)) for s in draws]
    assert stats.kstest(p, "uniform").pvalue > FALSE_ALARM
    wider = [sphericity_pvalue(s**2.3, (m, n), (0.0, 0.0)) for s in draws]
    assert stats.kstest(wider, "uniform").pvalue < FALSE_ALARM


def test_the_ratio_has_the_mean_and_variance_of_johns_formula():
    from sgdyson.spectra._sphericity import _law

    random, n, m, size = np.random.default_rng(4), 4, 7, 10_000
    w = random.standard_normal((size, m, n))
    x = np.linalg.eigvalsh(w.mT @ w)
    ratio = (x**2).sum(1) / x.sum(1) ** 2 - 1 / n
    shape, scale = _law(n, m, 0.0)
    law = stats.gamma(shape, scale=scale)
    error = ratio.std() / size**0.5
    assert abs(ratio.mean() - law.mean()) < 4 * error
    assert abs(ratio.mean() - law.mean() * 1.05) > 4 * error
    assert ratio.var() == pytest.approx(law.var(), rel=0.1)  # four errors: sqrt(2 kurt/size)


class TestDeadUnits:
    def test_numbers_are_those_of_the_live_part(self):
        random = np.random.default_rng(5)
        live = random.standard_normal((100, 40))
        dead = np.zeros((120, 80))
        dead[10:110, 20:60] = live
        for whole in (dead, dead.T):
            of_whole, alone = spectrum("w", whole), spectrum("w", live)
            assert of_whole.rank == 40
            assert of_whole.bulk.outliers == 0
            assert of_whole.bulk.sigma.value == pytest.approx(alone.bulk.sigma.value, rel=1e-12)
            assert of_whole.effective_rank == pytest.approx(alone.effective_rank, rel=1e-9)
            assert of_whole.singular_values.shape == (80,)

    @pytest.mark.parametrize("precision", [np.float32, np.float64])
    @pytest.mark.parametrize("rank", [4, 20])
    def test_a_product_of_thin_matrices_has_no_bulk(self, rank, precision):
        random = np.random.default_rng(6)
        left, right = random.standard_normal((200, rank)), random.standard_normal((rank, 100))
        measured = spectrum("w", left.astype(precision) @ right.astype(precision), tail=True)
        assert measured.rank == rank
        assert measured.bulk is None
        assert "rank" in measured.notes[0]
        assert measured.tail.start > 1.0  # not among the residue of rounding

    def test_the_smallest_level_of_a_large_square_is_no_residue(self):
        w = np.random.default_rng(7).standard_normal((300, 300)).astype(np.float32)
        assert spectrum("w", w).rank == 300


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-30, 1e30, 1e154, 1e300])
@pytest.mark.parametrize("shape", [(30, 20), (100, 80)])
def test_everything_but_the_scale_is_that_of_scale_one(shape, scale):
    w = np.random.default_rng(8).standard_normal(shape)
    one = spectrum("w", w, tail=True, tail_draws=0, randomise=0)
    many = spectrum("w", w * scale, tail=True, tail_draws=0, randomise=0)
    tolerance = 1e-3 if scale < 1e-300 else 1e-6  # what is subnormal has few digits
    for name in ("spectral", "frobenius", "random_spectral"):
        assert getattr(many, name) / scale == pytest.approx(getattr(one, name), rel=tolerance)
    assert many.bulk.sigma.value / scale == pytest.approx(one.bulk.sigma.value, rel=tolerance)
    assert many.bulk.outliers == one.bulk.outliers
    assert many.stable_rank == pytest.approx(one.stable_rank, rel=tolerance)
    assert many.tail.exponent.value == pytest.approx(one.tail.exponent.value, rel=tolerance)


def test_a_tail_that_cannot_be_fitted_is_a_note():
    for matrix in (np.eye(6), np.ones((2, 9)), np.array([[3.0, 0.0], [0.0, 4.0]])):
        measured = spectrum("w", matrix, tail=True)
        assert measured.tail is None
        assert any("no tail" in note for note in measured.notes)


def test_small_samples_always_have_a_pvalue():
    random = np.random.default_rng(9)
    for _ in range(150):
        x = random.integers(1, 6, random.integers(3, 9)).astype(float)
        if np.unique(x).size >= 3:
            assert 0 <= fit_tail(x, draws=20).pvalue <= 1


def test_levels_that_differ_by_rounding_alone_have_no_tail():
    with pytest.raises(InvalidInputError, match="different"):
        fit_tail(1e5 * (1 + np.arange(3) * 2e-16))


def test_bulk_and_tail_are_of_real_matrices():
    with pytest.raises(InvalidInputError, match="complex"):
        spectrum("w", np.ones((3, 2)) + 1j)


@pytest.mark.parametrize("door", [levels_of_weights, levels_of_gram, lambda w: spectrum("w", w)])
def test_every_door_refuses_words(door):
    with pytest.raises(InvalidInputError, match="real numbers"):
        door(np.array([["a", "b"], ["c", "d"]]))


@pytest.mark.parametrize("scale", [1e-170, 1.0, 1e100, 1e150])
@pytest.mark.parametrize("shape", [(3, 5, 4), (3, 4, 6)])
def test_both_doors_lead_to_the_same_levels(shape, scale):
    w = np.random.default_rng(10).standard_normal(shape) * scale
    np.testing.assert_allclose(levels_of_gram(w), levels_of_weights(w), rtol=1e-9, atol=0)


def test_weights_that_are_not_finite_have_levels_that_are_not():
    w = np.ones((2, 3, 3))
    w[1, 0, 0] = np.inf
    assert np.isnan(levels_of_gram(w)[1]).all()
    assert np.isfinite(levels_of_gram(w)[0]).all()


def test_the_law_of_a_bulk_is_the_one_that_was_fitted():
    w = 0.3 * np.random.default_rng(11).standard_normal((200, 100))
    bulk = fit_bulk(np.linalg.svd(w, compute_uv=False), w.shape)
    assert bulk.law.edges[1] == pytest.approx(bulk.edge.value, rel=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 5, 50])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rank_of_products_of_thinner_matrices(rank, dtype):
    """What a decomposition leaves of zero is no level, of weights in float64 either."""
    random = np.random.default_rng(rank)
    w = random.standard_normal((300, rank)) @ random.standard_normal((rank, 200))
    measured = spectrum("w", w.astype(dtype))
    assert measured.rank == rank
    assert measured.notes == (f"no bulk: of rank {rank}, it is a product of thinner matrices",)


def test_small_levels_of_float64_count():
    """Down to 1e-12 of the largest, which float64 tells and float32 would not."""
    random = np.random.default_rng(0)
    left, right = (np.linalg.qr(random.standard_normal((n, 80)))[0] for n in (100, 80))
    assert spectrum("w", left * np.geomspace(1, 1e-12, 80) @ right.T).rank == 80
