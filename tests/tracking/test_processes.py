"""The tracker of runs of two processes, which meet through gloo on this machine."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from sgdyson.tracking import Run, SpectralTracker, level_steps, matrices_of, open_run

torch = pytest.importorskip("torch")

COMMON = '''
import os, sys, warnings
import torch, torch.distributed as dist
from torch.nn import Linear, Sequential, Tanh
from sgdyson.errors import InvalidInputError
from sgdyson.tracking import SpectralTracker

FOLDER = sys.argv[1]
torch.set_num_threads(1)

def end():
    """Without the end of Python: threads of gloo may drop a tensor then, which aborts a process."""
    dist.barrier()
    dist.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
'''


def run_two(folder, program):
    """A program in two processes, as torchrun starts them."""
    file = folder / "program.py"
    file.write_text(COMMON + textwrap.dedent(program))
    launcher = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
        "--local-addr=127.0.0.1",
    ]  # fmt: skip
    command = [*launcher, str(file), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def train(folder, parts=1):
    """As `SHARDED`, in one process, with the whole batch."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    data = torch.Generator().manual_seed(1)
    with SpectralTracker(
        model, folder, 2, optimizer=optimizer, batch_size=8, velocities=True
    ) as tracker:
        for _ in range(6):
            x, y = (torch.randn(2, 4, n, generator=data) for n in (6, 3))
            optimizer.zero_grad()
            for part in range(parts):
                a, b = (z.chunk(parts, dim=1)[part].flatten(0, 1) for z in (x, y))
                ((model(a) - b).square().mean() / parts).backward()
                if parts > 1:
                    tracker.micro_step()
            optimizer.step()
            tracker.step()
    return open_run(folder)


SHARDED = """
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard

dist.init_process_group("gloo")
rank = dist.get_rank()
for parts in (1, 2):
    torch.manual_seed(0)
    model = Sequential(Linear(6, 5), Tanh(), Linear(5, 3))
    fully_shard(model, mesh=dist.device_mesh.init_device_mesh("cpu", (2,)))
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    data = torch.Generator().manual_seed(1)
    with SpectralTracker(
        model, f"{FOLDER}/{parts}.zarr", 2, optimizer=optimizer, batch_size=8, velocities=True
    ) as tracker:
        for _ in range(6):
            x, y = (torch.randn(2, 4, n, generator=data)[rank] for n in (6, 3))
            optimizer.zero_grad()
            for a, b in zip(x.chunk(parts), y.chunk(parts)):
                ((model(a) - b).square().mean() / parts).backward()
                if parts > 1:
                    tracker.micro_step()
            optimizer.step()
            tracker.step()
stopped = SpectralTracker(model, FOLDER + "/stopped.zarr", 1, batch_size=8)
stopped.stopped = rank == 0
for _ in range(3):  # none waits for a process that has stopped
    stopped.micro_step()
    stopped.micro_step()
    stopped.step()
stopped.close()
for wrong, rule in (("adaptive", "single process"), (1, "fully_shard")):
    wrapped = model
    if wrong == 1:
        wrapped = FullyShardedDataParallel(Linear(4, 4), device_id=torch.device("cpu"))
    try:
        SpectralTracker(wrapped, FOLDER + "/refused.zarr", wrong)
    except InvalidInputError as error:
        assert rule in str(error), error
    else:
        raise AssertionError(wrong)
end()
"""


def test_sharded_weights_are_recorded_as_whole_ones(tmp_path):
    told = run_two(tmp_path, SHARDED)
    assert "tracker has stopped" not in told
    for parts in (1, 2):
        found, alone = open_run(tmp_path / f"{parts}.zarr"), train(tmp_path / f"a{parts}", parts)
        assert set(found.data_vars) == set(alone.data_vars) >= {"s_0.weight", "noise_0.weight"}
        for name in alone.data_vars:
            np.testing.assert_allclose(found[name], alone[name], rtol=1e-3, atol=1e-6, err_msg=name)
        assert np.isfinite(found["noise_2.weight"].values[1:]).all()
    assert not list(tmp_path.glob(".not-written*"))


def test_lightning_on_two_processes(tmp_path):
    pytest.importorskip("lightning.pytorch")
    run_two(
        tmp_path,
        """
        import lightning.pytorch as lightning
        from torch.utils.data import DataLoader, TensorDataset
        from sgdyson.tracking.lightning import SpectralCallback

        class Module(lightning.LightningModule):
            def __init__(self):
                super().__init__()
                self.layer = Linear(6, 5)

            def training_step(self, batch, _):
                return self.layer(batch[0]).square().mean()

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), 0.1)

        torch.manual_seed(0)
        data = DataLoader(TensorDataset(torch.randn(64, 6)), batch_size=8)
        callback = SpectralCallback(FOLDER + "/run.zarr", every=1, batch_size=16)
        trainer = lightning.Trainer(
            max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, accelerator="cpu", strategy="ddp", devices=2,
            callbacks=[callback],
        )
        trainer.fit(Module(), data)
        """,
    )
    run = open_run(tmp_path / "run.zarr")
    assert run.time.values.tolist() == [0, 1, 2, 3, 4]
    assert list(matrices_of(run)) == ["layer.weight"]
    assert np.isfinite(run["noise_layer.weight"].values[1:]).all()  # from the two processes


