"""A campaign grows where it is: only what is new is run, and no moment of a kill loses anything."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from unittest.mock import Mock

import pytest
from test_campaign import files, lines
from test_reuse import spec
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.campaign import Campaign, _claim, _generations, _group_files, _layout, _store
from sgdyson.campaign import _work as module
from sgdyson.errors import InvalidInputError

RATES = (0.05, 0.1)


@pytest.fixture(autouse=True)
def chunks_of_two_blocks(monkeypatch):
    """128 replicas: where replicas are no multiple, a chunk has whole blocks that are not run."""
    monkeypatch.setattr(_layout, "_REPLICAS", 128)
    monkeypatch.setattr(_layout, "_PARTS", 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two settings of 200 replicas, chunks of 128 and 72."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_layout, "_REPLICAS", 128)
        patch.setattr(_layout, "_PARTS", 1)
        campaign = Campaign(spec(replicas=200), tmp_path_factory.mktemp("growth") / "small")
        campaign.run(progress=False)
    return campaign.store.folder


@pytest.fixture
def small(made, tmp_path):
    return shutil.copytree(made, tmp_path / "small")


@pytest.fixture
def simulated(monkeypatch):
    """(rate, batch, replica) of all that is run."""
    ran, here = [], module.run_chunks

    def watched(jobs, *where):
        chosen = list(jobs)
        for _, s, replicas in chosen:
            ran.extend((s.learning.learning_rate, s.learning.batch_size, r) for r in replicas)
        return here(iter(chosen), *where)

    monkeypatch.setattr(module, "run_chunks", watched)
    return ran


def asked(grown):
    """(rate, batch, replica) of all that a campaign has."""
    settings = grown.spec.settings
    return {
        (s.learning.learning_rate, s.learning.batch_size, r)
        for s in settings
        for r in range(s.replicas)
    }


GROWN = {
    "more replicas": {"replicas": 230},
    "other chunks": {"replicas": 300},
    "values in the middle and in front": {"learning": {"learning_rate": [0.02, 0.05, 0.07, 0.1]}},
    "another axis": {"learning": {"batch_size": [2, 4]}},
    "another order": {"learning": {"learning_rate": [0.1, 0.05]}},
    "an axis of one value": {"learning": {"batch_size": [4]}},
    "a zip": {
        "vary": "zip", "learning": {"learning_rate": [0.1, 0.05, 0.2], "batch_size": [4, 4, 2]}
    },
    "all at once": {
        "replicas": 210, "learning": {"learning_rate": [0.1, 0.07, 0.05], "batch_size": [2, 4]}
    },
    "records that are the same": {"updates": 79},
}  # fmt: skip


@pytest.mark.parametrize("change", GROWN.values(), ids=GROWN)
def test_only_what_is_new_is_run_to_the_bits_of_all_at_once(small, tmp_path, simulated, change):
    grown = Campaign(spec(**{"replicas": 200} | change), small)
    grown.run(progress=False)
    old = asked(Campaign(spec(replicas=200), tmp_path / "none"))
    assert set(simulated) == asked(grown) - old
    assert len(simulated) == len(set(simulated))
    simulated.clear()
    Campaign(grown.spec, tmp_path / "alone").run(progress=False)
    assert files(small) == files(tmp_path / "alone")
    assert Campaign.from_folder(small).verify() == []
    assert Campaign.from_folder(small).progress().counts == grown.progress().totals
    again = {path.name for path in small.iterdir()}
    assert again == {".lock", "data.zarr", "manifest.jsonl", "spec.json"}


def test_what_it_took_is_remembered(small):
    before = [Campaign.from_folder(small).seconds(index) for index in (0, 1)]
    grown = Campaign(spec(replicas=200, learning={"learning_rate": [0.1, 0.02, 0.05]}), small)
    grown.run(progress=False)
    assert [grown.seconds(2), grown.seconds(0)] == pytest.approx(before, abs=0.002)


REFUSED = {
    "seed = 4 was 3": {"seed": 4},
    r"updates = 80 was 60 \(a campaign keeps levels, and not the weights": {"updates": 80},
    "updates = 40 was 60;": {"updates": 40},
    "burn_in = 31 was 30": {"burn_in": 31},
    "record_every = 10 was 20": {"record_every": 10},
    "replicas = 199 was 200": {"replicas": 199},
    "learning.learning_rate lacks 0.05": {"learning": {"learning_rate": [0.1, 0.2]}},
    "learning.learning_rate lacks 0.05, 0.1": {"learning": {"learning_rate": 0.2}},
    "learning.batch_size = 8.0 was 4.0": {"learning": {"batch_size": 8}},
    "learning.momentum = 0.5 was not given": {
        "learning": {"optimizer": "heavy_ball", "momentum": 0.5}
    },
    'time_unit = "1/learning_rate" was "update"': {"time_unit": "1/learning_rate"},
    "model.teacher = .* was": {"model": {"kind": "teacher_student", "teacher": [3.0] * 10}},
    'model.kind = "gaussian_rbm" was "teacher_student"': {
        "model": {"kind": "gaussian_rbm", "n_visible": 10}
    },
    "the setting learning_rate = 0.05 is missing": {
        "vary": "zip", "learning": {"learning_rate": [0.05, 0.1], "batch_size": [8, 4]}
    },
}  # fmt: skip


@pytest.mark.parametrize(("reason", "change"), REFUSED.items(), ids=REFUSED)
def test_what_it_cannot_grow_to_is_told_by_its_key(made, reason, change):
    before = files(made)
    grown = Campaign(spec(**{"replicas": 200} | change), made)
    for use in (grown.kept, lambda: grown.run(progress=False)):
        with pytest.raises(InvalidInputError, match=reason) as caught:
            use()
        assert str(caught.value).startswith(f"{made} holds a campaign that cannot grow")
        assert "\n" not in str(caught.value)
    assert files(made) == before


def test_a_campaign_that_is_half_done_is_finished_first(small, tmp_path, simulated):
    """Its holes, wherever they are, cost themselves alone."""
    half = Campaign.from_folder(small)
    half.store.forget([_store.Chunk(0, 0), _store.Chunk(1, 1)])
    grown = Campaign(spec(replicas=300, learning={"learning_rate": [0.02, 0.05, 0.1]}), small)
    grown.run(progress=False)
    old = {(0.05, 4.0, r) for r in range(128, 200)} | {(0.1, 4.0, r) for r in range(128)}
    assert set(simulated) == asked(grown) - old
    assert len(simulated) == len(set(simulated))
    Campaign(grown.spec, tmp_path / "alone").run(progress=False)
    assert files(small) == files(tmp_path / "alone")


@pytest.mark.parametrize("before", [None, 0.002])
def test_replicas_added_for_precision_stay(tmp_path, simulated, before):
    """A target of its own is one more wish, not another campaign; a looser one loses nothing."""
    loose = {} if before is None else {"target_error": before}
    out, quantity = tmp_path / "out", {"quantity": "level_mean"}
    Campaign(spec(**quantity, **loose), out).run(progress=False)
    simulated.clear()
    tight = Campaign(spec(**quantity, target_error=0.0007), out)
    counts = tight.run(progress=False).finished.sum("replica").values
    assert counts.max() > 128
    assert min(r for *_, r in simulated) >= 128
    alone = Campaign(spec(**quantity, target_error=0.0007), tmp_path / "alone")
    alone.run(progress=False)
    assert files(out) == files(tmp_path / "alone")
    simulated.clear()
    looser = Campaign(spec(**quantity, target_error=0.005), out)
    assert (looser.run(progress=False).finished.sum("replica").values == counts).all()
    assert simulated == []
    with pytest.raises(InvalidInputError, match=rf"replicas = 128 was {counts.max()}"):
        Campaign(spec(), out).run(progress=False)


class Killed(BaseException):
    """In place of a signal, so that it can come before each step."""


STEPS = ("rename", "replace", "link", "unlink", "rmdir", "mkdir")


def killed_before(patch, step):
    """Each change of a name on the disk is told, and from `step` on none is done."""
    told = []

    def ends(name, *args):
        is_commit = name == "rename" and str(args[0]).endswith(_generations.GROWING)
        return is_commit if step == "it counts" else len(told) >= step

    def watched(real):
        def call(*args, **kwargs):
            if threading.current_thread() is not threading.main_thread():
                return real(*args, **kwargs)  # of Zarr's own, a file at a time
            if ends(real.__name__, *args):
                raise Killed
            told.append(real.__name__)
            return real(*args, **kwargs)

        return call

    for name in STEPS:
        patch.setattr(os, name, watched(getattr(os, name)))
    return told


def with_notes(made, out):
    """A copy, in which a user keeps something."""
    shutil.copytree(made, out)
    (out / "notes").write_text("mine")
    (out / "data.zarr" / "notes").write_text("mine")
    return out


class TestKilled:
    """Before any step of a growth there is the old or the new, whole."""

    @pytest.fixture(params=["written anew", "second names"])
    def growth(self, request, monkeypatch):
        """What makes a campaign of the larger spec, and one of what is there."""
        monkeypatch.setattr(module, "run_chunks", lambda *_: (_ for _ in ()))  # what is new waits
        anew = request.param == "written anew"
        change = {"replicas": 300} if anew else {"learning": {"learning_rate": [0.1, 0.05]}}
        new = spec(**{"replicas": 200} | change)

        def campaign(out, there=False):
            larger = anew and (not there or _claim.is_of(out, new))
            monkeypatch.setattr(_layout, "_REPLICAS", 256 if larger else 128)
            return Campaign.from_folder(out) if there else Campaign(new, out)

        return campaign

    def check(self, growth, out):
        """All that was finished is there; whether the spec is the new one."""
        found = growth(out, there=True)
        assert found.progress().counts == [200, 200]
        assert found.store.bad() == found.store.bad_frame() == []
        assert set(found.open().learning_rate.values) == set(RATES)
        return found.spec.digest == growth(out).spec.digest

    def check_end(self, growth, out):
        assert sorted(path.name for path in out.iterdir()) == [
            ".lock", "data.zarr", "manifest.jsonl", "notes", "spec.json",
        ]  # fmt: skip
        assert (out / "data.zarr" / "notes").read_text() == "mine"
        assert self.check(growth, out)

    def test_until_it_counts(self, growth, made, tmp_path, monkeypatch):
        def dies(step):
            out = with_notes(made, tmp_path / str(step))
            with monkeypatch.context() as patch:
                told = killed_before(patch, step)
                with pytest.raises(Killed):
                    growth(out).run(progress=False)
            assert not self.check(growth, out)
            return out, len(told)

        out, last = dies("it counts")
        assert last > 20
        for step in (0, last // 4, last // 2, 3 * last // 4):
            dies(step)
        growth(out).run(progress=False)
        self.check_end(growth, out)

    def test_from_then_on(self, growth, made, tmp_path, monkeypatch):
        """Nothing is measured any more: files find their places."""
        with monkeypatch.context() as patch:
            patch.setattr(_generations, "settle", Mock(side_effect=[None, Killed]))
            patch.setattr(_store, "settle", _generations.settle)
            with pytest.raises(Killed):
                growth(with_notes(made, tmp_path / "counts")).run(progress=False)
        alive, step = True, 0
        while alive:
            out = shutil.copytree(tmp_path / "counts", tmp_path / str(step))
            with monkeypatch.context() as patch:
                killed_before(patch, step)
                try:
                    _generations.settle(out)
                    alive = False
                except Killed:
                    pass
            assert self.check(growth, out)
            _generations.settle(out)
            self.check_end(growth, out)
            step += 1 if step < 12 else 10
        assert step > 20


def test_a_chunk_that_gets_more_replicas_does_not_count_while_it_is_written(small, monkeypatch):
    """Killed after its files and before its line: what it had is run again, nothing is false."""
    real = _group_files.GroupFiles.record

    def killed(self, names):
        if any("levels/c/1/1" in name for name in names):
            raise Killed
        return real(self, names)

    with monkeypatch.context() as patch:
        patch.setattr(_group_files.GroupFiles, "record", killed)
        with pytest.raises(Killed):
            Campaign(spec(replicas=230), small).run(progress=False, workers=1)
    found = Campaign.from_folder(small)
    assert found.store.bad() == []
    assert found.progress().counts == [230, 128]
    found.run(progress=False)
    assert found.progress().counts == [230, 230]
    assert found.verify() == []


def test_a_full_disk_leaves_the_old(small, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, os.strerror(28))

    before = files(small)
    with monkeypatch.context() as patch:
        patch.setattr(_store.Store, "adopt", full)
        with pytest.raises(InvalidInputError, match=r"could not grow \(No space left"):
            Campaign(spec(replicas=600), small).run(progress=False)
    assert files(small) == before
    assert Campaign.from_folder(small).open().sizes["replica"] == 200


def test_two_processes_do_not_grow_one_folder(small):
    before = files(small)
    with (
        Campaign.from_folder(small).store.locked(),
        pytest.raises(InvalidInputError, match="another process"),
    ):
        Campaign(spec(replicas=300), small).run(progress=False)
    assert files(small) == before


def test_a_disk_without_second_names_gets_copies(small, tmp_path, monkeypatch):
    def none(*_):
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr(Path, "hardlink_to", none)
    Campaign(spec(replicas=200, learning={"learning_rate": [0.1, 0.05]}), small).run(progress=False)
    assert Campaign.from_folder(small).verify() == []


def test_other_versions_do_not_make_it_grow(small, monkeypatch):
    monkeypatch.setattr(_claim, "versions", lambda: {"sgdyson": "99"})
    with pytest.raises(InvalidInputError, match=r"begun with sgdyson .*and this is 99"):
        Campaign(spec(replicas=300), small).run(progress=False)


def test_what_is_no_number_changes_nothing(small, simulated):
    """A name, and a default that is spelled out."""
    model = {"kind": "teacher_student", "teacher": [2.0] * 10, "label_noise": 0.1}
    before = (small / "manifest.jsonl").read_bytes()
    Campaign(spec(replicas=200, name="other", model=model), small).run(progress=False)
    assert simulated == []
    assert (small / "manifest.jsonl").read_bytes() == before


def test_one_that_was_opened_before_is_told(small):
    before = Campaign.from_folder(small)
    before.open()
    Campaign(spec(replicas=300), small).run(progress=False)
    for use in (before.open, before.finished, before.verify, before.run):
        with pytest.raises(InvalidInputError, match=r"open it again|cannot grow|another spec"):
            use()


def test_damage_is_found_before_it_is_passed_on(small, simulated):
    """The chunk is run again, and no other."""
    victim = small / "data.zarr" / "levels" / "c" / "0" / "0" / "0" / "0"
    victim.write_bytes(victim.read_bytes()[:-7])
    Campaign(spec(replicas=300), small).run(progress=False)
    assert {(0.05, 4.0, r) for r in range(128)} <= set(simulated)
    assert {(0.1, 4.0, r) for r in range(200)}.isdisjoint(simulated)
    assert Campaign.from_folder(small).verify() == []


def test_the_command_grows_and_tells_so(small, tmp_path):
    path = tmp_path / "spec.toml"
    text = """
