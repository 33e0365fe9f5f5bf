"""The notebooks of the gallery: each runs, from a question to a picture, and shows what it did.

Running them all takes a minute and a half: `.ci/run gallery`, or `pytest -m slow` on this file.
"""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "examples").glob("*.ipynb"))
PICTURES = {"image/png", "image/gif"}
TORCH = {"watch_pytorch"}  # which piece of CI has it: gallery


def module(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any) -> set[str]:
    """Kinds of what a cell shows."""
    return {kind for output in cell.outputs for kind in output.get("data", {"text": ""})}


def assert_ends_with_a_picture(notebook: Any) -> None:
    *_, last = code_cells(notebook)
    assert PICTURES & shown(last)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_goes_from_a_question_to_a_picture(name: str) -> None:
    notebook = nbformat.read(ROOT / "examples" / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert re.search(r"^\*.*\?\*", notebook.cells[0].source, re.MULTILINE)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "run it anew: python examples/run.py"
    assert_ends_with_a_picture(notebook)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_tells_nothing_of_the_machine_it_ran_on(name: str) -> None:
    text = (ROOT / "examples" / f"{name}.ipynb").read_text(encoding="utf-8")
    for foreign in ("/tmp/", "/root", "/home/", "site-packages", "tcp://", "stderr"):
        assert foreign not in text


def test_the_gallery_shows_every_notebook() -> None:
    text = (ROOT / "docs" / "ext" / "gallery.py").read_text(encoding="utf-8")
    names = re.findall(r'"(\w+)"', text.split("ORDER = (")[1].split(")")[0])
    assert sorted(names) == NAMES
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert all(f"gallery/{name}.md" in navigation for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_in_a_fresh_kernel(name: str) -> None:
    if name in TORCH and importlib.util.find_spec("torch") is None:
        pytest.skip("a user's install has no torch; the piece gallery of CI has")
    fresh = module("examples/run.py").executed(ROOT / "examples" / f"{name}.ipynb")
    kept = nbformat.read(ROOT / "examples" / f"{name}.ipynb", as_version=4)
    assert_ends_with_a_picture(fresh)
    for new, old in zip(code_cells(fresh), code_cells(kept), strict=True):
        assert shown(new) == shown(old)
