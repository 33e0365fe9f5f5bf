"""Losses beside the records: in the store at once, gone back with the training, by trainers."""

import warnings

import numpy as np
import pytest

from sgdyson.tracking import Run, Tracker, open_run

WEIGHTS = {"w": np.diag([2.0, 1.0])}


def scalars(store):
    found = Run(open_run(store)).scalars
    return {name: dict(zip(*map(np.ndarray.tolist, pair), strict=True))
            for name, pair in found.items()}  # fmt: skip


def tell(tracker, values):
    for value in values:
        tracker.log_scalar("loss", value)


def train(store, steps, offset=0.0, **settings):
    with Tracker(store, every=4, **settings) as tracker:
        for step in steps:
            tracker.update(step, WEIGHTS)
            tracker.log_scalar("loss", 1.0 * step + offset)
    assert tracker._said == set()


def test_they_come_back_at_every_moment(tmp_path):
    tracker = Tracker(tmp_path / "r", every=2)
    tracker.log_scalar("before", np.float32(0.5), 0)
    for step in range(5):
        tracker.update(step, WEIGHTS)
        tracker.log_scalar("loss", step**2)
    tracker._settle()  # the folder is there: what follows needs no record and no end
    tracker.log_scalar("loss", np.nan, 7)
    tracker.log_scalar("β/validation loss", np.ones((1, 1)), step=6)
    found = scalars(tmp_path / "r")
    assert found["before"] == {0: 0.5}
    assert np.isnan(found["loss"].pop(7))
    assert found["loss"] == {step: step**2 for step in range(5)}
    assert found["β/validation loss"] == {6: 1.0}
    tracker.close()
    tracker.log_scalar("loss", 9.0, 9)  # as of a test after the training
    assert scalars(tmp_path / "r")["loss"][9] == 9.0


def test_a_training_that_goes_back_replaces_what_it_repeats(tmp_path):
    train(tmp_path / "r", range(10))
    train(tmp_path / "r", range(6, 13), 0.5, mode="append", start_step=5)
    exact = {step: step + (0.5 if step > 5 else 0.0) for step in range(13)}
    assert scalars(tmp_path / "r")["loss"] == exact


def test_steps_that_go_back_replace_what_they_repeat(tmp_path):
    """Within one training too, as of a cell of a notebook that is run again."""
    with Tracker(tmp_path / "r", every=1) as tracker:
        tracker.update(0, WEIGHTS)
        for value, step in enumerate([*range(10), *range(5, 8)]):
            tracker.log_scalar("loss", value, step)
    steps, values = Run(open_run(tmp_path / "r")).scalars["loss"]
    assert steps.tolist() == list(range(8))
    assert values.tolist() == [0, 1, 2, 3, 4, 10, 11, 12]


def test_what_a_resumed_training_does_not_tell_again_is_gone(tmp_path):
    with Tracker(tmp_path / "r", every=1) as tracker:
        tracker.update(0, WEIGHTS)
        for step in (10, 20, 30):
            tracker.log_scalar("validation", step, step)
    train(tmp_path / "r", range(20, 23), mode="append", start_step=19)
    assert scalars(tmp_path / "r")["validation"] == {10: 10.0}


@pytest.mark.parametrize("torn", [1, 12])
def test_a_torn_end_is_not_read_and_is_gone_on_with(tmp_path, torn):
    train(tmp_path / "r", range(5))
    file = tmp_path / "r" / "time" / "scalars"
    file.write_bytes(file.read_bytes()[:-torn])
    assert scalars(tmp_path / "r")["loss"] == {step: step for step in range(4)}
    train(tmp_path / "r", range(4, 7), mode="append")
    assert scalars(tmp_path / "r")["loss"] == {step: step for step in range(7)}


def test_what_is_no_number_is_told_once(tmp_path):
    with Tracker(tmp_path / "r", every=1) as tracker:
        tracker.update(0, WEIGHTS)
        with pytest.warns(RuntimeWarning) as seen:
            tell(tracker, [[1.0, 2.0], "x", [1.0, 2.0], 3.0])
    assert len(seen) == 2
    assert "not one number" in str(seen[0].message)
    assert scalars(tmp_path / "r") == {"loss": {0: 3.0}}


def test_a_full_disk_ends_them_and_not_the_records(tmp_path, monkeypatch):
    with Tracker(tmp_path / "r", every=1) as tracker:
        tracker.update(0, WEIGHTS)
        tracker._settle()

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("sgdyson.tracking._scalar_log.append_frames", full)
        with pytest.warns(RuntimeWarning, match="No space") as seen:
            tell(tracker, range(3))
        tracker.update(1, {"w": np.diag([3.0, 1.0])})
    assert len(seen) == 1
    assert open_run(tmp_path / "r").sizes["time"] == 2


torch = pytest.importorskip("torch")


def test_lightning_tells_them_by_itself(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch")
    from sgdyson.tracking.lightning import SpectralCallback

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(6, 5)
            self.losses, self.validated = [], []

        def training_step(self, batch, _):
            loss = self.layer(batch[0]).square().mean()
            self.log("accuracy", 1 - loss)
            self.losses.append(float(loss))
            return loss

        def validation_step(self, batch, _):
            loss = self.layer(batch[0]).square().mean()
            self.log("validation loss", loss)
            self.validated.append(float(loss.detach()))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    data = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.randn(24, 6)), batch_size=8
    )
    module = Module()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=2, enable_checkpointing=False, logger=False, log_every_n_steps=2,
            enable_progress_bar=False, enable_model_summary=False, accelerator="cpu",
            callbacks=[SpectralCallback(tmp_path / "r", every=1)], num_sanity_val_steps=1,
        )  # fmt: skip
        trainer.fit(module, data, data)
    found = scalars(tmp_path / "r")
    assert set(found) == {"loss", "accuracy", "validation loss"}
    assert found["loss"] == pytest.approx({s: module.losses[s - 1] for s in (2, 4, 6)})
    means = np.reshape(module.validated[1:], (2, 3)).mean(axis=1)
    assert found["validation loss"] == pytest.approx(dict(zip((3, 6), means, strict=True)))


def test_transformers_tells_them_by_itself(tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from sgdyson.tracking.transformers import SpectralCallback

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(6, 5)

        def forward(self, x, return_loss=True):
            return {"loss": self.layer(x).square().mean()}

    data = [{"x": torch.randn(6)} for _ in range(32)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = transformers.Trainer(
            Net(),
            transformers.TrainingArguments(
                str(tmp_path / "out"), max_steps=4, per_device_train_batch_size=8, report_to=[],
                save_strategy="no", use_cpu=True, disable_tqdm=True, logging_steps=1,
                eval_strategy="steps", eval_steps=2,
            ),
            train_dataset=data, eval_dataset=data,
            callbacks=[SpectralCallback(tmp_path / "r", every=1)],
        )  # fmt: skip
        trainer.train()
    found = scalars(tmp_path / "r")
    logged = {
        name: {log["step"]: log[name] for log in trainer.state.log_history if name in log}
        for name in ("loss", "eval_loss", "learning_rate", "grad_norm")
    }
    assert list(logged["loss"]) == [1, 2, 3, 4]
    for name, values in logged.items():
        assert found[name] == pytest.approx(values)
    assert not [name for name in found if name.endswith(("_runtime", "_per_second"))]
    assert "epoch" not in found
