"""A campaign that has grown takes what a smaller one has finished, to the same bits."""

import shutil

import numpy as np
import pytest

import sgdyson
from sgdyson.campaign import Campaign
from sgdyson.campaign import _work as module
from sgdyson.campaign._spec import parse_spec
from sgdyson.errors import InvalidInputError


def spec(**changes):
    raw = {
        "name": "small", "seed": 3, "replicas": 128, "updates": 60, "record_every": 20,
        "burn_in": 30,
        "model": {"kind": "teacher_student", "teacher": [2.0] * 10},
        "learning": {"learning_rate": [0.05, 0.1], "batch_size": 4},
    }  # fmt: skip
    learning = changes.pop("learning", {})
    return parse_spec(raw | changes | {"learning": raw["learning"] | learning})


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    campaign = Campaign(spec(), tmp_path_factory.mktemp("reuse") / "small")
    campaign.run(progress=False)
    return campaign.store.folder


@pytest.fixture
def simulated(monkeypatch):
    """(setting, replicas) of all that is run and not taken."""
    ran, here = [], module.run_chunks

    def watched(jobs, *where):
        chosen = list(jobs)
        ran.extend(
            (s.learning.learning_rate, s.learning.batch_size, replicas) for _, s, replicas in chosen
        )
        return here(iter(chosen), *where)

    monkeypatch.setattr(module, "run_chunks", watched)
    return ran


def same(run, alone):
    for name in ("levels", "diverged", "diverged_at", "finished"):
        np.testing.assert_array_equal(run[name].values, alone[name].values)


GROWN = {
    "more values": {"learning": {"learning_rate": [0.02, 0.05, 0.1]}},
    "another parameter": {"learning": {"batch_size": [2, 4]}},
    "more replicas": {"replicas": 200},
    "another name": {"name": "other"},
}


@pytest.mark.parametrize("change", GROWN.values(), ids=GROWN)
def test_only_what_is_new_is_run(small, tmp_path, simulated, change):
    grown = Campaign(spec(**change), tmp_path / "grown").run(progress=False, reuse=small)
    old = {(rate, 4.0, range(start, start + 64)) for rate in (0.05, 0.1) for start in (0, 64)}
    assert old.isdisjoint(simulated)
    ran = list(simulated)
    alone = Campaign(spec(**change), tmp_path / "alone").run(progress=False)
    assert len(simulated) == 2 * len(ran) + len(old)
    same(grown, alone)


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"updates": 80}, {"burn_in": 31}, {"record_every": 10}], ids=str
)
def test_other_numbers_are_run(small, tmp_path, simulated, change):
    grown = Campaign(spec(**change), tmp_path / "grown").run(progress=False, reuse=small)
    assert {(rate, batch) for rate, batch, _ in simulated} == {(0.05, 4), (0.1, 4)}
    same(grown, Campaign(spec(**change), tmp_path / "alone").run(progress=False))


def test_what_was_not_finished_there_is_run(small, tmp_path, simulated):
    half = tmp_path / "half"
    shutil.copytree(small, half)
    campaign = Campaign.from_folder(half)
    campaign.store.forget([min(campaign.store.done())])
    grown = Campaign(spec(), tmp_path / "grown").run(progress=False, reuse=half)
    assert len(simulated) == 1
    same(grown, Campaign.from_folder(small).open())


def test_damaged_files_and_other_versions_are_refused(small, tmp_path, monkeypatch):
    damaged = tmp_path / "damaged"
    shutil.copytree(small, damaged)
    file = next((damaged / "data.zarr" / "levels" / "c").rglob("0"))
    while file.is_dir():
        file = next(file.rglob("*"))
    file.write_bytes(b"")
    with pytest.raises(InvalidInputError, match="sgdyson verify"):
        Campaign(spec(), tmp_path / "a").run(progress=False, reuse=damaged)
    monkeypatch.setattr(
        "sgdyson.campaign._claim.versions", lambda: {"sgdyson": sgdyson.__version__, "jax": "0.0"}
    )
    with pytest.raises(InvalidInputError, match=r"begun with jax .*without --from"):
        Campaign(spec(), tmp_path / "b").run(progress=False, reuse=small)


def test_itself_and_no_campaign_are_refused(small, tmp_path):
    with pytest.raises(InvalidInputError, match="is --out itself"):
        Campaign(spec(), small).run(progress=False, reuse=small)
    with pytest.raises(InvalidInputError, match="holds no campaign"):
        Campaign(spec(), tmp_path / "a").run(progress=False, reuse=tmp_path)
    with pytest.raises(InvalidInputError, match="--from for what is the same"):
        Campaign(spec(updates=80), small).run(progress=False)
