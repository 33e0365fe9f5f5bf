"""What a power cut may find in a folder that is replaced, and what is a user's in it."""

import json
from pathlib import Path

import pytest

from sgdyson.campaign import _generations
from sgdyson.campaign._frame import KINDS
from sgdyson.campaign._group_files import GroupFiles


@pytest.fixture
def grown(tmp_path):
    """An old campaign, beside it the new one, and something of the user's."""
    for place, word in ((tmp_path, "old"), (tmp_path / _generations.GROWING, "new")):
        (place / "data.zarr" / "levels").mkdir(parents=True)
        (place / "data.zarr" / "levels" / "c").write_text(word)
        (place / "manifest.jsonl").write_text(word)
        (place / "spec.json").write_text(word)
    (tmp_path / "data.zarr" / "notes").write_text("mine")
    return tmp_path


def test_the_new_one_counts_once_all_of_it_is_on_the_disk(grown, monkeypatch, on_disk):
    contents, names = on_disk
    real, counted = Path.rename, []

    def rename(self, target):
        if self.name == _generations.GROWING:
            ours = self / "ours.json"
            assert json.loads(contents[ours.stat().st_ino]) == ["levels"]
            assert names[self] >= {"data.zarr", "manifest.jsonl", "spec.json", "ours.json"}
            counted.append(Path(target).name)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with monkeypatch.context() as patch:
        patch.setattr(_generations, "settle", lambda folder: None)  # as if killed here
        _generations.replace(grown, {"levels"})
    assert counted[0] in names[grown]  # the step that counts is on the disk itself
    _generations.settle(grown)
    kept = {str(p.relative_to(grown)): p.read_text() for p in grown.rglob("*") if p.is_file()}
    assert kept == {
        "data.zarr/levels/c": "new", "data.zarr/notes": "mine", "manifest.jsonl": "new",
        "spec.json": "new",
    }  # fmt: skip
    assert names[grown] == {"data.zarr", "manifest.jsonl", "spec.json"}


def test_what_a_kill_has_left_is_swept_away_and_a_users_file_is_not(tmp_path):
    theirs = ["3.55f27de5008d4687.partial", f"0.{'a' * 32}.partial"]
    mine = ["notes.partial", "3.partial", "3.55f27de5008d4687.partial.txt", "x.55f27de5008d4687"]
    for name in KINDS:
        folder = tmp_path / "data.zarr" / name / "c" / "0"
        folder.mkdir(parents=True)
        for file in (*theirs, *mine):
            (folder / file).write_text("half")
    GroupFiles(tmp_path).sweep()
    for name in KINDS:
        left = {path.name for path in (tmp_path / "data.zarr" / name / "c" / "0").iterdir()}
        assert left == set(mine)
