"""Spectra of weight matrices: noise is noise, spikes are found, files are read and never run."""

import signal
import subprocess
import sys
import textwrap
import time
import warnings

import ml_dtypes
import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

from sgdyson.errors import InvalidInputError
from sgdyson.tracking import (
    Skipped,
    SpectralTracker,
    Tracker,
    fit_bulk,
    matrices_of,
    noise_scale,
    open_run,
    spectrum,
    weight_matrices,
    write_run_report,
)
from sgdyson.tracking._gradients import of_micro_batches, of_successive


def noise(shape, seed=0, sigma=0.3):
    return sigma * np.random.default_rng(seed).standard_normal(shape)


def with_spike(matrix, strength, sigma=0.3):
    """A rank-one part of `strength` times the Baik-Ben Arous-Peche threshold (M N)^(1/4) sigma."""
    rows, columns = matrix.shape
    random = np.random.default_rng(99)
    u, v = random.standard_normal(rows), random.standard_normal(columns)
    size = strength * sigma * (rows * columns) ** 0.25
    return matrix + size * np.outer(u / np.linalg.norm(u), v / np.linalg.norm(v))


def outliers(matrix, false_alarm):
    s = np.linalg.svd(matrix, compute_uv=False)
    return fit_bulk(s, matrix.shape, false_alarm).outliers


class TestBulk:
    @pytest.mark.parametrize("shape", [(60, 60), (100, 30), (20, 200)])
    def test_false_alarms_come_at_the_stated_rate(self, shape):
        found = sum(outliers(noise(shape, seed), 0.1) > 0 for seed in range(400))
        assert binom.cdf(found, 400, 0.1) > 1e-3
        assert binom.sf(found - 1, 400, 0.1) > 1e-3

    def test_a_spike_above_the_edge_is_found_and_one_below_is_not(self):
        above = sum(outliers(with_spike(noise((100, 60), s), 2.0), 0.01) == 1 for s in range(100))
        below = sum(outliers(with_spike(noise((100, 60), s), 0.5), 0.01) > 0 for s in range(400))
        assert above >= 95
        assert binom.sf(below - 1, 400, 0.01) > 1e-3

    def test_many_spikes_do_not_hide_each_other_or_the_noise(self):
        random = np.random.default_rng(5)
        left = np.linalg.qr(random.standard_normal((200, 10)))[0]
        right = np.linalg.qr(random.standard_normal((150, 10)))[0]
        matrix = noise((200, 150)) + left @ np.diag(np.geomspace(12, 200, 10)) @ right.T
        bulk = fit_bulk(np.linalg.svd(matrix, compute_uv=False), matrix.shape)
        assert bulk.outliers == 10
        assert abs(bulk.sigma.value - 0.3) < 4 * bulk.sigma.error

    def test_sigma_within_its_error_and_the_law_close(self):
        pulls = []
        for seed in range(100):
            s = np.linalg.svd(noise((80, 50), seed), compute_uv=False)
            bulk = fit_bulk(s, (80, 50), 1e-4)
            pulls.append(bulk.sigma.pull(0.3))
            assert bulk.distance < 0.1
        assert abs(np.mean(pulls)) < 0.4
        assert 0.75 < np.std(pulls) < 1.25

    def test_independent_levels_are_not_taken_for_noise(self):
        s = np.sort(np.random.default_rng(0).uniform(0, 1, 300))[::-1]
        random = np.random.default_rng(1)
        left, right = (np.linalg.qr(random.standard_normal((300, 300)))[0] for _ in range(2))
        row = spectrum("uniform", left @ np.diag(s) @ right)
        assert row.mean_ratio.pull(0.5307) < -5
        assert abs(row.mean_ratio.pull(0.3863)) < 4
        assert row.ks_wigner.pvalue < 1e-3
        real = spectrum("noise", noise((300, 300)))
        assert abs(real.mean_ratio.pull(0.5307)) < 4
        assert real.ks_wigner.pvalue > 1e-3
        assert real.bulk.distance < 0.02 < row.bulk.distance


