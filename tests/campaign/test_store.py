"""What is lost, altered or swapped in a campaign's folder is seen; nothing foreign is touched."""

import errno
import json
import os
import shutil
import sys
from itertools import cycle, repeat
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_campaign import SPEC, files, written
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.analysis import read
from sgdyson.campaign import Campaign, _claim, _layout, _lock, _manifest
from sgdyson.errors import InvalidInputError

SMALL = SPEC.replace("updates = 400", "updates = 20").replace("= 100", "= 10")
SMALL = SMALL.replace("replicas = 200", "replicas = 100").replace("= 300", "= 0")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four settings of two chunks of 64 and 36 replicas."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_layout, "_REPLICAS", 64)
        patch.setattr(_layout, "_PARTS", 1)
        Campaign.from_file(written(folder, SMALL), folder / "out").run(progress=False)
    return folder / "out"


@pytest.fixture
def out(made, tmp_path, monkeypatch):
    """A copy, whose files have the times of the original."""
    monkeypatch.setattr(_layout, "_REPLICAS", 64)
    monkeypatch.setattr(_layout, "_PARTS", 1)
    return Path(shutil.copytree(made, tmp_path / "out"))


def chunk_files(out):
    manifest = (out / "manifest.jsonl").read_text().splitlines()
    contents = [json.loads(line)["content"] for line in manifest]
    return [name for entry in contents if entry["kind"] == "chunk" for name in entry["files"]]


def frame_files(out):
    first = json.loads((out / "manifest.jsonl").read_text().splitlines()[0])["content"]
    assert first["kind"] == "frame"
    return list(first["files"])


