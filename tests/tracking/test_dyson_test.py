"""The Dyson index: its value where it is known, its size and power, and what is left out."""

import time

import numpy as np
import pytest
from known_levels import BURSTS, START, bands, complex_noise, noise, ornstein_uhlenbeck, tracked
from scipy.stats import binom, kstest

from sgdyson.errors import InvalidInputError
from sgdyson.tracking import (
    Burst,
    Cadence,
    Run,
    Tracker,
    dyson_index,
    dyson_test,
    level_steps,
    open_run,
)


class TestLevelSteps:
    @pytest.mark.parametrize("shape", [(9, 6), (6, 9), (7, 7), (90, 70), (70, 90)])
    def test_are_elements_of_the_update_in_the_basis_before_it(self, shape):
        before, after = noise(shape, 1), noise(shape, 2)
        u, _, v = np.linalg.svd(before, full_matrices=False)
        expected = u.T @ (after - before) @ v.T
        found = level_steps(before, after)
        for i in range(min(shape)):
            for d in range(-2, 3):
                if 0 <= i + d < min(shape):
                    assert abs(found[i, 2 + d]) == pytest.approx(abs(expected[i, i + d]), abs=1e-9)
                else:
                    assert np.isnan(found[i, 2 + d])
        np.testing.assert_allclose(found[:, 2], np.diag(expected), atol=1e-9)

    def test_second_order_perturbation_theory_holds_with_all_neighbours(self):
        """The way of each level, to third order: what the index is the ratio of."""
        w, dw = noise((8, 5), 3), 1e-4 * noise((8, 5), 4)
        u, s, v = np.linalg.svd(w)
        a, down = (u.T @ dw @ v.T)[:5], (u.T @ dw @ v.T)[5:]
        moved = np.linalg.svd(w + dw, compute_uv=False) - s - np.diag(a)
        for i in range(5):
            j = np.arange(5) != i
            second = np.sum((a[i, j] + a[j, i]) ** 2 / (4 * (s[i] - s[j])))
            second += np.sum((a[i, j] - a[j, i]) ** 2 / (4 * (s[i] + s[j])))
            second += np.sum(down[:, i] ** 2) / (2 * s[i])
            assert moved[i] == pytest.approx(second, abs=1e-10)

    def test_complex_matrices(self):
        before, after = complex_noise((6, 5), 1), complex_noise((6, 5), 2)
        s = [np.linalg.svd(before + t * (after - before), compute_uv=False) for t in (0, 1e-7)]
        np.testing.assert_allclose(
            level_steps(before, after)[:, 2].real, (s[1] - s[0]) / 1e-7, atol=1e-5
        )

    def test_two_shapes_are_refused(self):
        with pytest.raises(InvalidInputError, match="one matrix, twice"):
            level_steps(np.ones((3, 2)), np.ones((2, 3)))


