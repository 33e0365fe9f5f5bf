"""Spectra by Lanczos: errors that cover, numbers as of all levels, and what it refuses."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from sgdyson.errors import InvalidInputError
from sgdyson.spectra import SpectralMeasure, fit_bulk, spectrum
from sgdyson.spectra import _lanczos_spectrum as lanczos
from sgdyson.spectra._krylov import BlockLanczos, Quadrature
from sgdyson.spectra._spectrum import _kurtosis

FALSE_ALARM = 1e-4  # of each statistical check in this file
MATRICES = 24


def noise(random, shape):
    return random.standard_normal(shape)


def spiked(random, shape):
    u, v = (np.linalg.qr(random.standard_normal((size, 6)))[0] for size in shape)
    return noise(random, shape) + (u * np.linspace(1, 4, 6) * sum(np.sqrt(shape))) @ v.T


def uneven(random, shape):
    return noise(random, shape) * np.linspace(0.5, 1.5, shape[1])


def power_law(random, shape):
    size = min(shape)
    u, v = (np.linalg.qr(random.standard_normal((side, size)))[0] for side in shape)
    return (u * (1.0 + np.arange(size)) ** -0.7) @ v.T


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Vectors in all are two fifths of the levels, as if a matrix were larger."""
    monkeypatch.setattr(lanczos, "_STEPS", 12)


def numbers(w, seed=1000):
    return lanczos.lanczos_numbers(w, 0.01, _kurtosis(w), seed)


def smoothed(s, at, width):
    unit = width * np.sqrt(2 * np.pi)
    return np.mean(np.exp(-(((at[:, None] - s) / width) ** 2) / 2) / unit, axis=1)


@cache
def pulls(make, shape):
    """Distances from the exact numbers in units of the stated errors, by what they are of."""
    found = {}
    for seed in range(MATRICES):
        w = make(np.random.default_rng(seed), shape)
        s, measured = np.linalg.svd(w, compute_uv=False), numbers(w, seed + 1000)
        measure, p = measured.measure, s / s.sum()
        exact = {
            "sum": (measure.total(np.sqrt), s.sum()),
            "squares": (measure.total(np.square), np.sum(s**4)),
            "effective rank": (measured.effective_rank, np.exp(-np.sum(p * np.log(p)))),
            "below a tenth": (measure.count(0, s[0] / 10), np.sum(s < s[0] / 10)),
            "above a third": (measure.count(s[0] / 3, 2 * s[0]), np.sum(s > s[0] / 3)),
        }
        for name, (estimate, value) in exact.items():
            found.setdefault(name, []).append((estimate.value - value) / estimate.error)
        at, width = s[0] * np.array([0.15, 0.3]), s[0] / 15
        density, error = measure.density(at, width)
        off = (density - smoothed(s, at, width)) / error
        found.setdefault("density", []).append(off[0])
        found.setdefault("density higher up", []).append(off[1])
    return {name: np.array(values) for name, values in found.items()}


def exceeds(values, factor=1.0):
    """Whether errors are too small by more than a fifth, for pulls of a variance of one."""
    limit = stats.chi2.ppf(1 - FALSE_ALARM, len(values)) / len(values)
    return np.mean((factor * values) ** 2) > 1.2**2 * limit


SHAPES = [(600, 400), (400, 400), (300, 900)]


@pytest.mark.parametrize(
    ("make", "shape"),
    [*((make, SHAPES[0]) for make in (noise, spiked, uneven, power_law)),
     *((noise, shape) for shape in SHAPES[1:]),
     *(pytest.param(make, shape, marks=pytest.mark.slow)
       for make in (spiked, uneven, power_law) for shape in SHAPES[1:])],
)  # fmt: skip
def test_stated_errors_cover(make, shape):
    found = pulls(make, shape)
    assert len(found) == 7
    assert [name for name, values in found.items() if exceeds(values)] == []


