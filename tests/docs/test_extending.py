"""The steps of docs/extending.md, taken: each example joins its registry and its contract."""

import json
import re
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sgdyson import simulate
from sgdyson.checkpoints import survey
from sgdyson.checkpoints._readers import READERS
from sgdyson.cli import app
from sgdyson.optimizers import OPTIMIZERS, optimizer_of, optimizer_settings
from sgdyson.studies import STUDIES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def added():
    """What the examples of the page define."""
    names = {"__name__": "example"}
    for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        exec(compile(code, "docs/extending.md", "exec"), names)
    return names


def test_every_place_that_is_named_is_there():
    places = re.findall(r"`((?:src|tests|docs)/[\w/.]+)`", PAGE)
    assert len(places) > 20
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_a_law_is_held_to_what_every_law_is(added, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tests" / "laws")
    contract = __import__("test_laws").TestEveryLaw()
    tests = [getattr(contract, name) for name in dir(contract) if name.startswith("test_")]
    of_a_law_alone = [test for test in tests if list(signature(test).parameters) == ["law"]]
    assert len(of_a_law_alone) > 5
    for test in of_a_law_alone:
        test(added["SemiPoisson"]())


def test_an_optimiser_is_known_by_its_name(added, monkeypatch):
    monkeypatch.setitem(OPTIMIZERS, "sign_sgd", added["SignSGD"])
    settings = optimizer_settings(added["SignSGD"]())
    assert settings == {"optimizer": "sign_sgd"}
    assert optimizer_of(settings) == added["SignSGD"]()


def test_a_model_is_simulated(added):
    """W' = (1 - a) W - a n: entries of variance a/(2 - a)/|B|, known to 1 % here."""
    run = simulate(added["NoisyMatrix"](4), learning_rate=0.5, batch_size=4, replicas=64,
                   updates=200, record_every=2, record_from=40, seed=1, progress=False)  # fmt: skip
    square = (run.levels.values**2).sum(axis=-1).mean(axis=1) / 16
    error = square.std() / 8
    assert abs(square.mean() - 0.5 / 1.5 / 4) < 4 * error
    assert error < 0.02 * square.mean()


def test_a_format_is_read_by_its_ending(added, monkeypatch, tmp_path):
    monkeypatch.setitem(READERS, ".txt", added["open_text"])
    np.savetxt(tmp_path / "weights.txt", np.random.default_rng(0).normal(size=(20, 30)))
    (row,) = survey(tmp_path / "weights.txt").rows()
    assert (row["name"], row["rows"], row["columns"]) == ("weights", 20, 30)


def test_a_study_is_run_by_its_name(added, monkeypatch, tmp_path):
    monkeypatch.setitem(STUDIES, "spacing", added["study_spacing"])
    command = ["study", "spacing", "--out", str(tmp_path / "out"), "--quick"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out" / "results.json").read_text())["passed"]
