"""The tracker in training loops of PyTorch, Lightning and Transformers."""

import csv
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

from sgdyson.tracking import Run, SpectralTracker, Tracker, matrices_of, matrix_noise, open_run
from sgdyson.tracking._torch import singular_values_on

torch = pytest.importorskip("torch")


def train(path, steps=6, parts=1, seed=0, batch=8, clip=None, **settings):
    """A linear layer, a step of `batch` samples in `parts` micro-batches, clipped to a norm."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    data = torch.Generator().manual_seed(seed + 1)
    with SpectralTracker(
        model, path, every=2, optimizer=optimizer, batch_size=batch, **settings
    ) as tracker:
        for _ in range(steps):
            x = torch.randn(batch, 6, generator=data)
            y = torch.randn(batch, 3, generator=data)
            optimizer.zero_grad()
            for a, b in zip(x.chunk(parts), y.chunk(parts), strict=True):
                loss = (model(a) - b).square().mean() / parts
                loss.backward()
                if parts > 1:
                    tracker.micro_step()
            if clip:
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            tracker.step()
    return open_run(path)


class TestNoise:
    def test_accumulated_micro_batches_by_hand(self, tmp_path):
        run = train(tmp_path / "run.zarr", parts=4)
        assert np.isnan(run["noise_0.weight"].values[0])
        assert np.isfinite(run["noise_0.weight"].values[1:]).all()
        assert run.learning_rate.values.tolist() == [0.05] * 4
        # the last step once more, by autograd on each micro-batch
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
        data = torch.Generator().manual_seed(1)
        for _ in range(6):
            x = torch.randn(8, 6, generator=data)
            y = torch.randn(8, 3, generator=data)
            gradients = []
            for a, b in zip(x.chunk(4), y.chunk(4), strict=True):
                loss = (model(a) - b).square().mean()
                gradients.append(torch.autograd.grad(loss, list(model.parameters())))
            means = [torch.stack(g).mean(0) for g in zip(*gradients, strict=True)]
            with torch.no_grad():
                for parameter, mean in zip(model.parameters(), means, strict=True):
                    parameter -= 0.05 * mean
        small = np.mean([float(g[0].double().square().sum()) for g in gradients])
        big = float(means[0].double().square().sum())
        expected = (small - big) / (1 / 2 - 1 / 8)
        assert run["noise_0.weight"].values[-1] == pytest.approx(expected, rel=1e-5)
        assert run["signal_0.weight"].values[-1] == pytest.approx(
            (8 * big - 2 * small) / 6, rel=1e-4
        )

    def test_successive_steps_agree_with_micro_batches(self, tmp_path):
        one = matrix_noise(train(tmp_path / "a", steps=1200), "2.weight")
        parts = matrix_noise(train(tmp_path / "b", steps=1200, parts=4), "2.weight")
        together = np.hypot(one.strength.error, parts.strength.error)
        assert abs(one.strength.value - parts.strength.value) < 4 * together
        assert together < 0.2 * one.strength.value

    def test_first_order_velocities(self, tmp_path):
        model = torch.nn.Linear(4, 4, bias=False)
        optimizer = torch.optim.SGD(model.parameters(), 1e-4)
        before = torch.linalg.svdvals(model.weight.detach().double()).numpy()
        with SpectralTracker(model, tmp_path / "run.zarr", every=1, velocities=True) as tracker:
            model(torch.randn(16, 4)).square().sum().backward()
            optimizer.step()
            tracker.step()
        run = open_run(tmp_path / "run.zarr")
        change = run["s_weight"].values[1] - before
        found = run["velocity_weight"].values
        assert np.isnan(found[0]).all()
        # equal up to second order in the update
        np.testing.assert_allclose(found[1], change, atol=20 * np.abs(change).max() ** 2)

    @pytest.mark.parametrize(("parts", "clip"), [(1, 0.0), (2, 0.05)])
    def test_two_processes_are_as_two_micro_batches(self, tmp_path, parts, clip):
        program = tmp_path / "program.py"
        program.write_text(
            textwrap.dedent(
                """
                import contextlib, os, sys, warnings
                import torch, torch.distributed as dist, torch.multiprocessing as mp
                from sgdyson.tracking import SpectralTracker

                def work(rank, folder):
                    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank,
                                            world_size=2)
                    torch.manual_seed(0)
                    torch.set_num_threads(1)
                    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(),
                                                torch.nn.Linear(5, 3))
                    model = torch.nn.parallel.DistributedDataParallel(model)
                    optimizer = torch.optim.SGD(model.parameters(), 0.05)
                    data = torch.Generator().manual_seed(1)
                    parts, clip = int(sys.argv[2]), float(sys.argv[3])
                    with SpectralTracker(model, folder + "/run.zarr", every=2, optimizer=optimizer,
                                         batch_size=8) as tracker:
                        for _ in range(6):
                            x = torch.randn(8, 6, generator=data).chunk(2)[rank].chunk(parts)
                            y = torch.randn(8, 3, generator=data).chunk(2)[rank].chunk(parts)
                            optimizer.zero_grad()
                            for part in range(parts):
                                last = part == parts - 1
                                with contextlib.nullcontext() if last else model.no_sync():
                                    loss = (model(x[part]) - y[part]).square().mean() / parts
                                    loss.backward()
                            if clip:
                                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
                            optimizer.step()
                            tracker.step()
                    # a second tracker has no hook, and one that stops in one process stops no other
                    with warnings.catch_warnings(record=True) as seen:
                        warnings.simplefilter("always")
                        again = SpectralTracker(model, folder + "/again.zarr", every=1)
                    assert "has a hook already" in str(seen[0].message)
                    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 4))
                    tracker = SpectralTracker(model, folder + "/stopped.zarr", 1, batch_size=4)
                    tracker.stopped = rank == 0
                    for _ in range(3):
                        model(torch.ones(2, 4)).square().sum().backward()
                        tracker.step()
                    tracker.close()
                    dist.barrier()
                    dist.destroy_process_group()
                    sys.stderr.flush()
                    os._exit(0)  # threads of gloo may drop a tensor as Python ends, which aborts

                if __name__ == "__main__":
                    mp.spawn(work, (sys.argv[1],), nprocs=2)
                """
            )
        )
        command = [sys.executable, str(program), str(tmp_path), str(parts), str(clip)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr[-2000:]
        assert "stopped" not in done.stderr
        found, alone = (
            open_run(tmp_path / "run.zarr"),
            train(tmp_path / "alone", parts=2, clip=clip),
        )
        assert set(found.data_vars) == set(alone.data_vars)
        for name in alone.data_vars:
            np.testing.assert_allclose(found[name], alone[name], rtol=2e-4, err_msg=str(name))
        assert not list(tmp_path.glob(".not-written*"))

    def test_no_gradients_no_noise_and_no_failure(self, tmp_path):
        model = torch.nn.Linear(4, 3)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with SpectralTracker(model, tmp_path / "run.zarr", every=1, batch_size=4) as tracker:
                tracker.step()
        assert open_run(tmp_path / "run.zarr").sizes["time"] == 2


def norm_of_the_first_gradient(scale=1.0):
    """That of `train`, by autograd on the whole batch."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
    data = torch.Generator().manual_seed(1)
    x, y = torch.randn(8, 6, generator=data), torch.randn(8, 3, generator=data)
    loss = (model(x) - y).square().mean() * scale
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    return float(torch.stack([g.double().norm() for g in gradients]).norm())