def flip(path):
    """A bit, and the time of change is set back."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


FAULTS = {
    "gone": Path.unlink,
    "emptied": lambda path: path.write_bytes(b""),
    "shorter": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


def test_every_array_has_its_files_and_each_is_hashed(made):
    """Also `diverged`, of which every value is that of an empty chunk."""
    named = chunk_files(made)
    on_disk = {name for name in files(made) if "/c/" in name and name in set(named)}
    assert len(named) == len(set(named)) == len(on_disk) == 4 * 2 * 3
    assert set(named) | set(frame_files(made)) == set(files(made))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["levels", "diverged", "diverged_at"])
def test_a_faulty_chunk_is_seen_by_all_and_run_again(made, out, fault, name):
    victim = next(n for n in chunk_files(out) if n.startswith(f"{name}/") and "/1/" in n)
    FAULTS[fault](out / "data.zarr" / victim)
    campaign = Campaign.from_folder(out)
    for reader in (campaign.open, lambda: list(read(out))):
        with pytest.raises(InvalidInputError, match="put it right") as caught:
            reader()
        assert victim.rpartition("/c/")[0] in str(caught.value)
    if fault == "a folder":
        (out / "data.zarr" / victim).rmdir()
    campaign.run(progress=False)
    assert files(out) == files(made)
    assert campaign.verify() == []


def test_one_flipped_bit_with_its_time_set_back_is_seen_by_verify_and_by_analyze(out):
    victim = chunk_files(out)[0]
    flip(out / "data.zarr" / victim)
    failures = []
    assert len(read(out, failures=failures)) == 3, "the other settings are good"
    assert victim in failures[0]
    assert len(Campaign.from_folder(out).verify()) == 1


def test_chunks_swapped_with_each_other_are_seen(made, out):
    first, second = (n for n in chunk_files(out) if n.startswith("levels/c/0/0/"))
    data = out / "data.zarr"
    (data / first).rename(data / "aside")
    (data / second).rename(data / first)
    (data / "aside").rename(data / second)
    assert len(Campaign.from_folder(out).verify()) == 2
    Campaign.from_folder(out).run(progress=False)
    assert files(out) == files(made)


def test_faults_in_metadata_and_coordinates_are_refused_and_mended(made, out):
    """The first file of every fault and a flipped bit, each other file of one of them in turn."""
    first, *others = frame_files(out)
    faults = (*FAULTS.values(), flip)
    for name, fault in (*zip(repeat(first), faults), *zip(others, cycle(faults))):
        path = out / "data.zarr" / name
        fault(path)
        campaign = Campaign.from_folder(out)
        with pytest.raises(InvalidInputError, match="metadata"):
            campaign.open()
        assert campaign.store.bad_frame() == [name]
        if path.is_dir():
            path.rmdir()
        with campaign.store.locked():
            campaign.store.make_room(100)
        assert files(out) == files(made)
        assert Campaign.from_folder(out).open().sizes["replica"] == 100


def test_verify_tells_of_metadata(out):
    flip(out / "data.zarr" / "zarr.json")
    told = CliRunner().invoke(cli.app, ["verify", str(out)])
    assert told.exit_code == 1
    assert "metadata zarr.json: will be written again" in told.output


def replaced_in_line(number, old, new):
    def change(lines):
        assert old in lines[number]
        return [*lines[:number], lines[number].replace(old, new, 1), *lines[number + 1 :]]

    return change


MANIFESTS = {
    "other setting": replaced_in_line(1, '"setting":', '"setting":1'),
    "other number": replaced_in_line(1, '"number":', '"number":7'),
    "other replicas": replaced_in_line(1, '"replicas":[', '"replicas":[1'),
    "other time": replaced_in_line(1, '"seconds":', '"seconds":1'),
    "other hash": replaced_in_line(1, '"sha256":"', '"sha256":"0'),
    "other size": replaced_in_line(1, '"size":', '"size":1'),
    "other file": replaced_in_line(1, '"levels/', '"../levels/'),
    "other kind": replaced_in_line(1, '"chunk"', '"frame"'),
    "other check": replaced_in_line(1, '"check":"', '"check":"0'),
    "negative": replaced_in_line(1, '"seconds":', '"seconds":-'),
    "huge": replaced_in_line(1, '"setting":', '"setting":' + "9" * 5000),
    "twice": lambda lines: [*lines, lines[-1]],
    "no JSON": lambda lines: [lines[0], "{", *lines[1:]],
    "a list": lambda lines: [lines[0], "[1]", *lines[1:]],
    "deep": lambda lines: [lines[0], "[" * 100_000, *lines[1:]],
    "no text": lambda lines: [lines[0], "\udcff", *lines[1:]],
    "an empty line": lambda lines: [lines[0], "", *lines[1:]],
    "the header's replicas": replaced_in_line(0, '"replicas":', '"replicas":1'),
}


@pytest.mark.parametrize("change", MANIFESTS)
def test_a_manifest_edited_by_hand_is_one_sentence(out, change):
    path = out / "manifest.jsonl"
    lines = MANIFESTS[change](path.read_text().splitlines())
    path.write_text("\n".join(lines) + "\n", errors="surrogateescape")
    campaign = Campaign.from_folder(out)
    for use in (campaign.finished, campaign.open, campaign.verify, campaign.run):
        with pytest.raises(InvalidInputError, match="delete the line") as caught:
            use()
        assert "\n" not in str(caught.value)


def test_a_manifest_of_another_campaign_is_not_believed(out, tmp_path):
    other = written(tmp_path, SMALL.replace("seed = 3", "seed = 4"))
    _claim.take(tmp_path / "other", Campaign.from_file(other).spec)
    for name in ("manifest.jsonl", "data.zarr"):
        (out / name).rename(tmp_path / "other" / name)
    with pytest.raises(InvalidInputError, match=r"line 1 .*delete the line"):
        Campaign.from_folder(tmp_path / "other").open()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"seed": 3', '"seed": 4', "not as sgdyson wrote it"),
        ("0.05", "0.07", "not as sgdyson wrote it"),
        ('"digest": "', '"digest": "0', "not as sgdyson wrote it"),
        ('"format": 2', '"format": 1', "no claim of this version"),
        ('"spec"', '"specs"', "no claim of this version"),
        ("{", "[", "no readable spec.json"),
    ],
)
def test_a_claim_edited_by_hand_is_one_sentence(out, old, new, reason):
    path = out / "spec.json"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InvalidInputError, match=reason):
        Campaign.from_folder(out)


@pytest.mark.parametrize("name", ["sgdyson", "jax", "jaxlib"])
def test_other_versions_read_a_campaign_and_do_not_go_on_with_it(out, monkeypatch, name):
    """Their numbers may differ."""
    monkeypatch.setattr(_claim, "versions", lambda: _VERSIONS | {name: "99"})
    campaign = Campaign.from_folder(out)
    assert campaign.open().sizes["replica"] == 100
    with pytest.raises(InvalidInputError, match=rf"begun with {name} .*install {name}=="):
        campaign.run(progress=False)


_VERSIONS = _claim.versions()


def test_files_are_on_the_disk_before_their_line(tmp_path, monkeypatch):
    """A power cut keeps what was synced: files, and the names that folders had at that time."""
    synced, names, appended = set(), {}, []
    real_fsync, real_append = os.fsync, _manifest.Manifest.append

    def fsync(handle):
        path = Path(f"/proc/self/fd/{handle}").readlink()
        synced.add(path)
        if path.is_dir():
            names[path] = {child.name for child in path.iterdir()}
        real_fsync(handle)

    def append(self, content):
        for name in getattr(content, "files", {}):
            path = self.path.parent / "data.zarr" / name
            assert path in synced
            while path != self.path.parent / "data.zarr":
                assert path.name in names[path.parent]
                path = path.parent
        appended.append(content)
        real_append(self, content)
        assert self.path in synced

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(_manifest.Manifest, "append", append)
    Campaign.from_file(written(tmp_path, SMALL), tmp_path / "out").run(progress=False)
    assert {type(content) for content in appended} == {_manifest.Frame, _manifest.Entry}
    assert {"data.zarr", "manifest.jsonl"} <= names[tmp_path / "out"]


class TestForeign:
    @pytest.mark.parametrize("name", ["data.zarr", ".lock", ".partial", "manifest.jsonl", "notes"])
    @pytest.mark.parametrize("is_folder", [True, False])
    def test_a_folder_of_another_is_not_touched(self, tmp_path, name, is_folder):
        """Whatever in it is called as a file of ours."""
        (tmp_path / "out").mkdir()
        mine = tmp_path / "out" / name / "mine" if is_folder else tmp_path / "out" / name
        mine.parent.mkdir(exist_ok=True)
        mine.write_text("mine")
        with pytest.raises(InvalidInputError, match="not empty"):
            Campaign.from_file(written(tmp_path, SMALL), tmp_path / "out").run(progress=False)
        assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [mine]
        assert mine.read_text() == "mine"

    @pytest.mark.parametrize("content", ["", "{}", '{"spec": 1}', '"x"', "[" * 10_000])
    def test_a_claim_of_another_program_is_not_touched(self, tmp_path, content):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "spec.json").write_text(content)
        with pytest.raises(InvalidInputError):
            Campaign.from_file(written(tmp_path, SMALL), tmp_path / "out").run(progress=False)
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["spec.json"]
        assert (tmp_path / "out" / "spec.json").read_text() == content

    def test_what_a_user_keeps_beside_the_data_stays(self, made, out):
        mine = [out / "notes.txt", out / "data.zarr" / "notes.partial", out / ".sgdyson-mine"]
        for path in mine:
            path.write_text("mine")
        Campaign.from_folder(out).run(progress=False)
        assert all(path.read_text() == "mine" for path in mine)


class TestLock:
    @pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
    def test_a_disk_without_locks_is_told_from_another_process(self, tmp_path, monkeypatch, code):
        monkeypatch.setattr("fcntl.flock", raising(OSError(code, os.strerror(code))))
        with pytest.raises(InvalidInputError, match=os.strerror(code)), lock(tmp_path):
            pass

    @pytest.mark.parametrize("code", [errno.EWOULDBLOCK, errno.EACCES])
    def test_another_process_is_named(self, tmp_path, monkeypatch, code):
        monkeypatch.setattr("fcntl.flock", raising(OSError(code, os.strerror(code))))
        with pytest.raises(InvalidInputError, match="another process"), lock(tmp_path):
            pass

    def test_a_platform_without_fcntl_uses_its_own(self, tmp_path, monkeypatch):
        calls = []
        windows = SimpleNamespace(LK_NBLCK=2, locking=lambda *how: calls.append(how[1:]))
        monkeypatch.setitem(sys.modules, "fcntl", None)
        monkeypatch.setitem(sys.modules, "msvcrt", windows)
        with lock(tmp_path):
            assert calls == [(2, 1)]

    def test_the_contents_of_the_file_stay(self, tmp_path):
        (tmp_path / ".lock").write_text("mine")
        with lock(tmp_path), pytest.raises(InvalidInputError, match="another"), lock(tmp_path):
            pass
        with lock(tmp_path):
            pass
        assert (tmp_path / ".lock").read_text() == "mine"


def lock(folder):
    return _lock.exclusive(folder / ".lock")


def raising(error):
    def call(*_):
        raise error

    return call


def test_data_that_have_changed_are_named(tmp_path):
    text = tmp_path / "text"
    text.write_text("to be or not to be, that is the question. " * 20)
    section = f'kind = "character_transformer"\nfile = "{text}"\nwidth = 4\nheads = 1\ncontext = 4'
    spec = SMALL.replace('kind = "teacher_student"', section).replace("[0.05, 0.1]", "0.1")
    spec = "\n".join(line for line in spec.splitlines() if not line.startswith("teacher"))
    path = written(tmp_path, spec)
    before = Campaign.from_file(path, tmp_path / "out").spec
    _claim.take(tmp_path / "out", before)
    text.write_text("to be or not to bE, that is the question. " * 20)
    after = Campaign.from_file(path, tmp_path / "out").spec
    assert after.digest != before.digest
    assert after.first.stream == before.first.stream
    with pytest.raises(InvalidInputError, match="of other data"):
        _claim.recognise(tmp_path / "out", after)
    with pytest.raises(InvalidInputError, match="other data to learn"):
        Campaign.from_folder(tmp_path / "out")


def test_an_infinite_batch_is_kept_in_files_that_are_json(tmp_path):
    text = SMALL.replace("[4, 16]", "[4, inf]").replace("[0.05, 0.1]", "0.1")
    campaign = Campaign.from_file(written(tmp_path, text), tmp_path / "out")
    campaign.run(progress=False)
    again = Campaign.from_folder(tmp_path / "out")
    assert [s.learning.batch_size for s in again.spec.settings] == [4, float("inf")]
    assert [history.batch_size for history in read(tmp_path / "out")] == [4, float("inf")]
    found = [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".json", ".jsonl")]
    for path in found:
        for document in (
            [path.read_text()] if path.suffix == ".json" else path.read_text().splitlines()
        ):
            json.loads(document, parse_constant=raising(ValueError("no JSON")))
