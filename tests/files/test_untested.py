"""`pytest --untested`: what the last run skipped, and nothing that it passed."""

import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import pytest

def test_always(): pass

def test_of_a_library(): pytest.importorskip("a_library")

def test_that_fails(): pytest.importorskip("a_library").works()
"""


def test_what_was_skipped_is_tested_later(tmp_path, monkeypatch):
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(TESTS)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # others take half of the time

    def last_line(*options: str) -> str:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return done.stdout.splitlines()[-1].split(" in ")[0]

    assert last_line("-n", "2") == "1 passed, 2 skipped"
    (tmp_path / "a_library.py").write_text("")
    assert last_line("--untested", "-n", "2") == "1 failed, 1 passed"
    assert last_line("--untested", "-n", "0") == "1 failed, 1 passed, 1 deselected"
    assert last_line("-n", "0") == "1 failed, 2 passed"
    assert last_line("--untested", "-n", "0") == "1 failed, 2 deselected"