class TestIndex:
    @pytest.mark.parametrize("levels", [8, 64])
    def test_size(self, levels):
        """P-values against 1 of noise whose index is 1 are uniform."""
        runs = 200 if levels == 8 else 60
        found = [dyson_index(bands(noise((10, 8, levels, levels), seed))) for seed in range(runs)]
        assert kstest([index.pvalue_one for index in found], "uniform").pvalue > 1e-3
        wrong = sum(index.pvalue_one < 0.05 for index in found)
        assert binom.sf(wrong - 1, runs, 0.05) > 1e-3
        pulls = [index.index.pull(1) for index in found]
        assert abs(np.mean(pulls)) < 4 / runs**0.5
        assert all(index.pvalue_zero < 1e-3 for index in found)

    @pytest.mark.slow
    def test_size_of_512_levels(self):
        found = [dyson_index(bands(noise((4, 8, 512, 512), seed))) for seed in range(30)]
        assert kstest([index.pvalue_one for index in found], "uniform").pvalue > 1e-3

    @pytest.mark.slow
    def test_power_of_512_levels(self):
        """Four bursts tell 1 from 0.9."""
        weaker = np.full((512, 512), 0.9**0.5) + (1 - 0.9**0.5) * np.eye(512)
        found = [dyson_index(bands(noise((4, 8, 512, 512), seed) * weaker)) for seed in range(20)]
        assert np.mean([index.pvalue_one < 0.01 for index in found]) > 0.95
        assert np.mean([index.index.value for index in found]) == pytest.approx(0.9, abs=0.01)

    @pytest.mark.parametrize("levels", [8, 64])
    def test_power(self, levels):
        """An index of 1 is told from 0.8 at one level, from 0 always."""
        weaker = np.full((levels, levels), 0.8**0.5) + (1 - 0.8**0.5) * np.eye(levels)
        bursts = 150 if levels == 8 else 20
        found = [
            dyson_index(bands(noise((bursts, 8, levels, levels), seed) * weaker))
            for seed in range(10)
        ]
        assert all(index.pvalue_one < 0.01 for index in found)
        assert np.mean([index.index.value for index in found]) == pytest.approx(0.8, abs=0.02)
        alone = dyson_index(bands(noise((10, 8, levels, levels)) * np.eye(levels)))
        assert alone.verdict == "levels do not repel"
        assert alone.pvalue_one < 1e-6
        assert alone.pvalue_zero > 0.99

    def test_the_stated_power_is_what_happens(self):
        """Of a run so short that an index of 1 is often not told from 0."""
        found = [dyson_index(bands(noise((1, 6, 3, 3), seed))) for seed in range(400)]
        told = np.mean([index.pvalue_zero < 0.005 for index in found])
        assert told < 0.5
        assert np.mean([index.power for index in found]) < 0.5
        assert all(index.verdict == "too little to tell" for index in found if index.power < 0.9)

    def test_complex_entries_have_two(self):
        found = dyson_index(bands(complex_noise((40, 8, 16, 16))))
        assert abs(found.index.pull(2)) < 3.5
        assert found.verdict == "neither"
        assert found.pvalue_one < 1e-6

    def test_noise_with_a_direction_has_what_theory_says(self):
        """Var a_ij = p_i q_j: (p_i q_j + p_j q_i)/(p_i q_i + p_j q_j), level by level."""
        p, q = np.geomspace(4, 0.25, 12), np.geomspace(0.5, 3, 12)
        found = dyson_index(bands(noise((400, 8, 12, 12)) * np.sqrt(np.outer(p, q))))
        g = np.outer(p, q)
        pulls = []
        for i in range(12):
            near = [j for j in range(i - 2, i + 3) if 0 <= j < 12 and j != i]
            exact = sum(g[i, j] + g[j, i] for j in near) / sum(g[i, i] + g[j, j] for j in near)
            # pairs of one level lie close enough for their weights to be those of theory
            pulls.append(
                (found.of_level[i].value - exact) / np.hypot(found.of_level[i].error, 0.02)
            )
        assert np.abs(pulls).max() < 3.5
        assert found.verdict == "neither"

    def test_drift_and_alternation_of_the_mean_change_nothing(self):
        random = noise((30, 8, 10, 10))
        plain = dyson_index(bands(random))
        signs = (-1.0) ** np.arange(8)[None, :, None, None]
        moved = random + 5 * noise((30, 1, 10, 10), 7) + 0.3 * signs * noise((30, 1, 10, 10), 8)
        assert dyson_index(bands(moved)).index.value == pytest.approx(plain.index.value, rel=1e-9)

    def test_a_learning_rate_that_falls_and_noisy_levels_do_not_bias_it(self):
        rates = np.geomspace(1, 1e-3, 40)[:, None, None, None]
        rows = np.geomspace(30, 0.1, 10)[:, None] ** 0.5
        found = dyson_index(bands(noise((40, 8, 10, 10)) * rates * rows * rows.T))
        even = dyson_index(bands(noise((40, 8, 10, 10))))
        assert found.index.error < 1.3 * even.index.error
        assert found.updates == 320

    def test_null_levels_are_left_out(self):
        updates = noise((30, 8, 10, 10))
        updates[..., 9, :] = updates[..., :, 9] = 1e-6 * noise((30, 8, 10), 3)
        found = dyson_index(bands(updates))
        assert found.null == (9,)
        assert found.of_level[9] is None
        assert found.verdict == "Dyson Brownian motion"

    def test_an_alternating_level_is_left_out(self):
        updates = noise((30, 8, 10, 10))
        updates[..., 0, 0] += 4 * (-1.0) ** np.arange(8)
        found = dyson_index(bands(updates))
        assert found.alternating == (0,)
        assert found.verdict == "Dyson Brownian motion"
        assert dyson_index(bands(noise((30, 8, 10, 10)))).alternating == ()

    def test_too_few_steps_are_refused(self):
        with pytest.raises(InvalidInputError, match="too few"):
            dyson_index(bands(noise((1, 3, 10, 10))))