class TestClipping:
    def one_step(self, path, *, clip, parts=4, scale=1.0, told=True, zeroed=None):
        """As a `GradScaler` does it: the loss is scaled, and its gradient scaled back."""
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
        data = torch.Generator().manual_seed(1)
        x, y = torch.randn(8, 6, generator=data), torch.randn(8, 3, generator=data)
        with SpectralTracker(model, path, every=1, batch_size=8) as tracker:
            for a, b in zip(x.chunk(parts), y.chunk(parts), strict=True):
                (scale * (model(a) - b).square().mean() / parts).backward()
                tracker.micro_step(scale if told else 1.0)
            for parameter in model.parameters():
                parameter.grad /= scale
            if clip:
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            if zeroed is not None:
                model.zero_grad(set_to_none=zeroed)
            tracker.step()
        assert tracker._said == set()
        return Run(open_run(path))

    @pytest.mark.parametrize("clip", [0.05, 0.5, 1e3])
    @pytest.mark.parametrize(("scale", "told"), [(1.0, True), (2.0**12, True), (2.0**12, False)])
    def test_the_noise_that_acts_is_that_of_the_clipped_gradient(self, tmp_path, clip, scale, told):
        free = self.one_step(tmp_path / "free", clip=None)
        found = self.one_step(tmp_path / "clipped", clip=clip, scale=scale, told=told)
        factor = min(clip / norm_of_the_first_gradient(), 1.0)
        for name in free.names:
            expected = free.gradient_noise(name)[1] * factor**2
            np.testing.assert_allclose(found.gradient_noise(name)[1], expected, rtol=1e-4)
            assert np.isfinite(expected).all()

    @pytest.mark.parametrize("zeroed", [True, False])
    def test_a_gradient_that_is_gone_has_no_noise_that_is_known(self, tmp_path, zeroed):
        run = self.one_step(tmp_path / "run.zarr", clip=0.5, zeroed=zeroed)
        assert all(np.isnan(run.gradient_noise(name)[1]).all() for name in run.names)

    def test_two_steps_that_were_zeroed_are_not_free_of_noise(self, tmp_path):
        model = torch.nn.Linear(4, 3)
        with SpectralTracker(model, tmp_path / "run.zarr", every=1, batch_size=4) as tracker:
            for _ in range(3):
                model(torch.randn(4, 4)).square().sum().backward()
                model.zero_grad(set_to_none=False)
                tracker.step()
        assert Run(open_run(tmp_path / "run.zarr")).gradient_noise("weight") is None

    def test_a_tracker_of_any_framework_is_told(self, tmp_path):
        parts = np.random.default_rng(0).normal(size=(4, 5, 3))
        found = {}
        for name, acting in (("free", None), ("clipped", {"w": 0.3 * parts.mean(axis=0)})):
            with Tracker(tmp_path / name, every=1) as tracker:
                tracker.update(
                    0, {"w": np.eye(5, 3)}, micro_gradients={"w": parts}, micro_batch=2,
                    acting_gradients=acting,
                )  # fmt: skip
            found[name] = Run(open_run(tmp_path / name)).gradient_noise("w")[0]
        np.testing.assert_allclose(found["clipped"], 0.09 * found["free"], rtol=1e-12)