class TestMatrices:
    def test_ranks_and_norms_of_a_known_matrix(self):
        row = spectrum("diagonal", np.diag([2.0, 1.0, 1.0]))
        assert row.stable_rank == pytest.approx(1.5)
        assert row.effective_rank == pytest.approx(np.exp(1.5 * np.log(2)))  # 1/2, 1/4, 1/4
        assert (row.spectral, row.frobenius) == pytest.approx((2, 6**0.5))
        assert row.bulk is None

    def test_shuffled_entries_have_no_outliers(self):
        spiked = with_spike(noise((100, 80)), 4.0)
        row = spectrum("w", spiked, randomise=0)
        assert row.spectral > row.bulk.threshold
        entries = spiked.flatten()
        np.random.Generator(np.random.SFC64(0)).shuffle(entries)
        exact = np.linalg.norm(entries.reshape(spiked.shape), 2)
        assert row.random_spectral == pytest.approx(exact, rel=1e-6)
        assert row.random_spectral < 1.05 * row.bulk.threshold  # entries of larger variance
        assert spectrum("w", spiked, randomise=0).random_spectral == row.random_spectral
        assert spectrum("w", spiked).random_spectral is None

    def test_a_thin_matrix_through_its_gram_matrix(self):
        for shape in ((500, 20), (20, 500)):
            w = noise(shape)
            exact = np.linalg.svd(w, compute_uv=False)
            np.testing.assert_allclose(spectrum("w", w).singular_values, exact, rtol=1e-12)

    def test_small_singular_values_are_not_lost(self):
        left, right = (np.linalg.qr(noise((90, 90), seed))[0] for seed in (0, 1))
        s = np.geomspace(1, 1e-9, 90)
        found = spectrum("w", left * s @ right.T).singular_values
        np.testing.assert_allclose(found, s, atol=1e-15, rtol=1e-10)

    def test_what_is_skipped_has_a_reason(self):
        arrays = {
            "bias": np.ones(4), "scale": np.float64(1.0), "count": np.ones((2, 2), int),
            "row": np.ones((1, 5)), "empty": np.ones((0, 3)), "zero": np.zeros((3, 3)),
            "nan": np.full((3, 3), np.nan), "six": np.ones((2,) * 6),
            "conv": noise((8, 3, 5, 5)), "half": noise((4, 4)).astype(np.float16),
            "brain": noise((4, 4)).astype(ml_dtypes.bfloat16), "attn.qkv.weight": noise((9, 3)),
        }  # fmt: skip
        found = list(weight_matrices(arrays.items(), split=3))
        skipped = {part.name: part.reason for part in found if isinstance(part, Skipped)}
        kept = dict(part for part in found if not isinstance(part, Skipped))
        assert set(skipped) == {"bias", "scale", "count", "row", "empty", "zero", "nan", "six"}
        assert kept["conv"].shape == (8, 75)
        assert [name for name in kept if "qkv" in name] == [
            f"attn.qkv.weight[{i}]" for i in (0, 1, 2)
        ]
        assert all(matrix.dtype == np.float64 for matrix in kept.values())

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: spectrum("w", np.ones(3)), "must be a matrix"),
            (lambda: spectrum("w", np.zeros((3, 3))), "not all zero"),
            (lambda: fit_bulk(np.ones(4), (4, 4)), "at least 5"),
            (lambda: fit_bulk(np.arange(6), (6, 6)), "descending"),
            (lambda: fit_bulk(np.ones(6), (6, 6), 0.7), "false_alarm"),
            (lambda: noise_scale([1.0], [1.0], 1, 2), "two or more"),
            (lambda: noise_scale([1.0, 2], [1.0, 2], 2, 2), "below big"),
            (lambda: noise_scale([4.0, 4], [1.0, 1], 1, 4), "all noise"),
        ],
    )
    def test_bad_input(self, call, message):
        with pytest.raises(InvalidInputError, match=message):
            call()


