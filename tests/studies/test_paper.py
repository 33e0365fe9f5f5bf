"""The command as a user meets it: a whole small reproduction, resumed; and every misuse."""

import json
import math
import shutil
import tomllib

import pytest
import xarray as xr
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.analysis import Check
from sgdyson.campaign import Campaign
from sgdyson.campaign import specs as spec_files
from sgdyson.campaign._spec import parse_spec
from sgdyson.errors import InvalidInputError
from sgdyson.stats import Estimate
from sgdyson.studies.paper import _entries, reproduce
from sgdyson.studies.paper._entries import FIGURES
from sgdyson.studies.paper._presets import GROUPS, runs, specs

TEXT = spec_files.text
# a setting or two of each campaign, most of which is compilation
SMALL = {
    "rbm_batch": {"learning": {"batch_size": [16]}},
    "rbm_rate": {"learning": {"learning_rate": [0.05]}},
    "teacher_online": {"model": {"label_noise": [0.1, 0.1]},
                       "learning": {"learning_rate": [0.1, 0.3], "batch_size": [16, 16]}},
    "teacher_quenched": {"model": {"label_noise": 0.1},
                         "learning": {"learning_rate": 0.1, "batch_size": 16}},
    "semicircle": {"replicas": 20, "model": {"multiplicity": 2}},
    "coulomb_force": {"updates": 200, "burn_in": 10},
    "threefold": {"updates": 200, "burn_in": 50},
}  # fmt: skip


def small(name):
    """A spec file with 20 replicas; the slow machine is watched from its fixed point on."""
    raw = tomllib.loads(TEXT(name)) | {"replicas": 20}
    if name.startswith("rbm"):
        raw |= {"time_unit": "update", "updates": 40, "record_every": 10, "burn_in": 10}
        raw["model"]["initial"] = "fixed_point"
    for key, value in SMALL[name].items():
        raw[key] = raw[key] | value if isinstance(value, dict) else value
    tables = {key: raw.pop(key) for key in ("model", "learning")}
    lines = [f"{key} = {json.dumps(value)}" for key, value in raw.items()]
    for table, values in tables.items():
        lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines)