class TestLayers:
    def test_a_compiled_module_keeps_its_names(self, tmp_path):
        model = torch.compile(torch.nn.Sequential(torch.nn.Linear(6, 5)), backend="eager")
        with SpectralTracker(model, tmp_path / "run.zarr", every=1, batch_size=4) as tracker:
            for _ in range(3):
                model(torch.randn(4, 6)).square().sum().backward()
                tracker.step()
        run = open_run(tmp_path / "run.zarr")
        assert list(matrices_of(run)) == ["0.weight"]
        assert np.isfinite(run["noise_0.weight"].values[2:]).all()

    def test_tied_frozen_and_embedded_weights(self, tmp_path):
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.embed = torch.nn.Embedding(20, 6)
                self.frozen = torch.nn.Linear(6, 6).requires_grad_(False)
                self.norm = torch.nn.LayerNorm(6)
                self.conv = torch.nn.Conv1d(6, 6, 3)
                self.head = torch.nn.Linear(6, 20, bias=False)
                self.head.weight = self.embed.weight

        with SpectralTracker(Net(), tmp_path / "run.zarr", every=1):
            pass
        run = open_run(tmp_path / "run.zarr")
        assert {"s_embed.weight", "s_frozen.weight", "s_conv.weight"} <= set(run.data_vars)
        assert run["s_conv.weight"].attrs["shape"] == [6, 18]
        reasons = dict(run.attrs["skipped"])
        assert reasons["head.weight"] == "tied to embed.weight"
        assert reasons["norm.weight"] == "a vector"

    def test_what_has_not_moved_is_decomposed_once(self, tmp_path, monkeypatch):
        model = torch.nn.Sequential(torch.nn.Linear(40, 40), torch.nn.Linear(30, 20))
        tracker = SpectralTracker(model, tmp_path / "run.zarr", every=1)
        tracker._settle()
        shapes, find = [], tracker._singular_values

        def counted(matrices):
            shapes.extend(m.shape for m in matrices)
            return find(matrices)

        monkeypatch.setattr(tracker, "_singular_values", counted)
        for step in range(5):
            with torch.no_grad():
                model[1].weight += 0.1
                if step == 3:
                    model[0].weight[1, 7] += 0.1  # a single entry, which is seen as well
            tracker.step()
        tracker.close()
        assert shapes.count((20, 30)) == 5
        assert shapes.count((40, 40)) == 1
        found = Run(open_run(tmp_path / "run.zarr")).values("0.weight")
        assert (found[0] == found[1:4]).all()
        exact = torch.linalg.svdvals(model[0].weight.detach().double()).numpy()
        np.testing.assert_allclose(found[4:], [exact] * 2, rtol=1e-10)

    def test_mixed_precision(self, tmp_path):
        model = torch.nn.Linear(6, 5).to(torch.bfloat16)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        with SpectralTracker(model, tmp_path / "run.zarr", every=1, batch_size=4) as tracker:
            for _ in range(3):
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16):
                    model(torch.randn(4, 6)).square().mean().backward()
                optimizer.step()
                tracker.step()
        run = open_run(tmp_path / "run.zarr")
        exact = torch.linalg.svdvals(model.weight.detach().double()).numpy()
        np.testing.assert_allclose(run["s_weight"].values[-1], exact, rtol=1e-12)
        assert np.isfinite(run["noise_weight"].values[2:]).all()

    def test_a_scaled_loss_is_scaled_back(self, tmp_path):
        def run(name, scaled):
            torch.manual_seed(0)
            model = torch.nn.Linear(6, 5)
            optimizer = torch.optim.SGD(model.parameters(), 0.1)
            scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12, enabled=scaled)
            with SpectralTracker(model, tmp_path / name, every=1, batch_size=8) as tracker:
                for _ in range(3):
                    optimizer.zero_grad()
                    for _ in range(2):
                        scaler.scale(model(torch.randn(4, 6)).square().mean() / 2).backward()
                        tracker.micro_step(scaler.get_scale())
                    scaler.step(optimizer)
                    scaler.update()
                    tracker.step()
            return open_run(tmp_path / name)

        found, plain = run("scaled", True), run("plain", False)
        for name in ("s_weight", "noise_weight", "signal_weight"):
            np.testing.assert_allclose(found[name], plain[name], rtol=1e-4)
        assert np.isfinite(found["noise_weight"].values[1:]).all()

    def test_every_kind_that_is_skipped_has_a_reason(self, tmp_path):
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                keep = {"requires_grad": False}
                self.linear = torch.nn.Linear(6, 5)
                self.norm = torch.nn.BatchNorm2d(3)
                self.lazy = torch.nn.LazyLinear(4)
                self.row = torch.nn.Linear(6, 1)
                self.meta = torch.nn.Linear(3, 3, bias=False, device="meta")
                self.zero = torch.nn.Parameter(torch.zeros(3, 3))
                self.nan = torch.nn.Parameter(torch.full((3, 3), torch.nan))
                self.empty = torch.nn.Parameter(torch.zeros(0, 3))
                self.scale = torch.nn.Parameter(torch.tensor(1.0))
                self.axes = torch.nn.Parameter(torch.ones((2,) * 6))
                self.whole = torch.nn.Parameter(torch.ones(3, 3, dtype=torch.int8), **keep)
                self.phase = torch.nn.Parameter(torch.ones(3, 3, dtype=torch.complex64))
                self.sparse = torch.nn.Parameter(torch.eye(3).to_sparse(), **keep)
                self.tied = torch.nn.Linear(6, 5)
                self.tied.weight = self.linear.weight

        with SpectralTracker(Net(), tmp_path / "run.zarr"):
            pass
        run = open_run(tmp_path / "run.zarr")
        assert list(matrices_of(run)) == ["linear.weight"]
        expected = {
            "norm.weight": "a vector", "lazy.weight": "not initialised", "scale": "a single number",
            "row.weight": "a single row", "meta.weight": "meta device", "zero": "all zero",
            "nan": "NaN", "empty": "empty", "axes": "6 axes", "whole": "int8",
            "phase": "complex64", "sparse": "sparse", "tied.weight": "tied to linear.weight",
        }  # fmt: skip
        reasons = dict(run.attrs["skipped"])
        assert {name for name in reasons if "bias" not in name} == set(expected)
        for name, words in expected.items():
            assert words in reasons[name]

    @pytest.mark.parametrize("shape", [(90, 70), (70, 200), (80, 80)])
    def test_singular_values_on_a_device(self, shape):
        w = np.random.default_rng(0).normal(size=shape)
        exact = np.linalg.svd(w, compute_uv=False)
        np.testing.assert_allclose(singular_values_on("cpu", w), exact, rtol=1e-9)
        w[:, 0] = w[:, 1]
        exact = np.linalg.svd(w, compute_uv=False)
        np.testing.assert_allclose(singular_values_on("cpu", w), exact, rtol=1e-9, atol=1e-13)