def test_the_noise_scale_of_a_quadratic_problem():
    """Gradients G + N(0, Sigma)/sqrt B: B_simple = tr Sigma/|G|^2, here 5 * 4/8 = 2.5."""
    random = np.random.default_rng(0)
    micro = np.sqrt(2 / 5) * np.ones(20) + random.standard_normal((20_000, 4, 20)) / np.sqrt(1)
    big = np.sum(micro.mean(axis=1) ** 2, axis=1)
    small = np.mean(np.sum(micro**2, axis=2), axis=1)
    exact = 20 / 8
    found = noise_scale(small, big, 1, 4)
    assert abs(found.pull(exact)) < 4
    assert found.error < 0.02 * exact
    naive = np.mean((small - big) / (1 - 1 / 4) / ((4 * big - small) / 3))
    assert abs(naive - exact) > 10 * found.error  # the mean of ratios is biased


class TestTracker:
    def test_any_pytree_and_a_logarithmic_cadence(self, tmp_path):
        weights = {"layer": {"kernel": noise((6, 4)), "bias": np.ones(4)}}
        with Tracker(tmp_path / "run.zarr", every="log") as tracker:
            for step in range(10):
                tracker.update(step, weights)
        run = open_run(tmp_path / "run.zarr")
        assert run.time.values.tolist() == [0, 1, 2, 4, 8]
        exact = np.linalg.svd(weights["layer"]["kernel"], compute_uv=False)
        np.testing.assert_allclose(run["s_layer.kernel"].values, [exact] * 5)
        assert run.attrs["skipped"] == [["layer.bias", "a vector"]]
        plain = xr.open_zarr(tmp_path / "run.zarr", consolidated=False)
        assert plain["s_layer.kernel"].shape == (5, 4)

    def test_a_training_run_in_pytorch(self, tmp_path):
        torch = pytest.importorskip("torch")
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        with SpectralTracker(model, tmp_path / "run.zarr", every=5) as tracker:
            for _ in range(10):
                optimizer.zero_grad()
                model(torch.randn(16, 8)).square().sum().backward()
                optimizer.step()
                tracker.step()
        run = open_run(tmp_path / "run.zarr")
        assert run.time.values.tolist() == [0, 5, 10]
        last = torch.linalg.svdvals(model[0].weight.detach().double()).numpy()
        np.testing.assert_allclose(run["s_0.weight"].values[-1], last, rtol=1e-12)

    def test_its_failure_is_one_warning_and_no_more(self, tmp_path):
        tracker = Tracker(tmp_path / "run.zarr", every=1)
        tracker.update(0, {"w": noise((6, 4))})
        tracker.update(1, {"w": noise((6, 5)), "new": noise((3, 3))})
        with pytest.warns(RuntimeWarning, match="has stopped"):
            tracker.update(2, {"w": noise((6, 4))})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tracker.update(3, {"w": noise((6, 4))})
            tracker.close()
        assert open_run(tmp_path / "run.zarr").time.values.tolist() == [0]

    def test_matrices_that_come_late_or_break(self, tmp_path):
        with Tracker(tmp_path / "run.zarr", every=1) as tracker:
            for step in range(4):
                adapter = np.zeros((8, 6)) if step < 2 else noise((8, 6), step)
                weights = noise((8, 6)) * (np.nan if step == 1 else 1.0)
                tracker.update(step, {"z": weights, "a": adapter, "bias": np.ones(3)})
        run = open_run(tmp_path / "run.zarr")
        assert np.isfinite(run["s_z"]).all(axis=1).values.tolist() == [True, False, True, True]
        assert np.isfinite(run["s_a"]).all(axis=1).values.tolist() == [False, False, True, True]
        assert run.attrs["skipped"] == [["bias", "a vector"]]
        assert list(matrices_of(run)) == ["z", "a"]
        write_run_report(tmp_path / "page.html", run, "late")

    def test_no_more_than_one_record_is_in_memory(self, tmp_path, monkeypatch):
        log = []
        tracker = Tracker(tmp_path / "run.zarr", every=1)
        record = tracker._record

        def slow(step, *rest):
            log.append(step)
            time.sleep(0.01)
            found = record(step, *rest)
            log.append(step)
            return found

        monkeypatch.setattr(tracker, "_record", slow)
        for step in range(5):
            tracker.update(step, {"w": noise((6, 4))})
            assert len(log) >= 2 * step  # the one before is finished
        tracker.close()
        assert log == sorted(log)
        assert open_run(tmp_path / "run.zarr").sizes["time"] == 5

    def test_a_killed_training_leaves_a_readable_store(self, tmp_path):
        code = """
            import os, signal, sys, numpy as np
            from sgdyson.tracking import Tracker
            tracker = Tracker(sys.argv[1], every=1)
            for step in range(1000):
                tracker.update(step, {"w": np.random.default_rng(step).normal(size=(8, 6))})
                if step == 40:
                    os.kill(os.getpid(), signal.SIGKILL)
        """
        command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "run.zarr")]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL
        run = open_run(tmp_path / "run.zarr")
        steps = run.time.values
        assert steps.tolist() == list(range(len(steps)))
        assert 1 <= len(steps) <= 41
        for step in steps:
            w = np.random.default_rng(step).normal(size=(8, 6))
            np.testing.assert_allclose(run["s_w"][step], np.linalg.svd(w, compute_uv=False))

    def test_records_that_wait_are_written_without_close(self, tmp_path):
        code = """
            import sys, numpy as np
            from sgdyson.tracking import Tracker
            tracker = Tracker(sys.argv[1], every=1)
            for step in range(40):
                tracker.update(step, {"w": np.random.default_rng(step).normal(size=(8, 6))})
        """
        command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "run.zarr")]
        subprocess.run(command, check=True)
        assert open_run(tmp_path / "run.zarr").sizes["time"] == 40

    def test_bad_arguments(self, tmp_path):
        with pytest.raises(InvalidInputError, match="every = 0"):
            Tracker(tmp_path / "a", every=0)
        with pytest.raises(InvalidInputError, match="exists"):
            Tracker(tmp_path)
        with pytest.raises(InvalidInputError, match="named_parameters"):
            SpectralTracker({}, tmp_path / "a")
        with pytest.raises(InvalidInputError, match="no tracked run"):
            open_run(tmp_path)

    def test_no_framework_is_imported(self):
        code = ("import sys, sgdyson, sgdyson.tracking;"
                "print([m for m in ('torch', 'flax') if m in sys.modules])")  # fmt: skip
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