class TestRuns:
    def test_independent_entries(self, tmp_path):
        found = dyson_test(
            tracked(tmp_path / "r", ornstein_uhlenbeck(), START, 2000), "w", start=100
        )
        assert found.verdict == "Dyson Brownian motion"
        assert abs(found.index.pull(1)) < 3.5
        assert found.pvalue_zero < 1e-6
        assert found.remarks == ()
        assert found.drift > 1e-3

    def test_every_step_recorded_says_the_same(self, tmp_path):
        found = dyson_test(tracked(tmp_path / "r", ornstein_uhlenbeck(), START, every=1), "w")
        assert found.verdict == "Dyson Brownian motion"
        assert found.all_levels.updates == 599

    @pytest.mark.parametrize("every", [7, "log"])
    def test_single_updates_far_apart(self, tmp_path, every):
        run = tracked(tmp_path / "r", ornstein_uhlenbeck(), START, 600, every=every)
        steps = Run(run).level_steps("w")
        assert np.isfinite(steps[2:, :, 2]).all()
        if every == 7:
            assert dyson_test(run, "w").verdict == "Dyson Brownian motion"

    def test_noise_in_a_fixed_frame_does_not_repel(self, tmp_path):
        random = np.random.default_rng(0)

        def move(w, step):
            u, s, v = np.linalg.svd(w, full_matrices=False)
            return (u * (0.99 * s + 0.005 * random.standard_normal(12))) @ v

        found = dyson_test(tracked(tmp_path / "r", move, START + np.eye(20)[:, :12]), "w")
        assert found.verdict == "levels do not repel"
        assert found.index.value < 1e-12

    def test_a_softmax_head_with_weight_decay(self, tmp_path):
        """Its sum over classes has no gradient: that level is null, the others are not."""
        random = np.random.default_rng(0)

        def move(w, step):
            kick = random.standard_normal(w.shape)
            return 0.99 * w + 0.01 * (kick - kick.mean(axis=0))

        found = dyson_test(tracked(tmp_path / "r", move, START.T, 1200), "w", start=500)
        assert found.all_levels.null == (11,)
        assert "Level 12" in found.remarks[0]
        assert found.verdict == "Dyson Brownian motion"

    def test_at_rest_and_without_noise(self, tmp_path):
        still = tracked(tmp_path / "still", lambda w, step: w, START, 60)
        with pytest.raises(InvalidInputError, match="w is at rest: none of its"):
            dyson_test(still, "w")
        smooth = tracked(tmp_path / "smooth", lambda w, step: 0.99 * w, START)
        with pytest.raises(InvalidInputError, match="move without noise"):
            dyson_test(smooth, "w")

    def test_levels_too_far_apart(self, tmp_path):
        far = np.eye(20)[:, :12] * np.arange(12, 0, -1)
        found = dyson_test(
            tracked(tmp_path / "r", ornstein_uhlenbeck(friction=0.0, kick=1e-6), far), "w"
        )
        assert found.verdict == "too little to tell"
        assert any("too far apart" in remark for remark in found.remarks)

    def test_an_oscillation_is_told(self, tmp_path):
        noisy, top = ornstein_uhlenbeck(), np.outer(np.eye(20)[0], np.eye(12)[0])

        def move(w, step):
            return noisy(w - 3 * top, step) + 3 * top + 0.1 * (-1) ** step * top

        found = dyson_test(tracked(tmp_path / "r", move, START + 3 * top, 1200), "w")
        assert found.all_levels.alternating == (0,)
        assert any("alternate in sign" in remark for remark in found.remarks)
        assert found.verdict == "Dyson Brownian motion"

    def test_a_memory_beside_near_levels_is_told(self, tmp_path):
        random, push = np.random.default_rng(0), np.zeros_like(START)

        def move(w, step):
            push[:] = 0.9 * push + 0.1 * random.standard_normal(w.shape)
            return 0.99 * w + 0.05 * push

        found = dyson_test(tracked(tmp_path / "r", move, START, 1200), "w")
        assert any("comes out low" in remark for remark in found.remarks)

    def test_drift_is_told(self, tmp_path):
        noisy = ornstein_uhlenbeck(friction=0.0)
        run = tracked(
            tmp_path / "r", lambda w, step: noisy(w, step) + 0.003 * np.eye(20)[:, :12], START
        )
        found = dyson_test(run, "w")
        assert found.drift < 1e-6
        assert any("drift" in remark for remark in found.remarks)
        assert found.verdict == "Dyson Brownian motion"

    def test_bulk_and_outliers(self, tmp_path):
        """Noise of one row that is three times that of the others: 1 in the bulk and outside."""
        spike = np.outer(np.eye(20)[0], np.eye(12)[0])
        strength = np.sqrt(np.where(np.arange(20) == 0, 9.0, 1.0))[:, None]
        random = np.random.default_rng(3)

        def move(w, step):
            return 0.99 * (w - 2 * spike) + 2 * spike + 0.01 * strength * random.standard_normal(
                w.shape)  # fmt: skip

        found = dyson_test(tracked(tmp_path / "r", move, START + 2 * spike, 3000), "w", start=300)
        assert found.bulk is not None
        assert found.outliers is not None
        # Var a_1j = 9, Var a_11 = 9, all others 1: 2 (9 + 1)/4 over (9 + 1)/2
        assert abs(found.bulk.pull(1)) < 3.5
        assert abs(found.outliers.pull(1)) < 3.5

    def test_all_matrices_and_the_page_of_reasons(self, tmp_path):
        first, second = ornstein_uhlenbeck(11), ornstein_uhlenbeck(12)
        a = b = START
        with Tracker(tmp_path / "r", every=BURSTS, dynamics=True) as tracker:
            for step in range(600):
                tracker.update(step, {"a": a, "b": b.T, "frozen": START})
                a, b = first(a, step), second(b, step)
        found = dyson_test(open_run(tmp_path / "r"))
        assert set(found.matrices) == {"a", "b"}
        assert "at rest" in found.refused["frozen"]
        assert found.verdict == "Dyson Brownian motion"
        assert found.index.error < found.matrices["a"].index.error
        assert "all matrices: Dyson Brownian motion; index" in str(found)

    def test_a_run_without_dynamics_is_refused(self, tmp_path):
        with Tracker(tmp_path / "r", every=1) as tracker:
            tracker.update(0, {"w": START})
        with pytest.raises(InvalidInputError, match="dynamics=True"):
            dyson_test(open_run(tmp_path / "r"))


