"""Which snapshot of the cache of Hugging Face a name stands for."""

import pytest

from sgdyson.checkpoints._cache import located
from sgdyson.errors import InvalidInputError

FIRST, SECOND = "a" * 40, "b" * 40


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Two snapshots; the branch main is at the second, master at the first."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    home = tmp_path / "hub" / "models--org--name"
    for commit in (FIRST, SECOND):
        (home / "snapshots" / commit).mkdir(parents=True)
    (home / "refs" / "pr").mkdir(parents=True)
    for branch, commit in (("master", FIRST), ("main", SECOND), ("pr/1", FIRST)):
        (home / "refs" / branch).write_text(f"{commit}\n")
    return home


@pytest.mark.parametrize(
    ("revision", "commit"),
    [("", SECOND), ("@main", SECOND), ("@master", FIRST), ("@pr/1", FIRST), ("@aaaa", FIRST)],
)
def test_a_name_stands_for_main_and_a_revision_for_itself(home, revision, commit):
    assert located(f"hf:org/name{revision}") == home / "snapshots" / commit


@pytest.mark.parametrize("revision", ["dev", "../../../secret", "cccc"])
def test_what_is_not_there_is_refused_and_no_name_leads_out(home, tmp_path, revision):
    """Not even where the file that it leads to names a snapshot."""
    (tmp_path / "secret").write_text(FIRST)
    with pytest.raises(InvalidInputError, match="is not among its 2 snapshots"):
        located(f"hf:org/name@{revision}")


def test_without_a_branch_the_only_snapshot_is_meant(home):
    (home / "refs" / "main").unlink()
    with pytest.raises(InvalidInputError, match="main is not among its 2"):
        located("hf:org/name")
    (home / "snapshots" / SECOND).rmdir()
    assert located("hf:org/name") == home / "snapshots" / FIRST