def test_two_successive_gradients_are_unbiased():
    """20 000 pairs with |G|^2 = 3 and tr Sigma = 8: four standard errors, and half of it is not."""
    random = np.random.default_rng(5)
    first, second = 0.5 * random.normal(size=(2, 20_000, 8)) + np.sqrt(3 / 8)  # of four samples
    moments = of_successive(
        np.sum(first * second, axis=1), np.sum((first - second) ** 2, axis=1), 4.0
    )
    for values, expected in zip(moments, (3.0, 8.0), strict=True):
        error = values.std() / np.sqrt(values.size)
        assert abs(values.mean() - expected) < 4 * error
        assert abs(values.mean() - expected / 2) > 4 * error


def test_gradients_of_micro_batches_are_unbiased():
    """4000 times four of them, |G|^2 = 3 and tr Sigma = 8: the square of the mean alone is 3.5."""
    random = np.random.default_rng(6)
    gradients = 0.5 * 8**0.5 * random.normal(size=(4000, 4, 2)) / 2**0.5 + np.sqrt(3 / 2)
    found = np.array([of_micro_batches(four, 4.0) for four in gradients])
    error = found.std(axis=0) / len(found) ** 0.5
    assert (np.abs(found.mean(axis=0) - [3.0, 8.0]) < 4 * error).all()
    assert (np.abs(found.mean(axis=0) - [3.5, 4.0]) > 4 * error).all()
