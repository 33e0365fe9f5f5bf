"""The study of a linear network, small; and what it must reject."""

import json

import numpy as np

from sgdyson.campaign import specs
from sgdyson.ensembles import GaussianEnsemble
from sgdyson.models import LinearNetwork
from sgdyson.optimizers import SGD
from sgdyson.studies import study_many_species
from sgdyson.studies.many_species._species import species
from sgdyson.studies.many_species._study import _width_check

TINY = """
name = "many_species"
time_unit = "1/learning_rate"
updates = 12
record_every = 4
burn_in = 40
replicas = 1
vary = "zip"
[model]
kind = "linear_network"
teacher = [2.0, 2.0]
hidden = [3]
label_noise = 1.0
[learning]
learning_rate = [0.05]
batch_size = [256]
weight_decay = 0.2
"""


def test_it_measures_draws_and_goes_on(tmp_path, monkeypatch, undrawn):
    monkeypatch.setattr(specs, "text", lambda name: TINY)
    checks = study_many_species(tmp_path, 0, lambda line: None, quick=True)
    assert [check.name.split("/")[0] for check in checks] == ["product", "w1", "w2", "correlation"]
    assert all(check.passed for check in checks)
    assert json.loads((tmp_path / "results.json").read_text())["passed"]
    assert (tmp_path / "figures" / "many_species.svg").stat().st_size > 1000
    monkeypatch.setattr("sgdyson.campaign._executors.run_chunk", None)  # nothing is run again
    undrawn()
    study_many_species(tmp_path, 0, lambda line: None, quick=True)


def test_a_width_is_that_of_the_gas_and_no_other():
    """On exact draws: four standard errors, a false alarm in 16 000; a tenth more is rejected."""
    part = LinearNetwork((2.0,) * 4, hidden=(4,)).predict(0.01, 64, SGD(0.2))
    for factor, holds in ((1.0, True), (1.1**0.5, False)):
        gas = GaussianEnsemble(4, 1, factor * float(part.width[0])).eigenvalues(40_000, 1)
        levels = part.levels[0] + gas[:, ::-1].reshape(2000, 20, 4)
        levels -= levels.mean() - part.levels[0]
        assert _width_check(species("product", levels, part)).passed is holds
        np.testing.assert_allclose(levels.mean(), part.levels[0])