def again(out, only=("teacher_scaling",)):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spec_files, "text", small)
        return reproduce("paper", only=only, out=out, progress=False, say=lambda line: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All figures of a small run."""
    out = tmp_path_factory.mktemp("parent") / "out"
    again(out, only=())
    return out


def test_it_writes_results_figures_report_and_runs(folder):
    results = json.loads((folder / "results.json").read_text())
    checks = {check["name"]: check for check in results["checks"]}
    assert len(checks) == len(results["checks"])
    keys = {"name", "figure", "quantity", "setting", "measured", "error", "predicted", "ratio",
            "passed"}  # fmt: skip
    for check in results["checks"]:
        assert keys <= set(check)
        assert check["error"] > 0
    assert {check["figure"] for check in results["checks"]} <= set(FIGURES)
    assert all(check["passed"] for check in checks.values() if check["figure"] == "teacher_scaling")
    files = {path.name: path.stat().st_size for path in (folder / "figures").iterdir()}
    assert set(files) == {f"{name}.{kind}" for name in FIGURES for kind in ("pdf", "png")}
    assert min(files.values()) > 1000
    held = sum(check["passed"] for check in checks.values())
    page = (folder / "report.html").read_text()
    assert f"{held} of {len(checks)} checks hold" in page
    data = xr.open_zarr(folder / "campaigns" / "teacher_online" / "data.zarr", consolidated=False)
    assert data.levels.dims == ("setting", "replica", "time", "level")
    assert data.learning_rate.values.tolist() == [0.1, 0.3]
    rows = {row["run"]: row for row in results["runs"]}
    row = rows["online_alpha0.3_batch16_noise0.1"]  # ceil(25/0.3), and three times ceil(5/0.3)
    assert (row["updates"], row["records"], row["replicas"]) == (84 + 51, 4, 20)


def chunks(folder):
    """Files of the levels of all campaigns, and when they were written."""
    found = (folder / "campaigns").glob("*/data.zarr/levels/c/**/*")
    return {path: path.stat().st_mtime_ns for path in found if path.is_file()}


def test_it_goes_on_from_the_finished_runs(folder):
    before = chunks(folder)
    again(folder)
    assert len(before) >= 7  # one a setting at least
    assert chunks(folder) == before


def test_a_figure_runs_the_settings_that_it_shows(monkeypatch, tmp_path):
    """Nine settings of the RBM, of which two are in the spacings' figure and their checks."""
    monkeypatch.setitem(SMALL, "rbm_rate", {"learning": {"learning_rate": [0.05, 0.02]}})
    monkeypatch.setitem(SMALL, "rbm_batch", {"learning": {"batch_size": [4, 16]}})
    out = tmp_path / "out"
    again(out, only=["wigner"])
    rows = json.loads((out / "results.json").read_text())["runs"]
    assert [row["run"] for row in rows] == ["rbm_alpha0.1_batch16", "rbm_alpha0.02_batch16"]
    campaign = Campaign.from_folder(out / "campaigns" / "rbm_batch")
    assert campaign.progress().counts == [0, 20]


def test_a_killed_run_leaves_nothing_behind_that_counts(folder):
    store = folder / "campaigns" / "teacher_online"
    whole = xr.open_zarr(store / "data.zarr", consolidated=False).load()
    manifest = (store / "manifest.jsonl").read_text().splitlines(keepends=True)
    (store / "manifest.jsonl").write_text("".join(manifest[:-1]) + manifest[-1][:30])
    before = chunks(folder)
    again(folder)
    repeated = xr.open_zarr(store / "data.zarr", consolidated=False).load()
    xr.testing.assert_equal(whole, repeated)
    assert sum(before[path] != when for path, when in chunks(folder).items()) == 1


def test_a_spec_that_was_edited_is_refused(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "out")
    claim = copy / "campaigns" / "teacher_online" / "spec.json"
    claim.write_text(claim.read_text().replace('"digest": "', '"digest": "0'))
    with pytest.raises(InvalidInputError, match="not as sgdyson wrote it"):
        again(copy)


class TestPresets:
    def test_paper_is_the_spec_files_as_they_are(self):
        for name, spec in specs("paper", 0).items():
            assert spec.digest == parse_spec(tomllib.loads(spec_files.text(name))).digest

    def test_the_settings_are_those_of_the_paper(self):
        """Section 3 and 4 of arXiv:2407.16427: two lines through (0.1, 16), and three."""
        planned = specs("paper", 0)
        rbm = {(run.learning_rate, run.batch_size) for run in runs("rbm", planned)}
        batches = {(0.1, size) for size in (4, 8, 16, 32, 64)}
        assert rbm == batches | {(rate, 16) for rate in (0.02, 0.04, 0.06, 0.08, 0.1)}
        for group in ("online", "quenched"):
            found = {
                (run.learning_rate, run.batch_size, run.model.label_noise)
                for run in runs(group, planned)
            }
            assert found == (
                {(0.1, size, 0.1) for size in (4, 8, 16, 32, 64)}
                | {(rate, 16, 0.1) for rate in (0.1, 0.2, 0.3, 0.4, 0.5)}
                | {(0.1, 16, noise) for noise in (0.05, 0.075, 0.1)}
            )

    def test_literal_records_five_times_and_discards_the_burn_in(self):
        for run in runs("rbm", specs("literal", 0)):
            setting = run.setting
            assert (setting.replicas, setting.total_updates) == (7500, 100_000)
            assert setting.interval * (setting.times - 1) == 100_000
            assert setting.times == 6  # the initial state, and five
            assert run.discard == math.ceil(round(1200 / run.learning_rate, 6))

    @pytest.mark.parametrize("preset", ["quick", "paper"])
    def test_names_are_unique(self, preset):
        planned = specs(preset, 0)
        names = [run.name for group in GROUPS for run in runs(group, planned)]
        assert len(set(names)) == len(names)


def test_a_failed_check_is_exit_status_one(monkeypatch, tmp_path):
    def fails(results):
        return [Check("no", "target_spectrum", "q", {}, Estimate(1.0, 0.1, 10.0), 2.0)]

    entry = _entries.FIGURES["target_spectrum"]._replace(check=fails)
    monkeypatch.setitem(_entries.FIGURES, "target_spectrum", entry)
    arguments = ["reproduce", "--only", "target_spectrum", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 1
    assert json.loads((tmp_path / "out" / "results.json").read_text())["passed"] is False


def test_a_check_holds_within_four_errors_and_the_neglected_term():
    measured = Estimate(1.0, 0.01, 100.0)
    assert Check("a", "f", "q", {}, measured, 1.039).passed
    assert not Check("a", "f", "q", {}, measured, 1.041).passed
    assert Check("a", "f", "q", {}, measured, 1.041, theory_error=0.01).passed


def refused(*arguments: str) -> str:
    """What is said: tests/cli has how it becomes one sentence and exit status 2."""
    error = CliRunner().invoke(cli.app, ["reproduce", *arguments]).exception
    assert isinstance(error, InvalidInputError)
    return str(error)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--preset", "slow"], "'slow'"),
        (["--only", "nothing"], "nothing"),
        (["--seed", "-1"], "-1"),
    ],
)
def test_misuse_is_one_sentence_and_exit_status_two(arguments, named, tmp_path):
    told = refused(*arguments, "--out", str(tmp_path / "out"))
    assert named in told
    assert not (tmp_path / "out").exists()


def test_foreign_folders_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    told = refused("--only", "target_spectrum", "--out", str(tmp_path))
    assert "thesis.txt" in told
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_another_preset_or_seed_is_refused(tmp_path):
    again(tmp_path / "out", only=["rbm_sketch"])
    for change in ({"preset": "quick"}, {"preset": "paper", "seed": 5}):
        with pytest.raises(InvalidInputError, match="another"):
            reproduce(only=["target_spectrum"], out=tmp_path / "out", progress=False, **change)


def test_an_unwritable_folder_is_named(tmp_path):
    # a file in the way stops root too, whom permissions do not
    (tmp_path / "file").write_text("")
    told = refused("--only", "target_spectrum", "--out", str(tmp_path / "file/out"))
    assert "file/out" in told


def test_help_shows_an_example():
    result = CliRunner().invoke(cli.app, ["reproduce", "--help"])
    assert result.exit_code == 0
    assert "sgdyson reproduce --preset paper" in result.output