name = "small"
seed = 3  # the same
replicas = 220
updates = 60
record_every = 20
burn_in = 30
[model]
kind = "teacher_student"
teacher = [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
[learning]
learning_rate = [0.05, 0.1]
batch_size = 4
"""
    path.write_text(text)
    shell = CliRunner()
    told = shell.invoke(cli.app, ["run", str(path), "--out", str(small), "--dry-run"]).output
    assert "400 of 440 replicas are finished in" in told
    told = shell.invoke(cli.app, ["run", str(path), "--out", str(small)]).output
    assert "grows to 440 replicas; 400 are finished" in told
    assert "settings 2/2, replicas 440/440 finished" in told


KILLED = """
import sys, tomllib
from sgdyson.campaign import Campaign, _layout, _store, parse_spec
_layout._REPLICAS, _layout._PARTS = 128, 1
raw = tomllib.loads(open(sys.argv[1]).read())
campaign = Campaign(parse_spec(raw), sys.argv[2])
print("alive", flush=True)
campaign.run(progress=False)
"""


@pytest.mark.slow
def test_killed_at_random_moments_while_it_grows(tmp_path):
    """By the system, in ten processes: each of them asks for more than the one before it."""
    chance, out, counts = random.Random(2), tmp_path / "out", []
    base = (
        'name = "s"\nupdates = 200\nrecord_every = 20\n[model]\nkind = "teacher_student"\n'
        "teacher = [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]\n"
    )
    for turn in range(10):
        rates = [0.1, 0.05, 0.07, 0.02][: 1 + turn // 2]
        text = f"replicas = {200 + 70 * turn}\n{base}[learning]\nbatch_size = 4\n"
        path = tmp_path / "spec.toml"
        path.write_text(text + f"learning_rate = {sorted(rates)}\n")
        command = [sys.executable, "-c", KILLED, str(path), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"alive\n"
            before, early = lines(out), chance.random() < 0.5
            while not early and lines(out) == before and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 1.0))
            process.send_signal(signal.SIGKILL)
        if lines(out):
            assert Campaign.from_folder(out).store.bad() == []
            counts.append(sum(Campaign.from_folder(out).progress().counts))
    # a kill in the milliseconds in which a chunk gets more replicas costs that chunk
    assert all(after > before - 128 for before, after in pairwise(counts)), counts
    assert len(set(counts)) > 3, f"the kills hit nothing: {counts}"
    Campaign.from_file(path, out).run(progress=False)
    Campaign.from_file(path, tmp_path / "alone").run(progress=False)
    assert files(out) == files(tmp_path / "alone")
    assert Campaign.from_folder(out).verify() == []
    assert not list(out.glob(".sgdyson*"))


@pytest.mark.parametrize("sizes", [(9, 10), (2, 3)], ids=["more levels", "smaller Zarr chunks"])
def test_a_larger_model_has_files_of_its_shape(tmp_path, sizes):
    """What is there is written anew, for room of more levels, or of fewer replicas a file."""

    def campaign(out, teachers):
        model = {"kind": "teacher_student", "teacher": teachers}
        return Campaign(spec(replicas=40, model=model, learning={"learning_rate": 0.1}), out)

    few, many = ([2.0] * n for n in sizes)
    campaign(tmp_path / "grown", [few]).run(progress=False)
    grown = campaign(tmp_path / "grown", [few, many])
    data = grown.run(progress=False)
    campaign(tmp_path / "alone", [few, many]).run(progress=False)
    assert files(tmp_path / "grown") == files(tmp_path / "alone")
    assert data.sizes["level"] == sizes[1]
    assert int(data.levels.notnull().sum()) == 40 * grown.spec.first.times * sum(sizes)