class TestBursts:
    def test_steps(self):
        cadence = Cadence(Burst(2, 10))
        assert [s for s in range(25) if cadence.due(s)] == [0, 1, 2, 10, 11, 12, 20, 21, 22]
        assert Cadence("burst").every == Burst(8, 500)

    @pytest.mark.parametrize(("record", "most"), [(0.05, 500), (0.5, 4000), (40.0, 1 << 19)])
    def test_the_chosen_spacing_keeps_the_cost_down(self, record, most):
        """Seconds of a record, beside 0.1 of an update: bursts take 4 % when another begins."""
        cadence, shares, bursts = Cadence("burst"), [], []
        step = 0
        while len(bursts) < 8:
            if cadence.due(step):
                if not cadence.due(step - 1):
                    bursts.append(step)
                    shares.append(cadence.meter.watching / max(cadence.meter.training, 1e-9))
                cadence.recorded(step, None)
                cadence.meter.beside(record)
            step += 1
            cadence.meter.training += 0.1
            if not cadence.due(step) and not cadence.due(step - 1):  # on to the next burst
                ahead = cadence._begin + cadence.every.spacing - step
                step += ahead
                cadence.meter.training += 0.1 * ahead
        assert max(shares[1:]) < 0.0401
        assert max(np.diff(bursts)) <= most
        assert set(np.diff(bursts)) <= {500 * 2**k for k in range(20)}
        assert all(cadence.due(bursts[-1] + i) for i in range(9))

    def test_a_spacing_that_is_given_stays(self):
        for cadence in (Cadence(Burst(2, 10)), Cadence("burst", alone=False)):
            given = cadence.every
            for step in range(1100):
                if cadence.due(step):
                    cadence.recorded(step, None)
                    cadence.meter.beside(100.0)
                cadence.meter.training += 0.1
            assert cadence.every == given

    def test_time_of_training_and_of_watching_are_told_apart(self, monkeypatch):
        clock = iter([0.0, 1.0, 5.0, 7.0])  # watched from 0 to 1 and from 5 to 7
        monkeypatch.setattr("sgdyson.tracking._cadence.time.perf_counter", lambda: next(clock))
        meter = Cadence("burst").meter
        for _ in range(2):
            with meter:
                pass
        assert (meter.training, meter.watching) == (4.0, 3.0)

    @pytest.mark.parametrize(("length", "spacing"), [(0, 10), (5, 5), (2.5, 10)])
    def test_what_is_no_burst_is_refused(self, length, spacing):
        with pytest.raises(InvalidInputError):
            Burst(length, spacing)

    def test_first_of_a_burst_has_no_update_before_it(self, tmp_path):
        run = tracked(tmp_path / "r", ornstein_uhlenbeck(), START, 60, every=Burst(3, 20))
        known = np.isfinite(Run(run).level_steps("w")[:, :, 2]).all(axis=1)
        assert known.tolist() == [False, True, True, True] * 3

    def test_steps_are_those_of_the_weights(self, tmp_path):
        """In the frame before, whatever was recorded between; signs as in the record before."""
        history, move, w = [], ornstein_uhlenbeck(), START
        for step in range(30):
            history.append(w)
            w = move(w, step)
        run = tracked(tmp_path / "r", lambda w, step: history[min(step + 1, 29)], START, 30)
        found = Run(run).level_steps("w")
        steps = Run(run).steps
        for record in np.flatnonzero(np.isfinite(found[:, 0, 2])):
            t = steps[record]
            expected = level_steps(history[t - 1], history[t])
            np.testing.assert_allclose(np.abs(found[record]), np.abs(expected), atol=1e-12)
            np.testing.assert_allclose(found[record, :, 2], expected[:, 2], atol=1e-12)

    def test_a_tracker_measures_what_it_costs(self, tmp_path):
        """Of a training that takes no time at all, any burst takes too much."""
        with Tracker(tmp_path / "r", every="burst", dynamics=True) as tracker:
            for step in range(9):
                assert tracker.cadence.every == Burst()
                tracker.update(step, {"w": START + step})
        assert tracker.cadence.every.spacing > 500

    def test_what_is_done_beside_the_training_costs_too(self, tmp_path, monkeypatch):
        """Records of 20 ms each that nobody waits for."""
        with Tracker(tmp_path / "r", every="burst") as tracker:
            find = tracker._singular_values
            monkeypatch.setattr(
                tracker, "_singular_values", lambda matrices: time.sleep(0.02) or find(matrices)
            )
            for step in range(9):
                tracker.update(step, {"w": START + step})
                time.sleep(0.04)
            assert tracker.cadence.meter.watching >= 8 * 0.02