def test_scalars_go_to_any_logger(tmp_path):
    seen = []
    train(tmp_path / "run.zarr", log=lambda *scalar: seen.append(scalar))
    names = {name for name, _, _ in seen}
    assert "sgdyson/0.weight/spectral" in names
    assert "sgdyson/0.weight/outliers" in names
    assert sorted({step for _, _, step in seen}) == [0, 2, 4, 6]


def test_lightning(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch")
    from lightning.pytorch.loggers import CSVLogger

    from sgdyson.tracking.lightning import SpectralCallback

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(6, 5)

        def training_step(self, batch, _):
            return self.layer(batch[0]).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    data = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.randn(64, 6)), batch_size=8
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=1, accumulate_grad_batches=2, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, accelerator="cpu",
            logger=CSVLogger(tmp_path), log_every_n_steps=1,
            callbacks=[SpectralCallback(tmp_path / "run.zarr", every=1, batch_size=16)],
        )  # fmt: skip
        trainer.fit(Module(), data)
    run = open_run(tmp_path / "run.zarr")
    assert run.time.values.tolist() == [0, 1, 2, 3, 4]
    (logged,) = tmp_path.rglob("metrics.csv")
    rows = list(csv.DictReader(logged.read_text().splitlines()))
    found = {
        int(row["step"]): float(row["sgdyson/layer.weight/spectral"])
        for row in rows
        if row["sgdyson/layer.weight/spectral"]
    }
    assert found == pytest.approx(dict(enumerate(run["s_layer.weight"].values[:, 0])), rel=1e-6)


