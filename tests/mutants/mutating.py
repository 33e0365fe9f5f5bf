"""Do the tests notice a wrong line? `python -m tests.mutants [WORD ...]`, in the root folder.

Each mutant of `mutants.toml` changes one line in a copy of this project and runs the tests that
should fail then. With words, only mutants whose file or name contains one of them. A mutant is
killed when tests fail; when none run, or the run breaks, it is said so and does not count.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TARGET = 0.95  # share that must be killed
_TIMEOUT = 600.0  # seconds of one mutant; one that never ends is noticed
_VERDICTS = {0: "SURVIVED", 1: "killed", 5: "no tests"}


@dataclass(frozen=True)
class Mutant:
    """One line, changed.

    Attributes:
        name: what is wrong then.
        file: below `src/sgdyson`.
        before: the text, which stands there once.
        after: in its place.
        tests: arguments of pytest.
    """

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def path(self, root: Path = ROOT) -> Path:
        """Of the file."""
        return root / "src" / "sgdyson" / self.file


def mutants() -> list[Mutant]:
    """All that are listed."""
    listed = tomllib.loads((Path(__file__).parent / "mutants.toml").read_text(encoding="utf-8"))
    return [Mutant(**entry | {"tests": tuple(entry["tests"])}) for entry in listed["mutant"]]


def verdict(mutant: Mutant, copy: Path) -> str:
    """What the tests of a copy of this project say of it."""
    path = mutant.path(copy)
    text = path.read_text(encoding="utf-8")
    assert text.count(mutant.before) == 1, mutant
    path.write_text(text.replace(mutant.before, mutant.after), encoding="utf-8")
    try:
        return _VERDICTS.get(_pytest(mutant.tests, copy), "broken")
    except subprocess.TimeoutExpired:
        return "killed"
    finally:
        path.write_text(text, encoding="utf-8")


def _pytest(tests: tuple[str, ...], copy: Path) -> int:
    options = ("-n", "0", "-x", "-q", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", *options, *tests]
    path = {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=copy, env={**os.environ, **path}, timeout=_TIMEOUT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    ).returncode  # fmt: skip


def main() -> int:
    """A line for each mutant, and the score."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD")
    words = parser.parse_args().words
    chosen = [m for m in mutants() if not words or any(w in m.file or w in m.name for w in words)]
    killed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        for part in ("src", "tests", "docs", "pyproject.toml", "README.md"):
            _copy(ROOT / part, copy / part)
        for mutant in chosen:
            began = time.monotonic()
            found = verdict(mutant, copy)
            killed += found == "killed"
            seconds = time.monotonic() - began
            print(f"{found:8} {seconds:5.0f} s  {mutant.file}: {mutant.name}", flush=True)
    print(f"{killed} of {len(chosen)} killed")
    return 0 if killed >= TARGET * len(chosen) else 1


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)
