"""Trainings that resume, are interrupted or fail: their trainers, and data loaders beside them."""

import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.tracking import Run, SpectralTracker, open_run

torch = pytest.importorskip("torch")


class Net(torch.nn.Module):
    def __init__(self, width=5):
        super().__init__()
        self.layer = torch.nn.Linear(6, width)

    def forward(self, x):
        return {"loss": self.layer(x).square().mean()}


def transformers_run(folder, callback, steps, *, net=None, resume=None, stop_at=None, **settings):
    """`Trainer.train` of so many steps, that saves at each third; optionally interrupted."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")

    class Interrupt(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if state.global_step == stop_at:
                raise KeyboardInterrupt

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?!sgdyson).*")
        torch.manual_seed(0)
        trainer = transformers.Trainer(
            net or Net(),
            transformers.TrainingArguments(
                str(folder / "out"), max_steps=steps, per_device_train_batch_size=8, report_to=[],
                save_steps=3, use_cpu=True, disable_tqdm=True, learning_rate=0.01, **settings,
            ),
            train_dataset=[{"x": torch.randn(6)} for _ in range(64)],
            callbacks=[callback, Interrupt()],
        )  # fmt: skip
        trainer.train(
            resume_from_checkpoint=resume and str(folder / "out" / f"checkpoint-{resume}")
        )
    return trainer


def lightning_run(folder, callback, steps, *, resume=None, stop_at=None, width=5):
    lightning = pytest.importorskip("lightning.pytorch")
    from lightning.pytorch.callbacks import ModelCheckpoint

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(6, width)

        def training_step(self, batch, _):
            if self.global_step == stop_at:
                raise KeyError("a mistake of the user")
            return self.layer(batch[0]).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    data = torch.utils.data.TensorDataset(torch.randn(64, 6))
    save = ModelCheckpoint(folder / "saved", every_n_train_steps=3, save_top_k=-1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?!sgdyson).*")
        trainer = lightning.Trainer(
            max_steps=steps, logger=False, enable_progress_bar=False, enable_model_summary=False,
            accelerator="cpu", callbacks=[callback, save],
        )  # fmt: skip
        trainer.fit(
            Module(), torch.utils.data.DataLoader(data, batch_size=8),
            ckpt_path=next((folder / "saved").glob(f"*step={resume}.ckpt")) if resume else None,
        )  # fmt: skip
    return trainer


def callbacks(kind):
    if kind == "lightning":
        pytest.importorskip("lightning.pytorch")
        from sgdyson.tracking.lightning import SpectralCallback
    else:
        pytest.importorskip("transformers")
        from sgdyson.tracking.transformers import SpectralCallback
    return SpectralCallback


RUNS = {"lightning": lightning_run, "transformers": transformers_run}


@pytest.mark.parametrize("kind", list(RUNS))
class TestTrainers:
    def test_a_training_that_resumes_goes_on_with_its_store(self, tmp_path, kind):
        out = tmp_path / "run.zarr"
        callback = callbacks(kind)(out, every=1, batch_size=8)
        RUNS[kind](tmp_path, callback, 8)
        first = open_run(out)
        assert first.time.values.tolist() == list(range(9))
        RUNS[kind](tmp_path, callback, 10, resume=6)  # the same callback
        found = open_run(out)
        assert found.time.values.tolist() == list(range(11))
        np.testing.assert_array_equal(found["s_layer.weight"][:6], first["s_layer.weight"][:6])
        RUNS[kind](tmp_path, callbacks(kind)(out, every=2, batch_size=8), 12, resume=9)
        assert open_run(out).time.values.tolist() == [*range(10), 10, 12]
        name = {"lightning": "SGD", "transformers": "AdamW"}[kind]
        assert Run(open_run(out)).optimizer == name

    def test_nothing_is_raised_in_the_training(self, tmp_path, kind):
        out = tmp_path / "run.zarr"
        RUNS[kind](tmp_path, callbacks(kind)(out, every=1, batch_size=8), 3)
        (tmp_path / "foreign").mkdir()
        refused = {
            "exists": {"out": out},  # a training from the start would write over it
            "no tracked run": {"out": tmp_path / "foreign", "mode": "append"},
        }
        for message, settings in refused.items():
            callback = callbacks(kind)(every=1, **settings)
            with pytest.warns(RuntimeWarning, match=message) as seen:
                trainer = RUNS[kind](tmp_path, callback, 2)
            assert sum("sgdyson" in str(warning.message) for warning in seen) == 1
            step = getattr(trainer, "global_step", None) or trainer.state.global_step
            assert step == 2
        assert open_run(out).time.values.tolist() == [0, 1, 2, 3]
        assert not list((tmp_path / "foreign").iterdir())

    def test_a_wrong_setting_is_told_before_the_training(self, tmp_path, kind):
        with pytest.raises(InvalidInputError, match="evry = is no setting"):
            callbacks(kind)(tmp_path / "run.zarr", evry=3)
        with pytest.raises(InvalidInputError, match="every = 0"):
            callbacks(kind)(tmp_path / "run.zarr", every=0)

    def test_an_interrupted_training_has_its_records(self, tmp_path, kind):
        out, error = tmp_path / "run.zarr", {"lightning": KeyError}.get(kind, KeyboardInterrupt)
        with pytest.raises(error):
            RUNS[kind](tmp_path, callbacks(kind)(out, every=1, batch_size=8), 9, stop_at=7)
        steps = open_run(out).time.values.tolist()
        assert steps in (list(range(8)), list(range(7)))  # but for the one in work


def test_another_model_is_refused_and_its_run_is_left(tmp_path):
    with SpectralTracker(Net(), tmp_path / "run.zarr", every=1):
        pass
    for model, message in ((Net(4), "has the shape"), (torch.nn.Linear(6, 5), "no matrix of one")):
        with pytest.raises(InvalidInputError, match=message):
            SpectralTracker(model, tmp_path / "run.zarr", start_step=3)
    assert open_run(tmp_path / "run.zarr").sizes["time"] == 1


def test_steps_go_on_from_where_the_training_does(tmp_path):
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for start, steps in ((0, 7), (4, 6)):
        with SpectralTracker(
            model, tmp_path / "run.zarr", every=2, optimizer=optimizer, batch_size=4,
            start_step=start,
        ) as tracker:  # fmt: skip
            for _ in range(steps):
                optimizer.zero_grad()
                model(torch.randn(4, 6))["loss"].backward()
                optimizer.step()
                tracker.step()
    run = open_run(tmp_path / "run.zarr")
    assert run.time.values.tolist() == [0, 2, 4, 6, 8, 10]
    assert np.isfinite(run["noise_layer.weight"].values[[1, 3, 4, 5]]).all()


LOADER = """
import sys, torch
from torch.utils.data import DataLoader, Dataset

tracker = None

class Data(Dataset):
    def __len__(self):
        return 32

    def __getitem__(self, i):
        if tracker is not None:  # in a worker that was forked
            tracker.step()
            tracker.close()
        return torch.full((6,), float(i))

def train(method, epochs):
    from sgdyson.tracking import SpectralTracker, open_run

    global tracker
    model = torch.nn.Linear(6, 6)
    optimizer = torch.optim.SGD(model.parameters(), 1e-4)
    out = f"{sys.argv[1]}/{method}.zarr"
    tracker = SpectralTracker(model, out, every=1, optimizer=optimizer, batch_size=8)
    for _ in range(epochs):
        for x in DataLoader(Data(), 8, num_workers=2, multiprocessing_context=method):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
            tracker.step()
    tracker.close()
    steps = open_run(out).time.values.tolist()
    assert steps == list(range(4 * epochs + 1)), (method, steps)

if __name__ == "__main__":
    torch.set_num_threads(1)
    for method in ("fork", "spawn", "forkserver"):
        train(method, 3 if method == "fork" else 1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork here")
def test_workers_of_a_data_loader(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(LOADER))
    command = [sys.executable, str(program), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "stopped" not in done.stderr