def test_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from sgdyson.tracking.transformers import SpectralCallback

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(6, 5)

        def forward(self, x):
            return {"loss": self.layer(x).square().mean()}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = transformers.Trainer(
            Net(),
            transformers.TrainingArguments(
                str(tmp_path / "out"), max_steps=4, per_device_train_batch_size=8, report_to=[],
                save_strategy="no", use_cpu=True, disable_tqdm=True, gradient_accumulation_steps=2,
            ),
            train_dataset=[{"x": torch.randn(6)} for _ in range(64)],
            callbacks=[SpectralCallback(tmp_path / "run.zarr", every=1)],
        )  # fmt: skip
        trainer.train()
    run = open_run(tmp_path / "run.zarr")
    assert run.time.values.tolist() == [0, 1, 2, 3, 4]
    assert run.batch_size.values[-1] == 16
    assert np.isfinite(run["noise_layer.weight"].values[2:]).all()


class TestPartsOfMatrices:
    """The noise of query, key and value in one matrix, and of experts in one array, is of each."""

    @staticmethod
    def recorded(tmp_path, name, weight, gradients, split):
        model = torch.nn.Module()
        model.register_parameter(name, torch.nn.Parameter(torch.tensor(weight)))
        with SpectralTracker(
            model, tmp_path / "run.zarr", every=1, split=split, batch_size=8
        ) as tracker:
            for _ in range(2):
                model.zero_grad()
                parameter = getattr(model, name)
                for gradient in gradients:
                    (parameter * torch.tensor(gradient)).sum().div(len(gradients)).backward()
                    tracker.micro_step()
                with torch.no_grad():
                    parameter += 0.1
                tracker.step()
        return Run(open_run(tmp_path / "run.zarr"))

    @pytest.mark.parametrize(("name", "shape", "split"), [
        ("c_attn", (6, 18), 3), ("experts", (4, 6, 5), 1), ("qkv", (18, 6), 3),
    ])  # fmt: skip
    def test_each_has_its_own(self, tmp_path, name, shape, split):
        random = np.random.default_rng(0)
        weight = random.standard_normal(shape)
        gradients = random.standard_normal((4, *shape)) + 0.3
        run = self.recorded(tmp_path, name, weight, gradients, split)
        whole = [
            np.split(g, 3, axis=np.argmax(shape)) if split == 3 else list(g) for g in gradients
        ]
        assert run.names == [f"{name}[{i}]" for i in range(len(whole[0]))]
        for i, own in enumerate(run.names):
            parts = np.array([g[i] for g in whole])
            expected = np.mean(np.sum((parts - parts.mean(0)) ** 2, axis=(1, 2))) * 4 / 3 * 2
            np.testing.assert_allclose(run.gradient_noise(own)[1:, 1], expected, rtol=1e-6)

    def test_by_hand_too(self, tmp_path):
        random = np.random.default_rng(0)
        gradients = random.standard_normal((4, 6, 18))
        with Tracker(tmp_path / "run.zarr", every=1, split=3) as tracker:
            for step in range(2):
                tracker.update(
                    step, {"c_attn": random.standard_normal((6, 18))},
                    micro_gradients={"c_attn": gradients}, micro_batch=2,
                    acting_gradients={"c_attn": gradients.mean(0) / 2},
                )  # fmt: skip
        run = Run(open_run(tmp_path / "run.zarr"))
        part = gradients[:, :, 6:12]
        expected = np.mean(np.sum((part - part.mean(0)) ** 2, axis=(1, 2))) * 4 / 3 * 2 / 4
        np.testing.assert_allclose(run.gradient_noise("c_attn[1]")[:, 1], expected, rtol=1e-6)
