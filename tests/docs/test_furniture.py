"""Workflows call what is there, and a tag is a release when everything says so."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = {
    path.name: path.read_text(encoding="utf-8") for path in ROOT.glob(".github/workflows/*.yml")
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PARTS = {"install", "environment", "pytorch", "lowest_environment", "beside", "leave"}


def release() -> dict:
    names = {"__name__": "release", "__file__": str(ROOT / ".ci" / "release.py")}
    exec((ROOT / ".ci" / "release.py").read_text(encoding="utf-8"), names)
    return names


def test_workflows_call_pieces_that_are_there() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    pieces = set(re.findall(r"^(\w+)\(\) \{", script, re.MULTILINE)) - PARTS
    text = "\n".join(WORKFLOWS.values())
    called = set(re.findall(r"\.ci/run (\w+)$", text, re.MULTILINE))
    for matrix in re.findall(r"piece: \[(.*)\]", text):
        called |= set(matrix.split(", "))
    # the runners of GitHub have a browser, and a machine for each piece
    assert called == pieces - {"browser", "everything"}


def test_a_piece_that_is_none_is_refused() -> None:
    done = subprocess.run([ROOT / ".ci" / "run", "nothing"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "nothing is no piece" in done.stderr


def test_every_python_that_is_promised_is_tested() -> None:
    promised = {
        line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line
    }
    (linux,) = re.findall(r"linux:.*?python: \[(.*?)\]", WORKFLOWS["tests.yml"], re.DOTALL)
    assert set(re.findall(r"3\.\d+", linux)) == promised


def test_rooms_that_are_tested_elsewhere_are_there() -> None:
    rooms = re.findall(r"tests/\w+", WORKFLOWS["tests.yml"])
    assert len(rooms) > 5
    assert [room for room in rooms if not (ROOT / room).is_dir()] == []


def test_actions_are_pinned() -> None:
    """A tag can be moved to other code; a hash cannot."""
    used = re.findall(r"uses: (\S+)", "\n".join(WORKFLOWS.values()))
    assert len(used) > 5
    assert [action for action in used if not re.search(r"@[0-9a-f]{40}$", action)] == []


def test_the_version_stands_in_one_file() -> None:
    version = release()["version_in"](ROOT)
    for name in ("pyproject.toml", "CITATION.cff", "mkdocs.yml", "src/sgdyson/__init__.py"):
        assert version not in (ROOT / name).read_text(encoding="utf-8"), name


CHANGES = """# Changelog

## [Unreleased]

## [1.2.0] - 2027-01-31

- A law.

## [1.1.0] - x
"""


@pytest.mark.parametrize(
    ("tag", "changelog", "problem"),
    [
        ("v1.2.0", CHANGES, None),
        ("v1.2.1", CHANGES, "is not v1.2.0"),
        ("1.2.0", CHANGES, "is not v1.2.0"),
        ("v1.2.0", CHANGES.replace("2027-01-31", "unreleased"), "no dated section"),
        (
            "v1.2.0",
            CHANGES.replace("]\n\n## [1.2", "]\n\n- More.\n\n## [1.2"),
            "that are unreleased",
        ),
    ],
)
def test_a_tag_is_a_release_when_all_is_ready(tag: str, changelog: str, problem: str) -> None:
    problems = release()["unready"](tag, "1.2.0", changelog)
    assert len(problems) == (problem is not None), problems
    assert not problem or problem in problems[0]
