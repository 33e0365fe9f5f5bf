"""A campaign runs whole, in parts, on any executor, to the same bits; and refuses nonsense."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
import rich.console
import xarray as xr
from typer.testing import CliRunner

import sgdyson
from sgdyson import _progress, cli
from sgdyson.campaign import Campaign, _layout, _precision, _store, specs
from sgdyson.campaign._precision import _error, replicas_for
from sgdyson.campaign._spec import parse_spec, read_spec
from sgdyson.campaign.starter import write_starter
from sgdyson.errors import InvalidInputError

SPEC = """
name = "small"
seed = 3
replicas = 200
updates = 400
record_every = 100
burn_in = 300
[model]
kind = "teacher_student"
teacher = [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
[learning]
learning_rate = [0.05, 0.1]
batch_size = [4, 16]
"""

SHORT = SPEC.replace("= 400", "= 120").replace("= 100", "= 30").replace("= 300", "= 90")
TEACHER = "teacher = " + str([2.0] * 10)


def written(folder: Path, text: str = SHORT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spec.toml"
    path.write_text(text)
    return path


def files(store: Path) -> dict[str, bytes]:
    data = store / "data.zarr"
    return {str(p.relative_to(data)): p.read_bytes() for p in data.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The small campaign, run without interruption, in chunks of 64 replicas."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_layout, "_REPLICAS", 64)
        Campaign.from_file(written(folder), folder / "out").run(progress=False)
    return folder / "out"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(_layout, "_REPLICAS", 64)


def test_settings_are_selected_by_value_and_plain_xarray_opens_the_store(whole):
    data = Campaign.from_folder(whole).open()
    one = data.sel(learning_rate=0.1, batch_size=16)
    assert one.levels.dims == ("replica", "time", "level")
    assert bool(data.finished.all())
    plain = xr.open_zarr(whole / "data.zarr", consolidated=False, chunks=None)
    np.testing.assert_array_equal(plain.levels.values, data.levels.values)


def test_a_setting_is_what_simulate_gives(whole):
    data = Campaign.from_folder(whole).open().sel(learning_rate=0.05, batch_size=4)
    run = sgdyson.simulate(
        sgdyson.TeacherStudent([2.0] * 10), learning_rate=0.05, batch_size=4, replicas=200,
        updates=210, record_every=30, seed=int(data.stream), progress=False,
    )  # fmt: skip
    np.testing.assert_array_equal(data.levels.values, run.levels.values[:, 3:])


def test_one_setting_reads_as_a_run(whole):
    campaign = Campaign.from_folder(whole)
    run = campaign.as_run(3)
    alone = sgdyson.simulate(
        sgdyson.TeacherStudent([2.0] * 10), learning_rate=0.1, batch_size=16, replicas=200,
        updates=120, record_every=30, record_from=90, seed=run.attrs["seed"], progress=False,
    )  # fmt: skip
    xr.testing.assert_equal(run, alone)
    assert set(alone.attrs) - set(run.attrs) == {"sgdyson_version"}
    assert all(np.all(run.attrs[key] == alone.attrs[key]) for key in run.attrs)
    assert campaign.seconds(3) > 0


def test_settings_share_no_random_numbers(whole):
    data = Campaign.from_folder(whole).open()
    assert len(set(data.stream.values.ravel())) == 4
    first = data.isel(learning_rate=0, batch_size=0).levels.values[:, 0, 0]
    other = data.isel(learning_rate=0, batch_size=1).levels.values[:, 0, 0]
    assert abs(np.corrcoef(first, other)[0, 1]) < 4 / np.sqrt(200)


# one worker is what `whole` has where each worker of pytest keeps to a core of its own
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_the_number_of_workers_does_not_change_a_bit(whole, tmp_path, every_core, workers):
    path = written(tmp_path)
    Campaign.from_file(path, tmp_path / "out").run(workers=workers, progress=False)
    assert files(tmp_path / "out") == files(whole)


def test_some_settings_are_run_and_the_others_left_for_later(whole, tmp_path):
    campaign = Campaign.from_file(written(tmp_path), tmp_path / "out")
    data = campaign.run(progress=False, settings=[3, 1])
    np.testing.assert_array_equal(
        data.finished.all("replica").values.ravel(), [False, True, False, True]
    )
    assert campaign.progress().counts == [0, 200, 0, 200]
    campaign.run(progress=False, settings=[1])
    assert campaign.finished() == (8, 16)
    with pytest.raises(InvalidInputError, match=r"settings = \[4\] must be indices of the 4"):
        campaign.run(progress=False, settings=[4])
    campaign.run(progress=False)
    assert files(tmp_path / "out") == files(whole)


def test_a_truncated_chunk_is_found_and_run_again(whole, tmp_path):
    campaign = Campaign.from_folder(shutil.copytree(whole, tmp_path / "out"))
    victim = tmp_path / "out" / "data.zarr" / "levels" / "c" / "1" / "0" / "2" / "0" / "0"
    victim.write_bytes(victim.read_bytes()[:-7])
    shell = CliRunner()
    result = shell.invoke(cli.app, ["verify", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "setting 2, chunk 2" in result.output
    said = shell.invoke(cli.app, ["status", str(tmp_path / "out")])
    assert "settings 3/4, replicas 736/800, chunks 15/16" in said.output
    campaign.run(progress=False)
    assert shell.invoke(cli.app, ["verify", str(tmp_path / "out")]).exit_code == 0
    assert files(tmp_path / "out") == files(whole)


def test_a_folder_that_cannot_be_written_is_verified_all_the_same(whole, tmp_path, monkeypatch):
    copy = Path(shutil.copytree(whole, tmp_path / "out"))
    (copy / "data.zarr" / "levels" / "c" / "1" / "0" / "2" / "0" / "0").unlink()
    before = (copy / "manifest.jsonl").read_text()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    assert [chunk.setting for chunk in Campaign.from_folder(copy).verify()] == [2]
    assert (copy / "manifest.jsonl").read_text() == before


def test_a_manifest_line_cut_short_does_not_count(whole, tmp_path):
    campaign = Campaign.from_folder(shutil.copytree(whole, tmp_path / "out"))
    manifest = tmp_path / "out" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    assert campaign.finished() == (15, 16)
    campaign.run(progress=False)
    assert campaign.finished() == (16, 16)
    assert files(tmp_path / "out") == files(whole)


KILLED = """
import sys
from sgdyson.campaign import Campaign, _layout, _store
_layout._REPLICAS = 64
campaign = Campaign.from_file(sys.argv[1], sys.argv[2])
print("alive", flush=True)
campaign.run(progress=False)
"""


def lines(out: Path) -> int:
    manifest = out / "manifest.jsonl"
    return manifest.read_bytes().count(b"\n") if manifest.exists() else 0


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments_nothing_is_lost(tmp_path, kills):
    """A fourth of the kills fall before a process has finished a chunk, the others after."""
    text = SPEC.replace("replicas = 200", f"replicas = {150 * kills}").replace("[4, 16]", "4")
    path, out, chance = written(tmp_path, text), tmp_path / "out", random.Random(1)
    Campaign.from_file(path, tmp_path / "whole").run(progress=False)  # compiled for the others too
    counts = []
    for _ in range(kills):
        command = [sys.executable, "-c", KILLED, str(path), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"alive\n"
            before = counts[-1] if counts else 0
            early = chance.random() < 0.25
            while not early and lines(out) == before and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 1.0))
            process.send_signal(signal.SIGKILL)
        assert process.returncode in (-signal.SIGKILL, 0)
        counts.append(lines(out))
    assert len(set(counts)) >= min(kills // 2 + 1, 4), f"the kills hit nothing: {counts}"
    Campaign.from_file(path, out).run(progress=False)
    assert files(out) == files(tmp_path / "whole")
    assert Campaign.from_folder(out).verify() == []


def test_half_a_file_that_a_kill_has_left_is_swept_away(whole):
    before = files(whole)
    for array in ("levels", "diverged", "diverged_at"):  # what Zarr writes while a campaign runs
        half = next(
            path for path in (whole / "data.zarr" / array).rglob("*") if path.name.isdigit()
        )
        half.with_name(f"{half.name}.55f27de5008d4687.partial").write_bytes(b"half")
    assert len(files(whole)) == len(before) + 3
    Campaign.from_folder(whole).run(progress=False)
    assert files(whole) == before


def test_another_spec_is_refused(whole, tmp_path):
    path = written(tmp_path, SHORT.replace("seed = 3", "seed = 4"))
    with pytest.raises(InvalidInputError, match="seed = 4 was 3"):
        Campaign.from_file(path, whole).run(progress=False)


def test_a_folder_with_other_contents_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("x")
    with pytest.raises(InvalidInputError, match=r"thesis\.tex"):
        Campaign.from_file(written(tmp_path), tmp_path / "out").run(progress=False)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["thesis.tex"]


def test_two_processes_do_not_write_one_store(whole):
    campaign = Campaign.from_folder(whole)
    with campaign.store.locked(), pytest.raises(InvalidInputError, match="another process"):
        campaign.run(progress=False)


def test_a_full_disk_is_one_sentence_and_costs_no_finished_chunk(tmp_path, monkeypatch):
    campaign = Campaign.from_file(written(tmp_path), tmp_path / "out")
    real, calls = _store.Store.write, []

    def full(self, chunk, replicas, arrays, seconds):
        calls.append(chunk)
        if len(calls) == 4:
            raise OSError(28, os.strerror(28))
        real(self, chunk, replicas, arrays, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(_store.Store, "write", full)
        with pytest.raises(InvalidInputError, match="No space left"):
            campaign.run(progress=False)
    assert campaign.finished() == (3, 16)
    assert campaign.verify() == []
    campaign.run(progress=False, settings=[0])
    assert campaign.progress().counts[0] == 200
    assert campaign.verify() == []


def error_of_a_mean(numbers):
    means = numbers.mean(axis=1)
    return means.std(ddof=1) / np.sqrt(len(means))


def error_of_a_width(numbers):
    """By leaving out one replica after the other."""
    left_out = [np.delete(numbers, r, axis=0).std() for r in range(len(numbers))]
    return np.std(left_out) * np.sqrt(len(numbers) - 1)


@pytest.mark.parametrize(
    ("quantity", "target", "error"),
    [
        ("level_mean", 0.0007, lambda levels: error_of_a_mean(levels[..., 0])),
        ("mean_spacing", 0.0007, lambda levels: error_of_a_mean(levels[..., 0] - levels[..., 1])),
        ("level_width", 0.0006, lambda levels: error_of_a_width(levels[..., 0])),
    ],
)
def test_replicas_are_added_until_the_error_is_reached(tmp_path, quantity, target, error):
    """To no setting that needs none; 64 replicas do not reach it everywhere."""
    text = SPEC.replace(TEACHER, "teacher = " + str([3.0] * 2 + [2.0] * 8)).replace(
        "replicas = 200", f'replicas = 64\ntarget_error = {target}\nquantity = "{quantity}"'
    )
    campaign = Campaign.from_file(written(tmp_path, text), tmp_path / "out")
    data = campaign.run(progress=False)
    counts = data.finished.sum("replica")
    assert int(counts.sel(learning_rate=0.05, batch_size=16)) == 64
    assert int(counts.sel(learning_rate=0.1, batch_size=4)) > 64
    for index in range(4):
        levels = campaign.as_run(index).levels.values
        assert error(levels) <= 1.02 * target  # the two estimates of a width differ a little
    assert error(campaign.as_run(2).levels.values[:64]) > target
    before = files(tmp_path / "out")
    campaign.run(progress=False)
    assert files(tmp_path / "out") == before


def test_a_zip_and_a_varied_size_share_one_store(tmp_path):
    text = SPEC.replace(TEACHER, "teacher = [[2.0, 2.0], [3.0, 2.0, 2.0]]")
    text = text.replace("batch_size = [4, 16]", "batch_size = 4")
    text = text.replace("seed = 3", 'seed = 3\nvary = "zip"').replace("= 200", "= 32")
    data = Campaign.from_file(written(tmp_path, text), tmp_path / "out").run(progress=False)
    assert data.levels.dims == ("setting", "replica", "time", "level")
    assert data.levels.isel(setting=0, level=2).isnull().all()
    assert not data.levels.isel(setting=1).isnull().any()
    assert data.learning_rate.values.tolist() == [0.05, 0.1]


UNITS = """
name = "units"
time_unit = "1/learning_rate"
replicas = 8
burn_in = 9
updates = 13
record_every = 6
[model]
kind = "teacher_student"
teacher = [2.0, 2.0]
[learning]
learning_rate = [0.1, 0.3, 0.35]
batch_size = 4
"""


def test_times_in_units_of_the_inverse_rate_are_rounded_up(tmp_path):
    """9/0.35 = 25.7 and 6/0.35 = 17.1; 9/0.3 is 30, not 31 for its last bit."""
    data = Campaign.from_file(written(tmp_path, UNITS), tmp_path / "out").run(progress=False)
    assert data.time.values.tolist() == [0, 6, 12]
    assert data.time_unit == "1/learning_rate"
    assert data.burn_in.values.tolist() == [90, 30, 26]
    assert data.record_every.values.tolist() == [60, 20, 18]
    one = data.sel(learning_rate=0.35)
    alone = sgdyson.simulate(
        sgdyson.TeacherStudent([2.0, 2.0]), learning_rate=0.35, batch_size=4, replicas=8,
        updates=36, record_every=18, record_from=26, seed=int(one.stream), progress=False,
    )  # fmt: skip
    np.testing.assert_array_equal(one.levels.values, alone.levels.values)


MIXED = """
name = "mixed"
vary = "zip"
replicas = [40, 1500]
updates = 10
record_every = 5
[model]
kind = "teacher_student"
teacher = [2.0]
multiplicity = [20, 2]
[learning]
learning_rate = 0.1
batch_size = 4
"""


def test_settings_of_other_sizes_have_chunks_of_their_own(tmp_path):
    """Engine blocks of 16 and 1024 replicas: the second setting's chunks are many of Zarr's."""
    campaign = Campaign.from_file(written(tmp_path, MIXED), tmp_path / "out")
    assert campaign.store.layout.chunk_replicas == [16, 1024]
    data = campaign.run(progress=False)
    assert data.finished.sum("replica").values.tolist() == [40, 1500]
    assert campaign.finished() == (5, 5)
    assert campaign.as_run(0).levels.shape == (40, 3, 20)
    alone = sgdyson.simulate(
        sgdyson.TeacherStudent([2.0, 2.0]), learning_rate=0.1, batch_size=4, replicas=1500,
        updates=10, record_every=5, seed=int(data.stream[1]), progress=False,
    )  # fmt: skip
    np.testing.assert_array_equal(campaign.as_run(1).levels.values, alone.levels.values)
    before = files(tmp_path / "out")
    victim = tmp_path / "out" / "data.zarr" / "levels" / "c" / "1" / "70" / "0" / "0"
    victim.unlink()
    assert [(chunk.setting, chunk.number) for chunk in campaign.verify()] == [(1, 1)]
    assert campaign.progress().text() == "settings 1/2, replicas 1064/1540"
    campaign.run(progress=False)
    assert files(tmp_path / "out") == before


def test_a_zip_may_repeat_values_but_no_setting():
    raw = tomllib.loads(MIXED)
    raw["learning"]["learning_rate"] = [0.1, 0.1]
    assert len(parse_spec(raw).settings) == 2
    raw["model"]["multiplicity"] = [2, 2]
    with pytest.raises(InvalidInputError, match="a setting stands there twice"):
        parse_spec(raw)


def test_a_default_spelled_out_changes_no_random_number():
    raw = tomllib.loads(SPEC)
    raw["model"]["label_noise"] = 0.1
    assert parse_spec(raw).first.stream == parse_spec(tomllib.loads(SPEC)).first.stream
    raw["model"]["label_noise"] = 0.2
    assert parse_spec(raw).first.stream != parse_spec(tomllib.loads(SPEC)).first.stream


@pytest.mark.parametrize("n_hidden", [4, 6, 9])
def test_learning_may_begin_where_it_ends(n_hidden):
    section = {"kind": "gaussian_rbm", "n_visible": 6, "n_hidden": n_hidden, "rbm_mass": 2.5}
    raw = tomllib.loads(SPEC) | {"model": section | {"initial": "fixed_point"}}
    model = parse_spec(raw).first.build()
    with jax.enable_x64(True):
        levels = model.levels(np.asarray(model.init(jax.random.key(0))))
    np.testing.assert_allclose(levels, model.predict(0.05, 4).levels, atol=1e-12)


def test_the_stationary_rule_waits_for_the_slowest_level():
    """Of levels whose relaxation times differ; the rule of each setting is that of its rate."""
    raw = tomllib.loads(SPEC) | {"burn_in": "stationary"}
    raw["model"] = {"kind": "gaussian_rbm", "n_visible": 6, "n_hidden": 6}
    for setting in parse_spec(raw).settings:
        how = setting.learning
        prediction = setting.build().predict(how.learning_rate, how.batch_size)
        times = prediction.relaxation_time[prediction.learnt]
        assert times.max() > 1.5 * times.min()
        assert setting.burn_in_updates == int(np.ceil(40 * times.max()))


@pytest.mark.parametrize(
    ("quantity", "expected"),
    # of normal levels of width 1, and of the surmise: <S> = sqrt(pi), <S^2> = 4
    [("level_mean", 1.0), ("level_width", 0.5**0.5), ("mean_spacing", (4 - np.pi) ** 0.5)],
)
def test_the_error_that_is_held_against_its_target(quantity, expected):
    """Of 4000 replicas, known to 2 % or better: replicas grow by its square, not above it."""
    raw = tomllib.loads(SPEC) | {"quantity": quantity, "target_error": 0.01}
    raw["model"]["teacher"] = [2.0, 2.0]
    random = np.random.default_rng(6)
    first = random.normal(size=4000)
    spacing = 2 * np.sqrt(-np.log(random.uniform(size=4000)))
    levels = np.stack([first, first - spacing], axis=1)[:, None]
    error = _error(parse_spec(raw).first, levels)
    assert error == pytest.approx(expected / 4000**0.5, rel=0.08)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("replicas = 200", "replica = 200"), ["replica is not known; did you mean replicas?",
                                              "replicas is missing"]),
        (("batch_size", "batchsize"), ["learning.batchsize", "did you mean batch_size?"]),
        (('kind = "teacher_student"', 'kind = "teacher_student"\nnoise = 0.1'),
         ["model.noise is not known; did you mean label_noise?"]),
        (("[0.05, 0.1]", "[0.05, -0.1]"), ["learning.learning_rate = -0.1: input should be"]),
        (("[4, 16]", "[4, 16.5]"), ["learning.batch_size = 16.5: must be a whole number"]),
        (("[4, 16]", "[]"), ["learning.batch_size = []: give at least one value"]),
        (("[4, 16]", "[4, 4]"), ["a value stands there twice"]),
        (("[4, 16]", '"many"'), ["learning.batch_size = 'many': input should be a valid number"]),
        (("teacher_student", "teacher"), ["model.kind = 'teacher'; choose one of gaussian_rbm"]),
        (('kind = "teacher_student"', ""), ["model.kind is missing"]),
        (("updates = 400", "updates = [400, 500]"), ["one value for the whole campaign"]),
        (("replicas = 200", "replicas = [200, 300]"), ['with vary = "zip", for replicas']),
        (("seed = 3", 'vary = "zip"\ntime_unit = "epoch"'), ["time_unit = 'epoch'"]),
        (("updates = 400", 'updates = 2_000_000_000\ntime_unit = "1/learning_rate"'),
         ["updates of a replica, burn-in included; at most 2147483647"]),
        (("updates = 400", "updates = 4"), ["record_every = 100 is more than updates = 4"]),
        (("seed = 3", 'vary = "zip"\nseed = -1'), ["seed = -1: input should be greater"]),
        (("burn_in = 300", 'burn_in = "long"'), ["burn_in"]),
        ((TEACHER, "teacher = []"), ["teacher"]),
        (("seed = 3", "seed = "), ["is not TOML"]),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path, change, expected):
    with pytest.raises(InvalidInputError) as caught:
        Campaign.from_file(written(tmp_path, SPEC.replace(*change)), tmp_path / "out")
    for words in expected:
        assert words in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    text = SPEC.replace("replicas = 200", "replicas = 0").replace(TEACHER, "teachers = 1")
    text = text.replace("[4, 16]", "[0, 16]")
    with pytest.raises(InvalidInputError) as caught:
        Campaign.from_file(written(tmp_path, text))
    message = str(caught.value)
    assert message.count("  * ") == 4, message
    for words in ("replicas = 0", "model.teachers", "model.teacher is missing", "batch_size = 0"):
        assert words in message


def test_the_starter_is_a_valid_spec_and_its_cost_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shell = CliRunner()
    assert shell.invoke(cli.app, ["new", "mine"]).exit_code == 0
    result = shell.invoke(cli.app, ["run", "mine.toml", "--dry-run"])
    assert result.exit_code == 0
    assert "4 settings of 256 replicas" in result.output
    assert not (tmp_path / "mine").exists()
    for name in ("mine", "mine.toml"):
        with pytest.raises(InvalidInputError, match=r"^mine\.toml exists"):
            shell.invoke(cli.app, ["new", name], catch_exceptions=False)


def test_progress_tells_settings_and_replicas_of_the_whole_campaign(whole, tmp_path, monkeypatch):
    """Those finished before it was stopped are counted in."""
    copy = Path(shutil.copytree(whole, tmp_path / "out"))
    manifest = (copy / "manifest.jsonl").read_text().splitlines(keepends=True)
    (copy / "manifest.jsonl").write_text("".join(manifest[:16]))
    screen = io.StringIO()
    console = partial(rich.console.Console, file=screen, force_terminal=True, width=150)
    monkeypatch.setattr(_progress, "Console", lambda **options: console())
    campaign = Campaign.from_folder(copy)
    left = len(range(*json.loads(manifest[16])["content"]["replicas"]))
    campaign.run()
    assert f"settings 3/4, replicas {800 - left}/800 updates" in screen.getvalue()
    assert "settings 4/4, replicas 800/800 updates" in screen.getvalue()


def test_the_command_runs_the_campaign(whole, tmp_path, every_core):
    result = CliRunner().invoke(
        cli.app, ["run", str(written(tmp_path)), "--out", str(tmp_path / "out"), "--workers", "2"]
    )
    assert result.exit_code == 0, result.output
    assert files(tmp_path / "out") == files(whole)
    assert json.loads((tmp_path / "out" / "spec.json").read_text())["versions"]["sgdyson"]


class TestExperiments:
    @pytest.mark.parametrize("name", specs.names())
    def test_each_is_a_valid_spec_that_can_be_copied(self, name, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        spec = read_spec(write_starter("mine", name))
        assert spec.first.name == "mine"
        assert spec.settings


def test_multiples_of_a_learning_rate_are_rounded_up_to_updates():
    raw = tomllib.loads(SPEC) | {
        "time_unit": "1/learning_rate", "burn_in": 2, "updates": 5, "record_every": 1,
    }  # fmt: skip
    raw["learning"] |= {"learning_rate": 0.3, "batch_size": 4}
    setting = parse_spec(raw).first
    assert (setting.burn_in_updates, setting.interval) == (7, 4)  # of 6.7 and 3.3


@pytest.mark.parametrize(("ratio", "least", "most"), [(0.9, 1, 1), (1.5, 2.25, 2.75), (9, 4, 4)])
def test_replicas_grow_by_the_square_of_the_error_and_little_more(
    tmp_path, monkeypatch, ratio, least, most
):
    raw = tomllib.loads(SPEC) | {"target_error": 0.01, "quantity": "level_mean"}
    campaign = Campaign(parse_spec(raw), tmp_path / "out")
    monkeypatch.setattr(_precision, "_error", lambda *_: 0.01 * ratio)
    for setting, size in zip(
        campaign.spec.settings, campaign.store.layout.chunk_replicas, strict=True
    ):
        grown = replicas_for(0.01, setting, np.empty(0), 10 * size, size)
        assert least * 10 * size <= grown <= most * 10 * size + size
