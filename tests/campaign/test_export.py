"""A campaign as netCDF and as a table: the same numbers, names and units, and nothing lost."""

import csv
import json
import shutil
import sys

import numpy as np
import pytest
import xarray as xr
from test_reuse import spec
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.campaign import Campaign, _export, _store, parse_spec
from sgdyson.errors import InvalidInputError

pytest.importorskip("h5netcdf")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A grid of 2 x 2 settings of 70 replicas, in chunks of 64 and 6."""
    grid = spec(replicas=70, learning={"batch_size": [4, float("inf")]})
    campaign = Campaign(grid, tmp_path_factory.mktemp("export") / "grid")
    campaign.run(progress=False)
    return campaign


@pytest.fixture
def half(made, tmp_path):
    """Without the first replicas of one setting, and the last of another."""
    campaign = Campaign.from_folder(shutil.copytree(made.store.folder, tmp_path / "half"))
    campaign.store.forget([_store.Chunk(1, 0), _store.Chunk(2, 1)])
    return campaign


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class TestNetCDF:
    def test_is_what_the_store_is(self, made, tmp_path):
        made.to_netcdf(tmp_path / "a.nc")
        with xr.open_dataset(tmp_path / "a.nc") as file:
            xr.testing.assert_equal(file, made.open())
            assert {name: file[name].dtype for name in ("levels", "diverged", "finished")} == {
                "levels": np.float64, "diverged": bool, "finished": bool,
            }  # fmt: skip
            assert file.diverged_at.dtype.kind == "i"
            assert set(file.levels.dims) == {
                "learning_rate",
                "batch_size",
                "replica",
                "time",
                "level",
            }
            assert file.title == "small"
            assert json.loads(file.spec)["learning"]["learning_rate"] == [0.05, 0.1]

    def test_says_what_is_in_it(self, made, tmp_path):
        made.to_netcdf(tmp_path / "a.nc")
        with xr.open_dataset(tmp_path / "a.nc") as file:
            units = {
                str(name): variable.attrs.get("units") for name, variable in file.variables.items()
            }
            assert all(variable.attrs["long_name"] for variable in file.variables.values())
        assert units == {
            "levels": "1", "learning_rate": "1", "batch_size": "1",
            "time": "updates", "burn_in": "updates", "record_every": "updates",
            "diverged": None, "diverged_at": None, "finished": None,
            "replica": None, "stream": None,
        }  # fmt: skip

    def test_what_is_not_finished_is_no_number(self, half, tmp_path):
        half.to_netcdf(tmp_path / "a.nc")
        with xr.open_dataset(tmp_path / "a.nc") as file:
            data = half.open()
            xr.testing.assert_equal(file.levels, data.levels.where(data.finished))
            assert (file.levels.isnull().any(("time", "level")) == ~file.finished).all()
            assert int(file.finished.sum()) == 4 * 70 - 64 - 6
            assert (file.diverged_at == -1).all()

    def test_the_unit_of_time_is_that_of_the_spec(self, tmp_path):
        own = spec(replicas=2, time_unit="1/learning_rate", learning={"learning_rate": [0.1, 0.3]})
        campaign = Campaign(own, tmp_path / "out")
        campaign.run(progress=False)
        campaign.to_netcdf(tmp_path / "a.nc")
        with xr.open_dataset(tmp_path / "a.nc") as file:
            assert file.time.units == "1/learning_rate"
            assert file.record_every.units == "updates"

    def test_without_its_library_is_one_sentence(self, made, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "h5netcdf", None)
        with pytest.raises(InvalidInputError, match=r'pip install "sgdyson\[netcdf\]"'):
            made.to_netcdf(tmp_path / "a.nc")
        assert list(tmp_path.iterdir()) == []


class TestTable:
    def test_is_that_of_xarray(self, made, tmp_path):
        made.to_csv(tmp_path / "a.csv")
        rows = table(tmp_path / "a.csv")
        data = made.open()
        assert list(rows[0]) == [
            "learning_rate", "batch_size", "replica", "time", "level",
            "levels", "diverged", "diverged_at",
        ]  # fmt: skip
        assert len(rows) == data.levels.size
        np.testing.assert_array_equal(
            [float(row["levels"]) for row in rows], data.levels.values.ravel()
        )
        assert list(rows[-1].values())[:5] == ["0.1", "inf", "69", "60", "9"]

    def test_has_what_is_finished_alone(self, half, tmp_path):
        half.to_csv(tmp_path / "a.csv")
        rows = table(tmp_path / "a.csv")
        assert len(rows) == (4 * 70 - 64 - 6) * 4 * 10
        own = {(row["learning_rate"], row["batch_size"], int(row["replica"])) for row in rows}
        assert ("0.05", "inf", 0) not in own
        assert ("0.05", "inf", 64) in own

    def test_of_a_zip_of_models_has_no_padding(self, tmp_path):
        own = spec(
            replicas=3, vary="zip", learning={"learning_rate": [0.05, 0.1]},
            model={"kind": "teacher_student", "teacher": [[2.0, 2.0], [3.0, 2.0, 2.0]]},
        )  # fmt: skip
        campaign = Campaign(own, tmp_path / "out")
        campaign.run(progress=False)
        campaign.to_csv(tmp_path / "a.csv")
        rows = table(tmp_path / "a.csv")
        assert len(rows) == 3 * 4 * (2 + 3)
        assert {(row["teacher"], row["learning_rate"]) for row in rows} == {
            ("[2.0, 2.0]", "0.05"), ("[3.0, 2.0, 2.0]", "0.1"),
        }  # fmt: skip
        campaign.to_netcdf(tmp_path / "a.nc")
        with xr.open_dataset(tmp_path / "a.nc") as file:
            xr.testing.assert_equal(file, campaign.open())

    def test_names_the_matrices(self, tmp_path):
        own = spec(
            replicas=2, learning={"learning_rate": 0.05},
            model={"kind": "linear_network", "teacher": [2.0, 1.0], "hidden": [3]},
        )  # fmt: skip
        campaign = Campaign(own, tmp_path / "out")
        matrices = campaign.run(progress=False).matrix.values.tolist()
        assert len(set(matrices)) > 1
        campaign.to_csv(tmp_path / "a.csv")
        rows = table(tmp_path / "a.csv")
        assert [row["matrix"] for row in rows[: len(matrices)]] == matrices
        campaign.to_netcdf(tmp_path / "a.nc")
        with xr.open_dataset(tmp_path / "a.nc") as file:
            xr.testing.assert_equal(file, campaign.open())


def test_one_chunk_is_in_memory_at_a_time(made):
    slabs = list(_export.slabs(made))
    assert [len(slab.replicas) for slab in slabs] == 4 * [64, 6]
    assert [slab.setting for slab in slabs] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_damaged_numbers_are_not_written(made, tmp_path):
    folder = shutil.copytree(made.store.folder, tmp_path / "out")
    victim = folder / "data.zarr" / "levels" / "c" / "0" / "1" / "0" / "0" / "0"
    victim.write_bytes(victim.read_bytes()[:-3])
    for write in (Campaign.from_folder(folder).to_csv, Campaign.from_folder(folder).to_netcdf):
        with pytest.raises(InvalidInputError, match="put it right"):
            write(tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["manifest.jsonl", "data.zarr/zarr.json", "spec.json"])
def test_what_is_read_is_not_replaced(made, name):
    path = made.store.folder / name
    before = path.read_bytes()
    for write in (made.to_csv, made.to_netcdf):
        with pytest.raises(InvalidInputError, match="belongs to what is read"):
            write(path)
    assert path.read_bytes() == before


class TestCommand:
    def run(self, *words):
        return CliRunner().invoke(cli.app, ["export", *map(str, words)])

    def test_tells_of_what_is_missing(self, half, tmp_path):
        told = self.run(half.store.folder, "--csv", tmp_path / "a.csv")
        assert told.exit_code == 0
        assert "is not finished: settings 2/4, replicas 210/280" in told.stderr

    def test_writes_to_standard_output(self, made, tmp_path):
        told = self.run(made.store.folder, "--csv")
        made.to_csv(tmp_path / "a.csv")
        assert told.stdout == (tmp_path / "a.csv").read_text()
        assert told.stderr == ""

    def test_asks_for_a_file(self, made):
        told = self.run(made.store.folder)
        assert isinstance(told.exception, InvalidInputError)
        assert "add --netcdf FILE or --csv FILE" in str(told.exception)


def test_nothing_to_write_is_one_sentence(tmp_path):
    campaign = Campaign(parse_spec(spec().raw), tmp_path / "out")
    with pytest.raises(InvalidInputError, match="nothing"):
        campaign.to_csv(tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()
