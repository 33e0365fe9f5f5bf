"""What a machine cannot do is refused beforehand, with what it takes and what there is."""

import time

import pytest
from test_campaign import SPEC, TEACHER, written

from sgdyson import _capacity
from sgdyson.campaign import Campaign
from sgdyson.campaign._spec import read_spec
from sgdyson.dyson import EigenvalueProcess, MatrixProcess
from sgdyson.ensembles import Quadratic
from sgdyson.errors import InvalidInputError

RBM = 'kind = "gaussian_rbm"\nn_visible = {}'


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Of 16 GB, and a disk of 100 GB."""
    monkeypatch.setattr(_capacity, "available_memory", lambda: 16 * 10**9)
    monkeypatch.setattr(_capacity, "free_disk", lambda folder: 100 * 10**9)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"replicas = 200": "replicas = 1_000_000_000_000"}, "replicas = 1000000000000"),
        ({"replicas = 200": "replicas = 2_000_000_000"}, "on disk, and 100 GB are free"),
        ({"updates = 400": "updates = 1_000_000", "= 100\n": "= 1\n", "= 200": "= 10_000"},
         "on disk, and 100 GB|of memory, and 16 GB"),
        ({'kind = "teacher_student"': RBM.format(10**6), TEACHER: ""}, "32 TB of memory, and 16"),
        ({TEACHER: "teacher = [2.0]\nmultiplicity = 1_000_000"}, "of memory, and 16 GB"),
        ({TEACHER: 'teacher = [2.0]\ndata = "quenched"\nbatches = 2_000_000_000'}, "of memory"),
        ({"[0.05, 0.1]": str([0.1 + i / 1e6 for i in range(400)]),
          "[4, 16]": str(list(range(1, 400)))}, "at most 100000"),
        ({"seed = 3": "seed = 3\n" + "# padding\n" * 200_000}, "a spec has at most"),
        ({"seed = 3": "seed = " + "[" * 20_000}, "nested too deeply|not TOML"),
        ({"seed = 3": "seed = " + "9" * 10_000}, "not TOML|seed"),
    ],
    ids=range(10),
)  # fmt: skip
def test_a_campaign_that_does_not_fit(tmp_path, change, reason):
    text = SPEC
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    began = time.monotonic()
    with pytest.raises(InvalidInputError, match=reason):
        Campaign.from_file(written(tmp_path, text), tmp_path / "out").run(progress=False)
    assert time.monotonic() - began < 60
    assert not (tmp_path / "out" / "data.zarr").exists()


def test_many_small_settings_take_files_of_their_own(tmp_path, monkeypatch):
    """Of 4 kB at least each, however few numbers are in them."""
    monkeypatch.setattr(_capacity, "free_disk", lambda folder: 10**6)
    rates = str([0.1 + i / 1e6 for i in range(50)])
    text = SPEC.replace("[0.05, 0.1]", rates).replace("= 200", "= 1").replace("= 400", "= 100")
    path = written(tmp_path, text)
    assert len(read_spec(path).settings) == 100
    with pytest.raises(InvalidInputError, match="on disk, and 1 MB are free"):
        Campaign.from_file(path, tmp_path / "out").run(progress=False)


@pytest.mark.parametrize(("levels", "replicas"), [(40_000, 1), (2, 2**31 - 1), (100, 10**9)])
def test_a_process_of_levels_that_does_not_fit(levels, replicas):
    with pytest.raises(InvalidInputError, match="of memory, and 16 GB are available"):
        EigenvalueProcess(Quadratic()).simulate(
            range(levels), step=0.1, steps=10, replicas=replicas, seed=0
        )


def test_a_process_of_matrices_that_does_not_fit():
    with pytest.raises(InvalidInputError, match="of memory, and 16 GB are available"):
        MatrixProcess(10, 1).simulate([0, 1], replicas=2**31 - 1, seed=0)