def test_errors_half_as_large_would_be_noticed():
    found = pulls(noise, (600, 400))
    assert exceeds(found["sum"], 2)
    assert exceeds(found["squares"], 2)
    # and errors are not so large that they would cover anything
    assert min(np.std(found[name]) for name in ("sum", "squares", "effective rank")) > 0.4


class TestSpikes:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_noise_edge_outliers_and_norms_are_those_of_all_levels(self, shape):
        w = spiked(np.random.default_rng(5), shape)
        s, found = np.linalg.svd(w, compute_uv=False), numbers(w)
        exact = fit_bulk(s, shape, 0.01, _kurtosis(w))
        assert found.resolved
        assert found.bulk.outliers == exact.outliers >= 5
        for name in ("sigma", "edge"):
            ours, theirs = getattr(found.bulk, name), getattr(exact, name)
            assert ours.value == pytest.approx(theirs.value, rel=1e-6)
            assert ours.error == pytest.approx(theirs.error, rel=1e-6)
        assert found.bulk.threshold == pytest.approx(exact.threshold, rel=1e-6)
        assert found.frobenius == pytest.approx(np.linalg.norm(w))
        assert abs(found.spectral.pull(s[0])) < 3
        assert found.spectral.error < 1e-5 * s[0]
        top = np.sqrt(found.measure.top)
        assert top == pytest.approx(s[: len(top)], rel=1e-5)

    def test_outliers_that_steps_do_not_resolve_are_told(self, monkeypatch):
        monkeypatch.setattr(lanczos, "_STEPS", 3)
        monkeypatch.setattr(lanczos, "MOST_STEPS", 3)
        random = np.random.default_rng(0)
        u, v = (np.linalg.qr(random.standard_normal((400, 60)))[0] for _ in range(2))
        found = numbers(noise(random, (400, 400)) + (u * np.linspace(50, 60, 60)) @ v.T)
        assert not found.resolved


class TestIsItNoise:
    def refused(self, make, rate=0.05, matrices=120, shape=(300, 200)):
        ws = (make(np.random.default_rng(seed), shape) for seed in range(matrices))
        return sum(lanczos.lanczos_numbers(w, rate, _kurtosis(w), 7 + i).bulk.pvalue < rate
                   for i, w in enumerate(ws))  # fmt: skip

    @pytest.mark.parametrize("make", [noise, spiked])
    def test_noise_is_refused_no_more_often_than_stated(self, make, monkeypatch):
        monkeypatch.setattr(lanczos, "_STEPS", 10)
        assert self.refused(make) <= stats.binom.ppf(1 - FALSE_ALARM, 120, 0.05)

    @pytest.mark.parametrize(
        "make", [uneven, lambda r, shape: noise(r, shape) * np.exp(noise(r, (shape[0], 1)) / 3)]
    )
    def test_what_is_none_is_refused(self, make):
        assert self.refused(make, matrices=10) == 10


class TestRank:
    def test_zero_levels_are_counted(self):
        random = np.random.default_rng(0)
        w = noise(random, (900, 300)) @ np.linalg.qr(noise(random, (400, 300)))[0].T
        found = numbers(w)
        assert abs(found.rank.pull(300)) < 3.5
        assert found.rank.error < 30

    def test_none_but_what_the_last_node_may_hide(self):
        found = numbers(noise(np.random.default_rng(0), (600, 400)))
        assert found.rank.value == 400
        assert 0 < found.rank.error < 40

    def test_a_product_of_thin_matrices_is_known_as_a_whole(self):
        random = np.random.default_rng(0)
        w = noise(random, (500, 12)) @ noise(random, (12, 400))
        found, s = numbers(w), np.linalg.svd(w, compute_uv=False)
        assert np.sqrt(found.measure.top) == pytest.approx(s[:12], rel=1e-5)
        assert round(found.rank.value) == 12
        assert found.measure.total(np.sqrt).value == pytest.approx(s.sum(), rel=1e-3)


