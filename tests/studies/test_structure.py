"""Initial spectra against noise, with size and power; and the study from end to end."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from sgdyson import simulate
from sgdyson.cli import app
from sgdyson.errors import InvalidInputError
from sgdyson.laws import TracyWidom
from sgdyson.studies import study, study_structure
from sgdyson.studies.structure._noise import noise_checks

SHAPE = (24, 40)


def checks(make, seed, replicas=6, shape=SHAPE):
    random = np.random.default_rng(seed)
    matrices = np.stack([make(random, shape) for _ in range(replicas)])
    return noise_checks("w", np.linalg.svd(matrices, compute_uv=False), shape)


def noise(random, shape):
    return 0.3 * random.normal(size=shape)


def uneven_rows(random, shape):
    """Standard deviations from 0.5 to 2 times their middle."""
    return noise(random, shape) * np.geomspace(0.5, 2.0, shape[0])[:, None]


def spike(random, shape):
    """Rank one beside noise, at 1.5 times the edge of its bulk."""
    left, right = (random.normal(size=n) for n in shape)
    edge = 0.3 * (shape[0] ** 0.5 + shape[1] ** 0.5)
    outer = np.outer(left, right) / (np.linalg.norm(left) * np.linalg.norm(right))
    return noise(random, shape) + 1.5 * edge * outer


def test_noise_passes_and_its_pulls_have_unit_size():
    """Four sigma: less than one false alarm in 1000 even of a skewed law; here 400 checks."""
    found = [check for seed in range(200) for check in checks(noise, seed)]
    pulls = np.array([check.measured.pull(check.predicted) for check in found]).reshape(-1, 2)
    assert sum(not check.passed for check in found) <= 2
    # a mean of 200 squares: its own error is 0.1 for a normal law
    np.testing.assert_allclose(np.mean(pulls**2, axis=0), 1.0, atol=0.4)


@pytest.mark.parametrize(("wrong", "which"), [(uneven_rows, 0), (spike, 1)])
def test_what_is_no_noise_is_rejected(wrong, which):
    """Each by the statistic that is made for it, in all of ten ensembles."""
    assert not any(checks(wrong, seed)[which].passed for seed in range(10))


def test_the_largest_value_of_noise_is_below_the_threshold():
    """An oracle for its mean: Tracy and Widom's, at the edge known in closed form."""
    found = checks(noise, 0, replicas=200, shape=(40, 60))[1]
    long, short = 59.5**0.5, 39.5**0.5
    scale = (long + short) * (1 / long + 1 / short) ** (1 / 3)
    quantile, mean = float(TracyWidom(1).ppf(0.99)), float(TracyWidom(1).mean())
    expected = ((long + short) ** 2 + scale * mean) / ((long + short) ** 2 + scale * quantile)
    assert found.predicted == pytest.approx(expected**0.5, rel=0.01)


@pytest.mark.slow
def test_the_study_from_end_to_end(tmp_path):
    told = []
    found = study("structure")(tmp_path / "out", 0, told.append, quick=True)
    assert (tmp_path / "out" / "figures" / "structure.png").stat().st_size > 1000
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["passed"] is all(check.passed for check in found) is True
    assert len(results["checks"]) == len(found) == 2 * 9
    assert results["settings"]["corpus"]
    assert results["loss"][-1]["value"] < results["loss"][0]["value"] - 0.3
    for kinds in results["measured"].values():
        assert len(kinds) == 4
        assert all(np.isfinite(e["value"]) for line in kinds.values() for e in line)
    assert told


def test_a_study_of_any_text_goes_on_where_it_stopped(tmp_path, monkeypatch, undrawn):
    text = tmp_path / "poem.txt"
    text.write_text("the sea, the sea, and nothing but the sea; " * 60, encoding="utf-8")
    out = tmp_path / "out"
    command = ["study", "structure", "--out", str(out), "--quick", "--text", str(text)]
    _structure = "sgdyson.studies.structure._runs"
    ran = []

    def stopped_at_the_second(*arguments, **settings):
        ran.append(list(settings["replicas"]))
        if len(ran) == 2:
            raise KeyboardInterrupt
        return simulate(*arguments, **settings)

    monkeypatch.setattr(f"{_structure}.cores", lambda: 1)
    monkeypatch.setattr(f"{_structure}.simulate", stopped_at_the_second)
    assert CliRunner().invoke(app, command).exit_code != 0
    assert not (out / "results.json").exists()
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert ran == [[0], [1], [1], [2]]
    once = json.loads((out / "results.json").read_text())
    assert once["passed"] is True
    assert len(once["checks"]) == 2 * 9
    assert once["loss"][-1]["value"] < once["loss"][0]["value"] - 0.3
    for kinds in once["measured"].values():
        assert len(kinds) == 4
        assert all(np.isfinite(each["value"]) for line in kinds.values() for each in line)
    assert (out / "figures" / "structure.png").stat().st_size > 1000

    monkeypatch.setattr(f"{_structure}.simulate", None)  # nothing is run again
    undrawn()
    assert CliRunner().invoke(app, command).exit_code == 0
    assert json.loads((out / "results.json").read_text()) == once
    with pytest.raises(InvalidInputError, match="holds a study with"):
        study("structure")(out, 1, str, quick=True)
    text.write_text("another text, of the same length or so. " * 60, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"corpus|symbols|characters"):
        study_structure(out, 0, str, quick=True, text=text)

    monkeypatch.undo()
    undrawn()
    text.write_text("the sea, the sea, and nothing but the sea; " * 60, encoding="utf-8")
    study_structure(tmp_path / "at once", 0, str, quick=True, text=text)
    assert json.loads((tmp_path / "at once" / "results.json").read_text()) == once


def test_text_is_for_this_study_alone(tmp_path):
    command = ["study", "many-species", "--out", str(tmp_path), "--text", "a.txt"]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, InvalidInputError)
    assert "structure, not for many-species" in str(done.exception)
