"""The linear scaling rule as a measurement: on made-up widths, and on a tiny campaign."""

import json

import numpy as np
import pytest

from sgdyson.campaign import Campaign, parse_spec, specs
from sgdyson.stats import Estimate
from sgdyson.studies import study_linear_scaling
from sgdyson.studies.linear_scaling import _study
from sgdyson.studies.linear_scaling._scan import Scan, measure
from sgdyson.studies.linear_scaling._study import ARCHITECTURES, OPTIMIZERS, spec, table

RATES = np.array([0.025, 0.05, 0.1, 0.2, 0.4, 0.1, 0.1])
BATCHES = np.array([16, 16, 16, 16, 16, 4, 64.0])
VARIED = ["learning_rate"] * 2 + ["both"] + ["learning_rate"] * 2 + ["batch_size"] * 2


def scan(power: float, *, excess: float = 0.0, lost: bool = False, seed: int = 0) -> Scan:
    """sigma^2 = 3 alpha/|B|^power with errors of 1 %; more at large alpha, or nothing left."""
    exact = 3 * RATES / BATCHES**power * (1 + excess * (RATES > 0.1))
    noise = 1 + 0.01 * np.random.default_rng(seed).standard_normal(len(RATES))
    width2 = [Estimate(float(v * n), 0.01 * float(v), 100.0)
              for v, n in zip(exact, noise, strict=True)]  # fmt: skip
    if lost:
        width2[4] = None
    return Scan("made_up", "sgd" if power == 1 else "adam", RATES, BATCHES, VARIED, width2,
                [None] * 7, [None] * 7, np.array([0, 0, 0, 0, float(lost), 0, 0]))  # fmt: skip


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_exponents_tell_the_two_rules_apart(power):
    """Four standard errors: a false alarm in 16 000; the other rule is 20 errors away."""
    found = scan(power)
    for varied, exponent in (("learning_rate", 1.0), ("batch_size", -power)):
        slope = found.exponent(varied).slope
        assert abs(slope.value - exponent) < 4 * slope.error
    other = 1.5 - power
    assert found.rule(power).pvalue > 1e-4
    assert found.rule(other).pvalue < 1e-12
    slope = found.exponent("batch_size").slope
    assert abs(slope.value + other) > 20 * slope.error
    assert abs(found.rule(power).slope.value - 3) < 4 * found.rule(power).slope.error


def test_rates_beyond_the_middle_have_no_part_in_the_exponent():
    slopes = [scan(1.0, excess=e).exponent("learning_rate").slope for e in (0.0, 0.5)]
    assert slopes[0] == slopes[1]


def test_where_the_rule_ends():
    assert scan(1.0).breaks_at(1.0) is None
    assert scan(1.0, excess=0.05).breaks_at(1.0) is None
    assert scan(1.0, excess=0.5).breaks_at(1.0) == 0.2
    assert scan(1.0, lost=True).breaks_at(1.0) == 0.4  # every replica diverged


def test_the_table_has_a_row_for_each_scan():
    rows = table([scan(1.0), scan(0.5, lost=True)]).splitlines()
    assert len(rows) == 4
    assert len({row.count("|") for row in rows}) == 1
    assert "none seen" in rows[2]
    assert "0.4" in rows[3]


@pytest.mark.parametrize(("in_rate", "in_batch", "holds"), [(0.8, 0.8, True), (0.8, 0.5, False)])
def test_a_network_without_a_scale_need_only_follow_the_ratio(in_rate, in_batch, holds):
    """Any power of alpha/|B| passes; different powers of alpha and of |B| do not."""
    width2 = [
        Estimate(float(v), 0.01 * float(v), 100.0) for v in RATES**in_rate / BATCHES**in_batch
    ]
    found = Scan("character_transformer", "sgd", RATES, BATCHES, VARIED, width2, [None] * 7,
                 [None] * 7, np.zeros(7))  # fmt: skip
    (check,) = _study._checks(found)
    assert check.measured.value == pytest.approx(in_rate - in_batch, abs=1e-9)
    assert check.passed is holds


def test_the_matrix_that_is_followed(tmp_path, monkeypatch):
    raw = spec("character_transformer", "sgd", 0)
    raw |= {"replicas": 2, "updates": 15, "burn_in": [1, 1, 1]}
    raw["learning"] |= {"learning_rate": [0.4, 0.8, 0.8], "batch_size": [4, 4, 2]}
    campaign = Campaign(parse_spec(raw), tmp_path / "campaign")
    campaign.run(progress=False)
    levels = campaign.open().levels.values[1]
    names = np.array(campaign.spec.first.build().matrix_names())
    for matrix, name in ((None, "embedding"), ("unembedding", "unembedding")):
        found = measure(campaign, "character_transformer", "sgd", matrix).width2[1]
        expected = levels[..., names == name].var(axis=1, ddof=1).mean()
        assert found.value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_spec_is_valid_at_the_pace_of_every_optimiser(architecture):
    for optimizer in OPTIMIZERS:
        raw = spec(architecture, optimizer, 3)
        settings = parse_spec(raw, architecture).settings
        assert {s.learning.optimizer for s in settings} == {optimizer}
        assert settings[0].seed == 3
        # one middle, in which both scans meet
        pairs = [(s.learning.learning_rate, s.learning.batch_size) for s in settings]
        assert len(set(pairs)) == len(pairs)
        if optimizer == "adam":
            assert min(s.burn_in_updates for s in settings) >= 9000


TINY = """
name = "teacher_student"
replicas = 64
time_unit = "1/learning_rate"
updates = 40
record_every = 4
burn_in = 8
vary = "zip"
[model]
kind = "teacher_student"
teacher = [2.0, 2.0]
initial_width = 1.0
[learning]
learning_rate = [0.1, 0.2, 0.2, 40.0]
batch_size = [16, 16, 64, 16]
"""


def test_a_campaign_is_measured_drawn_and_written(tmp_path, monkeypatch, undrawn):
    monkeypatch.setattr(specs, "text", lambda name: TINY)
    monkeypatch.setattr(_study, "ARCHITECTURES", {"teacher_student": 1.0})
    monkeypatch.setattr(_study, "OPTIMIZERS", {"sgd": OPTIMIZERS["sgd"]})
    said: list[str] = []
    checks = study_linear_scaling(tmp_path, 0, said.append)
    assert said == ["1 of 1: teacher_student under sgd"]
    results = json.loads((tmp_path / "results.json").read_text())
    (found,) = results["scans"]
    assert [s["diverged"] for s in found["settings"]] == [0, 0, 0, 1]
    assert found["settings"][3]["width2"] is None
    assert [s["varied"] for s in found["settings"]] == ["learning_rate", "both", "batch_size",
                                                        "learning_rate"]  # fmt: skip
    middle = found["settings"][1]["mean_spacing"]
    predicted = found["settings"][1]["predicted_mean_spacing"]
    assert abs(middle["value"] - predicted) < 4 * middle["error"] + 0.05 * predicted
    assert results["passed"] == all(check.passed for check in checks)
    assert (tmp_path / "figures" / "scaling_sgd.svg").stat().st_size > 1000
    monkeypatch.setattr("sgdyson.campaign._executors.run_chunk", None)  # nothing is run again
    undrawn()
    study_linear_scaling(tmp_path, 0, said.append)