def test_every_level_comes_once():
    """The basis stays orthogonal; without that, converged levels come again as ghosts."""
    w = spiked(np.random.default_rng(3), (600, 400))
    iteration = BlockLanczos(w, 8, 0)
    iteration.go_on(40)
    basis = iteration._basis
    assert basis @ basis.T == pytest.approx(np.eye(len(basis)), abs=2e-6)
    s = np.linalg.svd(w, compute_uv=False)
    assert np.all(iteration.quadrature().levels <= s[: len(basis)] ** 2 * (1 + 1e-5))  # Cauchy


@cache
def large():
    return spiked(np.random.default_rng(1), (1300, 1030))


class TestOfAMatrix:
    def test_small_ones_are_exact(self):
        w = noise(np.random.default_rng(0), (90, 80))
        one, other = spectrum("w", w), spectrum("w", w, method="lanczos")
        assert one.to_row() == other.to_row()
        assert other.measure is None

    def test_rows_have_errors_and_say_what_is_missing(self):
        found, exact = spectrum("w", large(), method="lanczos"), spectrum("w", large())
        ours, theirs = found.to_row(), exact.to_row()
        assert isinstance(found.measure, SpectralMeasure)
        for name in ("spectral", "stable_rank", "effective_rank", "rank"):
            assert abs(ours[name] - theirs[name]) < 3 * ours[f"{name}_error"] + 1e-9
        for name in ("sigma", "edge", "threshold", "frobenius", "soft_rank", "outliers"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-5)
        for name in ("mean_ratio", "ks_pvalue", "mp_distance"):
            assert ours[name] is None
        assert "no <r> and no surmise: Lanczos does not resolve neighbouring levels" in found.notes

    def test_dead_rows_and_units_change_nothing(self):
        dead = np.zeros((1320, 1040))
        dead[10:1310, 5:1035] = large()
        one = spectrum("w", large(), method="lanczos")
        other = spectrum("w", dead * 2.0**200, method="lanczos")
        assert other.spectral == pytest.approx(2.0**200 * one.spectral, rel=1e-5)
        assert other.bulk.sigma.value == pytest.approx(2.0**200 * one.bulk.sigma.value, rel=1e-5)
        assert other.rank == one.rank == 1030
        count = other.measure.count(0, 2.0**200 * 30)
        assert count.value == pytest.approx(one.measure.count(0, 30).value, rel=1e-3)

    def test_what_needs_single_levels_is_refused(self):
        with pytest.raises(InvalidInputError, match="has no tail"):
            spectrum("w", large(), method="lanczos", tail=True)
        with pytest.raises(InvalidInputError, match="must be one of exact, lanczos"):
            spectrum("w", large(), method="power")
        measure = spectrum("w", large(), method="lanczos").measure
        with pytest.raises(InvalidInputError, match="in this order"):
            measure.count(2.0, 1.0)
        with pytest.raises(InvalidInputError, match="width"):
            measure.density(1.0, 0.0)


def test_known_levels_end_at_the_first_that_has_not_settled():
    """Beyond it one may be missing among the nodes, and all later ones would be misnumbered."""
    levels = np.array([9.0, 4.0, 3.0, 1.0, 0.25])
    nodes = Quadrature(levels, np.full(5, 0.2), np.array([0.0, 0.0, 0.1, 0.0, 0.2]))
    iteration = SimpleNamespace(steps=2, size=20, block=3, quadrature=lambda steps: nodes)
    measure = lanczos._measure(iteration, nodes, 50.0)
    np.testing.assert_array_equal(measure.top, [9.0, 4.0])
    np.testing.assert_array_equal(measure.levels, [3.0, 1.0, 0.25])
    assert measure.trace == 50.0 - 13.0
    settled = Quadrature(levels, nodes.weights, np.zeros(5))
    np.testing.assert_array_equal(lanczos._measure(iteration, settled, 50.0).top, levels)


def test_a_residual_moves_a_singular_value_by_half_of_itself_over_it():
    """The root of 4.01 is 2.0025; the rest is the rounding of float32."""
    found = lanczos._spectral(Quadrature(np.array([4.0]), np.ones(1), np.array([0.01])))
    assert found.value == 2.0
    assert found.error == pytest.approx(4.01**0.5 - 2.0, rel=2e-3)
