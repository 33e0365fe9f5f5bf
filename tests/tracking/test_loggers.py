"""The numbers of records in TensorBoard, Weights & Biases and MLflow, as they keep them offline."""

import json
import struct

import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.tracking import Tracker

WEIGHTS = np.random.default_rng(0).normal(size=(12, 9))
NAME = "layer[0].w"
LARGEST = {step: float(np.linalg.norm(WEIGHTS * (1 + step), 2)) for step in range(3)}


def train(folder, log):
    with Tracker(folder / "run.zarr", every=1, log=log) as tracker:
        for step in range(3):
            tracker.update(step, {NAME: WEIGHTS * (1 + step)})
    assert tracker._said == set()


@pytest.mark.parametrize("log", ["tensorbored", 3, ""])
def test_another_word_is_refused(tmp_path, log):
    with pytest.raises(InvalidInputError, match="tensorboard, wandb, mlflow, or a function"):
        Tracker(tmp_path / "run.zarr", log=log)
    assert not (tmp_path / "run.zarr").exists()


@pytest.mark.parametrize("word", ["tensorboard", "wandb", "mlflow"])
def test_a_library_that_is_missing_is_named(tmp_path, monkeypatch, word):
    import sys

    monkeypatch.setitem(
        sys.modules, "torch.utils.tensorboard" if word == "tensorboard" else word, None
    )
    with pytest.raises(InvalidInputError, match=f'log = "{word}" needs a library .* pip install'):
        Tracker(tmp_path / "run.zarr", log=word)


@pytest.mark.parametrize("word", ["tensorboard", "wandb", "mlflow"])
def test_what_a_library_says_is_one_sentence(tmp_path, monkeypatch, word):
    """No server, no password: a mistake of settings, told before any training."""
    import sys
    from types import SimpleNamespace

    def refuse(*_, **__):
        raise RuntimeError("no such\n server.")

    library = SimpleNamespace(
        SummaryWriter=refuse, run=None, init=refuse, active_run=lambda: None, start_run=refuse
    )
    name = "torch.utils.tensorboard" if word == "tensorboard" else word
    monkeypatch.setitem(sys.modules, name, library)
    with pytest.raises(InvalidInputError, match=f'log = "{word}" cannot begin: no such server.$'):
        Tracker(tmp_path / "run.zarr", log=word)
    assert not (tmp_path / "run.zarr").exists()


def test_tensorboard(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(tmp_path, "tensorboard")
    events = EventAccumulator(str(tmp_path / "run-tensorboard"), {"histograms": 0})
    events.Reload()
    found = {event.step: event.value for event in events.Scalars(f"sgdyson/{NAME}/spectral")}
    assert found == pytest.approx(LARGEST, rel=1e-6)
    histograms = events.Histograms(f"sgdyson/{NAME}/singular values")
    assert [h.step for h in histograms] == [0, 1, 2]
    for h in histograms:
        assert h.histogram_value.num == 9
        assert h.histogram_value.max == pytest.approx(LARGEST[h.step])


@pytest.mark.parametrize("own", [True, False])
def test_mlflow(tmp_path, monkeypatch, own):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())  # needs no database
    other = None if own else mlflow.start_run(run_name="mine")
    train(tmp_path, "mlflow")
    run = mlflow.last_active_run() if own else other
    assert run.info.run_name == ("run" if own else "mine")
    assert (mlflow.active_run() is None) == own  # what was there goes on
    mlflow.end_run()
    kept = mlflow.MlflowClient().get_metric_history(run.info.run_id, "sgdyson/layer_0_.w/spectral")
    assert {metric.step: metric.value for metric in kept} == pytest.approx(LARGEST)


@pytest.mark.parametrize("own", [True, False])
def test_wandb(tmp_path, monkeypatch, own):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    wandb.teardown()
    other = None if own else wandb.init(project="mine")
    train(tmp_path, "wandb")
    assert (wandb.run is None) == own  # what was there goes on
    if other is not None:
        other.finish()
    wandb.teardown()
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    found, histograms = records_of(file)
    assert found == pytest.approx(LARGEST)
    assert [sum(counts) for counts in histograms] == [9, 9, 9]


def records_of(file):
    """Largest singular value by step, and counts of the histograms, of a file of wandb."""
    from wandb.proto.wandb_internal_pb2 import Record

    found, histograms = {}, []
    for data in contents(file):
        record = Record()
        record.ParseFromString(data)
        row = {
            i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in record.history.item
        }
        if f"sgdyson/{NAME}/spectral" in row:
            found[row["sgdyson/step"]] = row[f"sgdyson/{NAME}/spectral"]
        histograms += [
            value for key, value in row.items() if key.endswith("singular values/values")
        ]
        histograms += [v["values"] for key, v in row.items() if key.endswith("singular values")]
    return found, histograms


def contents(file):
    """Records of a log of LevelDB, in blocks of 32 kB, behind a head of seven bytes."""
    data, place, record = file.read_bytes(), 7, b""
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        length, kind = struct.unpack_from("<HB", data, place + 4)
        record += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or its last piece
            yield record
            record = b""
