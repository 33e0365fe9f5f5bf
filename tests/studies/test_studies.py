"""`sgdyson study`: a tiny grid from the command line, what it writes, and going on."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from sgdyson.campaign import specs
from sgdyson.cli import app
from sgdyson.errors import InvalidInputError
from sgdyson.models import TwoLayerTeacher
from sgdyson.studies import STUDIES, study
from sgdyson.studies.phase_diagram import _study

SPEC = """
name = "phase_diagram"
replicas = 8
updates = 40
record_every = 2
[model]
kind = "two_layer_teacher"
activation = ["identity"]
initial_width = [0.5, 1.0]
[learning]
learning_rate = [0.02, 0.1, 2.0]
batch_size = 4
"""


@pytest.fixture
def tiny(monkeypatch):
    """A grid of 2 x 3 points, and no second measurement of the boundary."""
    limits = _study.StabilityLimit("mean square", 4, _study.Estimate(0.3, 0.01, 9), 0.29, 0.0, 0.46)
    monkeypatch.setattr(specs, "text", lambda name: SPEC)
    monkeypatch.setattr(_study, "_limits", lambda file, seed, quick: [limits])


@pytest.mark.parametrize("seed", [-1, 2**63, 0.5, "0", True])
def test_a_seed_that_is_none_is_refused(tmp_path, seed):
    with pytest.raises(InvalidInputError, match="seed = "):
        study("many-species")(tmp_path / "out", seed, print)
    assert not (tmp_path / "out").exists()


def test_a_study_writes_every_number_with_its_error_and_goes_on(
    tiny, tmp_path, monkeypatch, undrawn
):
    command = ["study", "phase-diagram", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    (diagram,) = results["diagrams"]
    shares = diagram["shares"]
    assert np.shape(shares["divergence"]["value"]) == (2, 3)
    assert [row[2] for row in shares["divergence"]["value"]] == [1, 1]
    assert [row[0] for row in shares["divergence"]["value"]] == [0, 0]
    assert np.array(shares["slow"]["error"]).min() > 0
    assert diagram["order_parameters"]["unrest"]["value"][0][2] is None
    assert diagram["limits"]["mean square"] == pytest.approx(0.29 / 4)
    assert results["checks"][0]["passed"]
    for name in ("phase_diagram", "order_parameters", "stability"):
        for kind in ("pdf", "svg"):
            assert (tmp_path / "out" / "figures" / f"{name}.{kind}").stat().st_size > 1000
    monkeypatch.setattr("sgdyson.campaign._executors.run_chunk", None)  # nothing is run again
    undrawn()
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0, again.output
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == results
    with pytest.raises(InvalidInputError, match="holds a study with"):
        study("phase-diagram")(tmp_path / "out", 1, lambda line: None)


def test_an_unknown_study_is_named_with_the_known_ones():
    with pytest.raises(InvalidInputError, match=r"NAME = weather .*phase-diagram"):
        study("weather")


def test_a_wrong_boundary_fails_its_check():
    limit = TwoLayerTeacher("identity").stability_limit(4)
    measured = _study.Estimate(limit * 1.01, limit * 0.01, 100)
    for predicted, holds in [(limit, True), (2 / TwoLayerTeacher("identity").rates()[0], False)]:
        found = _study.StabilityLimit("mean square", 4, measured, predicted, 0.0, 0.46)
        assert _study._check(found).passed is holds


def test_the_boundary_is_measured_where_theory_has_it():
    """By runs of three updates, from any start: weighted so that nothing has to die out first."""
    limit = _study._mean_square(4, 0, quick=True)
    assert _study._check(limit).passed
    assert limit.measured.error < 0.1 * limit.predicted
    assert abs(limit.measured.pull(limit.mean_dynamics)) > 4


def test_the_grid_of_the_spec_is_the_one_promised():
    spec = _study._spec(0, quick=False)
    assert spec.shape == (3, 20, 20)
    assert spec.first.replicas >= 50
    assert "phase-diagram" in STUDIES
