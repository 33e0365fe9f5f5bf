"""Settings and results as data: valid JSON, kept by every writer, read back by our readers."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import sgdyson
from sgdyson import analysis
from sgdyson._attributes import attributes_of, json_text, number_of
from sgdyson.models import GaussianRBM, LinearNetwork, TeacherStudent
from sgdyson.optimizers import HeavyBall

MODELS = {
    "rbm": lambda: GaussianRBM.scalar_field(4),
    "student": lambda: TeacherStudent(np.diag([1.0, 2.0]), label_noise=0.1),
    "linear": lambda: LinearNetwork(np.diag([1.0, 2.0]), hidden=(2,), label_noise=0.1),
}


def strict(text: str):
    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:Consolidated metadata", "ignore:The data type")
def test_a_run_without_noise_survives_every_writer(name, tmp_path):
    run = sgdyson.simulate(
        MODELS[name](), learning_rate=0.01, batch_size=math.inf, replicas=2, updates=4,
        record_every=2, seed=1, optimizer=HeavyBall(0.5), progress=False,
    )  # fmt: skip
    run.to_zarr(tmp_path / "run.zarr")
    for file in Path(tmp_path / "run.zarr").rglob("zarr.json"):
        strict(file.read_text())
    strict(json.dumps(run.to_dict(data=False)["attrs"]))
    (history, *_) = analysis.read(tmp_path / "run.zarr")
    assert (history.batch_size, history.learning_rate) == (math.inf, 0.01)
    run.to_netcdf(tmp_path / "run.nc")
    with xr.open_dataset(tmp_path / "run.nc") as again:
        assert number_of(again.attrs, "batch_size") == math.inf
        assert again.attrs.keys() == run.attrs.keys()
        assert all(np.all(again.attrs[key] == run.attrs[key]) for key in run.attrs)


def test_a_run_without_noise_is_measured():
    run = sgdyson.simulate(
        TeacherStudent(np.diag([1.0, 2.0]), label_noise=0.1), learning_rate=0.1,
        batch_size=math.inf, replicas=4, updates=40, record_every=20, seed=1, progress=False,
    )  # fmt: skip
    model = TeacherStudent(np.diag([1.0, 2.0]), label_noise=0.1)
    assert analysis.measure("noise-free", run, model, burn_in=0).batch_size == math.inf


VALUES = [math.inf, -math.inf, math.nan, 0.1, 3, True, "text", [1.0, math.inf], [1, 2],
          [[1.0, 2.0], [3.0, math.nan]], {"a": [math.inf]}, np.float64(np.inf), np.int64(3),
          np.True_, np.array([1.0, np.nan]), None, [], ["a", 1]]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_any_value_as_attribute_and_as_json(value, tmp_path):
    attributes = attributes_of({"value": value})
    strict(json.dumps(attributes))
    strict(json_text({"value": value}))
    xr.Dataset(attrs=attributes).to_netcdf(tmp_path / "a.nc")
    if isinstance(value, float) and not isinstance(value, bool):
        assert number_of(attributes, "value") == pytest.approx(float(value), nan_ok=True)
