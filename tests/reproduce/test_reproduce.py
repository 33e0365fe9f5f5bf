"""The command as a user meets it: a whole small reproduction, resumed; and every misuse."""

import json
import subprocess
import sys

import pytest
import xarray as xr
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.analysis import Check
from sgdyson.errors import InvalidInputError
from sgdyson.reproduce import _figures, reproduce
from sgdyson.stats import Estimate


def sgdyson(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from sgdyson.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The teacher-student part of the quick preset."""
    out = tmp_path_factory.mktemp("parent") / "out"
    reproduce("quick", only=["teacher_scaling", "target_spectrum"], out=out, progress=False)
    return out


def test_it_writes_results_figures_report_and_runs(folder):
    results = json.loads((folder / "results.json").read_text())
    assert results["passed"] is True
    assert len(results["checks"]) == 22
    keys = {"name", "figure", "quantity", "setting", "measured", "error", "predicted", "ratio",
            "passed"}  # fmt: skip
    for check in results["checks"]:
        assert keys <= set(check)
        assert check["error"] > 0
    assert len({check["name"] for check in results["checks"]}) == 22
    names = {path.name for path in (folder / "figures").iterdir()}
    assert names == {f"{n}.{k}" for n in ("teacher_scaling", "target_spectrum")
                     for k in ("pdf", "png")}  # fmt: skip
    assert "22 of 22 checks hold" in (folder / "report.html").read_text()
    run = xr.open_zarr(folder / "runs" / "online_alpha0.1_batch4_noise0.1.zarr", consolidated=False)
    assert run.levels.dims == ("replica", "time", "level")
    assert run.attrs["batch_size"] == 4


def test_it_goes_on_from_the_finished_runs(folder):
    before = {path: path.stat().st_mtime_ns for path in (folder / "runs").iterdir()}
    said = []
    reproduce("quick", only=["teacher_scaling"], out=folder, say=said.append, progress=False)
    after = {path: path.stat().st_mtime_ns for path in (folder / "runs").iterdir()}
    assert before == after


def test_a_killed_run_leaves_nothing_behind_that_counts(folder):
    store = folder / "runs" / "online_alpha0.1_batch4_noise0.1.zarr"
    whole = xr.open_zarr(store, consolidated=False).load()
    store.rename(store.with_suffix(".partial"))  # as a kill in the middle of writing leaves it
    reproduce("quick", only=["teacher_scaling"], out=folder, progress=False)
    again = xr.open_zarr(store, consolidated=False).load()
    xr.testing.assert_equal(whole, again)


def test_a_failed_check_is_exit_status_one(monkeypatch, tmp_path):
    def fails(results):
        return [Check("no", "target_spectrum", "q", {}, Estimate(1.0, 0.1, 10.0), 2.0)]

    entry = _figures.FIGURES["target_spectrum"]._replace(check=fails)
    monkeypatch.setitem(_figures.FIGURES, "target_spectrum", entry)
    arguments = ["reproduce", "--only", "target_spectrum", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 1
    assert json.loads((tmp_path / "out" / "results.json").read_text())["passed"] is False


def test_a_check_holds_within_four_errors_and_the_neglected_term():
    measured = Estimate(1.0, 0.01, 100.0)
    assert Check("a", "f", "q", {}, measured, 1.039).passed
    assert not Check("a", "f", "q", {}, measured, 1.041).passed
    assert Check("a", "f", "q", {}, measured, 1.041, theory_error=0.01).passed


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--preset", "slow"], "'slow'"),
        (["--only", "nothing"], "nothing"),
        (["--seed", "-1"], "-1"),
    ],
)
def test_misuse_is_one_sentence_and_exit_status_two(arguments, named, tmp_path):
    result = sgdyson("reproduce", *arguments, "--out", str(tmp_path / "out"))
    assert result.returncode == 2
    assert named in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_foreign_folders_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    result = sgdyson("reproduce", "--only", "target_spectrum", "--out", str(tmp_path))
    assert result.returncode == 2
    assert "thesis.txt" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_another_preset_or_seed_is_refused(folder):
    for change in ({"preset": "paper"}, {"seed": 5}):
        with pytest.raises(InvalidInputError, match="another"):
            reproduce(**{"only": ["target_spectrum"], "out": folder, "progress": False} | change)


def test_an_unwritable_folder_is_named(tmp_path):
    # a file in the way stops root too, whom permissions do not
    (tmp_path / "file").write_text("")
    result = sgdyson("reproduce", "--only", "target_spectrum", "--out", str(tmp_path / "file/out"))
    assert result.returncode == 2
    assert "file/out" in result.stderr.replace("\n", "")
    assert "Traceback" not in result.stderr


def test_help_shows_an_example():
    result = CliRunner().invoke(cli.app, ["reproduce", "--help"])
    assert result.exit_code == 0
    assert "sgdyson reproduce --preset paper" in result.output
