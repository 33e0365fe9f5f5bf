"""Bands hold what comes, and gaps open as 1/S: on processes whose law is known."""

import numpy as np
import pytest
import xarray as xr
from known_levels import START, ornstein_uhlenbeck, tracked

from sgdyson.errors import InvalidInputError
from sgdyson.tracking import _gap_drift, dyson_test, forecast, gap_drift, matrix_dynamics

EVERY = 10


def recorded(friction, kick, drift=0.0, updates=3600, seed=0):
    random = np.random.default_rng(seed)
    w = random.standard_normal((20, 12)) * (kick / (2 * friction) ** 0.5 if friction else 1.0)
    levels = []
    for step in range(updates):
        if step % EVERY == 0:
            levels.append(np.linalg.svd(w, compute_uv=False))
        kicks = kick * random.standard_normal(w.shape)
        w = (1 - friction) * w + kicks + drift * np.eye(20)[:, :12]
    return xr.Dataset(
        {"s_w": (("time", "level"), np.array(levels), {"name": "w", "shape": [20, 12]})},
        coords={"time": EVERY * np.arange(len(levels))},
    )


def coverage(run, ahead=200, widened=1.0):
    """Of forecasts from five records on, held against the later ones."""
    found = []
    for first in np.linspace(1400, 3300, 5).round(-1):
        past = run.isel(time=run.time.values <= first)
        told = forecast(past, "w", ahead, points=10)
        came = run["s_w"].sel(time=told.steps).values
        half = widened * np.maximum(told.high - told.mean, told.mean - told.low)
        found.append(np.mean(np.abs(came - told.mean) <= half) if widened != 1.0 else
                     told.coverage(came))  # fmt: skip
    return float(np.mean(found))


class TestForecast:
    @pytest.mark.parametrize(("friction", "drift"), [(0.01, 0.0), (0.001, 0.0), (0.0, 0.001)])
    def test_nine_tenths_of_what_comes_lie_in_the_band(self, friction, drift):
        """Five forecasts of twelve levels that move together: 0.9 within 0.1."""
        run = recorded(friction, 0.003, drift)
        assert 0.8 < coverage(run) < 0.99
        assert coverage(run, widened=0.3) < 0.65  # a band of a third would not do

    def test_a_drift_is_followed(self):
        run = recorded(0.0, 0.001, drift=0.001)
        told = forecast(run.isel(time=slice(0, 200)), "w", 300)
        now, later = run["s_w"].values[[199, 229]]
        told_way, way = told.mean[-1] - now, later - now
        assert told_way @ way / (way @ way) == pytest.approx(1, abs=0.3)
        assert np.abs(told_way - way).max() < 0.5 * np.abs(way).max()

    def test_records_need_not_lie_where_the_forecast_is_told(self):
        run = recorded(0.01, 0.003)
        told = forecast(run.isel(time=run.time.values % 70 < 20), "w", 600, points=12)
        assert 0.3 < told.factor < 3

    def test_refusals(self):
        run = recorded(0.01, 0.003, updates=400)
        with pytest.raises(InvalidInputError, match="look at most 130 ahead"):
            forecast(run, "w", 200)
        still = run.copy(deep=True)
        still["s_w"].values[:] = 1.0
        with pytest.raises(InvalidInputError, match="at rest"):
            forecast(still, "w", 100)

    @pytest.mark.parametrize(
        ("ahead", "points", "steps"),
        [(120, 4, [30, 60, 90, 120]), (100, 7, [15, 29, 43, 58, 72, 86, 100])],
    )
    def test_it_tells_of_updates_after_the_last_record(self, ahead, points, steps):
        run = recorded(0.01, 0.003)
        told = forecast(run, "w", ahead, points=points)
        assert (told.steps - int(run.time[-1])).tolist() == steps
        assert told.mean.shape == told.low.shape == told.high.shape == (points, 12)

    def test_levels_stay_in_order_and_positive(self):
        told = forecast(recorded(0.001, 0.003), "w", 400)
        assert (np.diff(told.mean, axis=1) < 0).all()
        assert (told.low >= 0).all()


class TestGaps:
    def test_open_as_the_measured_diffusion_says(self, tmp_path):
        """No free parameter; rows with unlike noise give each level its own diffusion."""
        random = np.random.default_rng(2)
        strength = np.linspace(0.5, 1.5, 20)[:, None]
        centre = np.eye(20)[:, :12] * np.linspace(1.2, 0.6, 12)

        def move(w, step):
            return w - 0.01 * (w - centre) + 0.001 * strength * random.standard_normal(w.shape)

        run = tracked(tmp_path / "r", move, centre, 3000, every=1)
        found = gap_drift(run, "w")
        assert abs(found.ratio.pull(1)) < 4
        assert found.ratio.error < 0.15
        assert found.pvalue > 1e-3
        dynamics = matrix_dynamics(run, "w", start=500)
        np.testing.assert_allclose(dynamics.of_level, 1e-6 * strength[:12, 0] ** 2, rtol=0.15)
        test = dyson_test(run, "w")
        assert test.gap is not None
        assert "Gaps open by" in str(test)

    def test_do_not_where_noise_does_not_mix(self, tmp_path):
        random = np.random.default_rng(0)
        centre = np.linspace(1.2, 0.6, 12)

        def move(w, step):
            u, s, v = np.linalg.svd(w, full_matrices=False)
            return (u * (s - 0.01 * (s - centre) + 0.001 * random.standard_normal(12))) @ v

        found = gap_drift(tracked(tmp_path / "r", move, np.eye(20)[:, :12] * centre, 800, 1), "w")
        assert found.ratio.value == pytest.approx(0, abs=1e-6)
        assert found.pvalue < 1e-6

    def test_too_few_are_refused(self, tmp_path):
        run = tracked(tmp_path / "r", ornstein_uhlenbeck(), START, 60)
        with pytest.raises(InvalidInputError, match="400 are needed"):
            gap_drift(run, "w")


class TestBins:
    """Openings of gaps that are what is predicted, and noise."""

    def binned(self, seed, share=1.0, largest=1.0):
        random = np.random.default_rng(seed)
        gap = random.uniform(0.1, 1.0, (400, 3))
        gap[200, 1] = largest
        force = 0.01 / gap
        opened = share * force + 0.02 * random.standard_normal(gap.shape)
        return _gap_drift._binned(gap, opened, force, np.ones(gap.shape, bool))

    def test_p_values_are_even_where_theory_is_true_and_small_where_it_is_not(self):
        chances = np.array([self.binned(seed).pvalue for seed in range(200)])
        assert abs(np.mean(chances < 0.5) - 0.5) < 4 * 0.5 / 200**0.5
        assert np.mean(chances < 0.01) < 0.05
        assert max(self.binned(seed, share=0.0).pvalue for seed in range(20)) < 1e-3

    def test_the_largest_gap_is_in_the_last_bin(self):
        found = self.binned(0, largest=1000.0)
        assert found.gap[-1] == pytest.approx(1000 / 150, rel=0.2)  # of an eighth of 1200
        assert found.used == 1.0