def test_transformers_on_two_processes(tmp_path):
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    run_two(
        tmp_path,
        """
        import transformers
        from sgdyson.tracking.transformers import SpectralCallback

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = Linear(6, 5)

            def forward(self, x):
                return {"loss": self.layer(x).square().mean()}

        torch.manual_seed(0)
        trainer = transformers.Trainer(
            Net(),
            transformers.TrainingArguments(
                FOLDER + "/out", max_steps=4, per_device_train_batch_size=8, report_to=[],
                save_strategy="no", use_cpu=True, disable_tqdm=True,
            ),
            train_dataset=[{"x": torch.randn(6)} for _ in range(64)],
            callbacks=[SpectralCallback(FOLDER + "/run.zarr", every=1)],
        )
        trainer.train()
        assert trainer.args.world_size == 2
        """,
    )
    run = open_run(tmp_path / "run.zarr")
    assert run.time.values.tolist() == [0, 1, 2, 3, 4]
    assert run.batch_size.values[-1] == 16
    assert np.isfinite(run["noise_layer.weight"].values[2:]).all()  # from two steps in a row


DYNAMICS = """
import numpy as np
from torch.distributed.fsdp import fully_shard
from sgdyson.tracking import Burst

WAYS = ("plain", "accumulated", "autocast", "scaled", "compiled")

def model_of(kind):
    torch.manual_seed(0)
    model = Sequential(Linear(6, 5), Tanh(), Linear(5, 3))
    if kind == "ddp":
        return torch.nn.parallel.DistributedDataParallel(model)
    if kind == "shard":
        fully_shard(model, mesh=dist.device_mesh.init_device_mesh("cpu", (2,)))
    return model

def weights(model):
    kernel = getattr(model, "module", model)[0].weight
    kernel = kernel.full_tensor() if hasattr(kernel, "full_tensor") else kernel
    return kernel.detach().double().numpy().copy()

def train(kind, way, rank, every):
    model = model_of(kind)
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    scaler = torch.amp.GradScaler("cpu", enabled=way == "scaled", init_scale=1024.0)
    call = torch.compile(model, backend="eager") if way == "compiled" else model
    data, history = torch.Generator().manual_seed(1), [weights(model)]
    parts = 2 if way == "accumulated" else 1
    with SpectralTracker(
        call if way == "compiled" and kind != "ddp" else model, f"{FOLDER}/{kind}-{way}", every,
        optimizer=optimizer, batch_size=8, dynamics=True,
    ) as tracker:
        for _ in range(8):
            x, y = (torch.randn(2, 4, n, generator=data) for n in (6, 3))
            x, y = (x[rank], y[rank]) if rank is not None else (x.flatten(0, 1), y.flatten(0, 1))
            optimizer.zero_grad()
            for a, b in zip(x.chunk(parts), y.chunk(parts)):
                with torch.autocast("cpu", torch.bfloat16, enabled=way == "autocast"):
                    loss = (call(a) - b).square().mean() / parts
                scaler.scale(loss).backward()
                if parts > 1:
                    tracker.micro_step()
            scaler.unscale_(optimizer) if way == "scaled" else None
            if way == "accumulated":
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            scaler.step(optimizer)
            scaler.update()
            tracker.step()
            history.append(weights(model))
    if rank in (0, None):
        np.save(f"{FOLDER}/{kind}-{way}.npy", history)

dist.init_process_group("gloo")
for way in WAYS:
    for kind in ("ddp", "shard"):
        train(kind, way, dist.get_rank(), Burst(3, 5))
    if dist.get_rank() == 0:
        train("alone", way, None, Burst(3, 5))
chosen = SpectralTracker(model_of("ddp"), FOLDER + "/chosen", "burst", dynamics=True)
for _ in range(9):
    chosen.step()
assert chosen.cadence.every == Burst(), chosen.cadence.every  # no process goes by its own clock
chosen.close()
for kind in ("ddp", "shard"):
    try:
        SpectralTracker(model_of(kind), FOLDER + "/refused", "adaptive")
    except InvalidInputError as error:
        assert "single process" in str(error), error
    else:
        raise AssertionError("not refused")
end()
"""


def test_single_updates_of_two_processes_are_those_of_one(tmp_path):
    """Whatever made them: a_ij is of the weights, which are whole where they are compared."""
    told = run_two(tmp_path, DYNAMICS)
    assert "tracker" not in told
    for way in ("plain", "accumulated", "autocast", "scaled", "compiled"):
        exact = {}
        for kind in ("ddp", "shard", "alone"):
            run, history = (
                Run(open_run(tmp_path / f"{kind}-{way}")),
                np.load(tmp_path / f"{kind}-{way}.npy"),
            )
            found = run.level_steps("0.weight")
            known = np.flatnonzero(np.isfinite(found[:, 0, 2]))
            assert run.steps[known].tolist() == [1, 2, 3, 6, 7, 8]
            for record in known:
                t = run.steps[record]
                expected = level_steps(history[t - 1], history[t])
                np.testing.assert_allclose(np.abs(found[record]), np.abs(expected), atol=1e-12)
                np.testing.assert_allclose(found[record, :, 2], expected[:, 2], atol=1e-12)
            exact[kind] = np.abs(found[known])
        scale = np.nanmax(exact["alone"])
        for kind in ("ddp", "shard"):  # beside the order of sums, and bfloat16 of other batches
            near = 0.2 if way == "autocast" else 2e-3
            np.testing.assert_allclose(exact[kind], exact["alone"], atol=near * scale, rtol=0)
