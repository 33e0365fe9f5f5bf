"""The examples of the documentation run, top to bottom; and the README keeps its promises."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from sgdyson.cli import app
from sgdyson.engine import block as _block
from sgdyson.studies.paper._entries import FIGURES
from sgdyson.studies.paper._presets import PRESETS

ROOT = Path(__file__).parents[2]
PAGES = (
    "docs/analyse.md",
    "docs/campaigns.md",
    "docs/dyson.md",
    "docs/emergence.md",
    "docs/extending.md",
    "docs/large-checkpoints.md",
    "docs/index.md",
    "docs/linear-scaling.md",
    "docs/own-spectrum.md",
    "docs/phase-diagram.md",
    "docs/reproduce.md",
    "docs/tracking.md",
    "docs/tutorials/own-kernel.md",
    "docs/tutorials/own-network.md",
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LARGE = re.compile(r"replicas=256\b")


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [code for found, code in FENCE.findall(text) if found == language]


def runs(page: str, found: list[str], empty: Path) -> None:
    names: dict[str, object] = {"__name__": "example"}
    for number, code in enumerate(found, 1):
        exec(compile(code, f"{page}, block {number}", "exec"), names)
    assert not list(empty.iterdir()), "an example left files behind"


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large ensembles with 64 replicas, in blocks of as many of 6 x 6: they take the time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_block, "_CPU_NUMBERS", 64 * 36)
    found = blocks(page, "python")
    assert found
    runs(page, [LARGE.sub("replicas=64", code) for code in found], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run_to_the_letter(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if LARGE.search("".join(found := blocks(page, "python"))):
        runs(page, found, tmp_path)


def test_the_quick_start_of_the_readme_is_that_of_the_first_page() -> None:
    """Which runs above."""
    assert blocks("README.md", "python") == blocks("docs/index.md", "python")


def test_the_quick_start_has_about_ten_lines() -> None:
    (code,) = blocks("README.md", "python")
    statements = [line for line in code.splitlines() if line and "import" not in line]
    assert len(statements) <= 10


def test_every_page_with_examples_is_run() -> None:
    with_examples = {
        str(page.relative_to(ROOT))
        for page in (ROOT / "docs").rglob("*.md")
        if blocks(str(page.relative_to(ROOT)), "python")
    }
    assert with_examples == set(PAGES)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = blocks("README.md", "bash")
    assert len(commands) == 2, "the README promises two commands"
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert commands[1].strip() in [line.strip() for line in lines]


def test_the_page_on_reproducing_names_every_figure_and_preset() -> None:
    text = (ROOT / "docs" / "reproduce.md").read_text(encoding="utf-8")
    figures = text.split("## Figures")[1].split("## What is written")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", figures, re.MULTILINE)) == set(FIGURES)
    assert set(re.findall(r"`--preset (\w+)`", text)) == set(PRESETS)


def test_the_page_on_the_command_line_names_every_command() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    commands = re.findall(r"`sgdyson ([a-z]+)`", text)
    assert commands == list(get_command(app).commands)
