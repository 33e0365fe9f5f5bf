"""Lines of a manifest that count, and what is asked of chunks: by weight, whole, not too many."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from test_reuse import spec

from sgdyson.campaign import Campaign, _reuse
from sgdyson.campaign._layout import Chunk
from sgdyson.campaign._manifest import Entry, FileRecord, Manifest
from sgdyson.campaign._precision import replicas_for
from sgdyson.campaign._reuse import Source
from sgdyson.errors import InvalidInputError


def entry(number, replicas=(0, 40), names=()):
    record = FileRecord(size=1, sha256="0" * 64, changed=1)
    return Entry(
        setting=0, number=number, replicas=replicas, seconds=1.0, files=dict.fromkeys(names, record)
    )


@pytest.mark.parametrize("cut", [1, 2, 50])
def test_a_line_that_was_cut_short_is_no_part_of_the_next(tmp_path, cut):
    manifest = Manifest(tmp_path, "digest")
    for number in (0, 1):
        manifest.append(entry(number))
    manifest.path.write_bytes(manifest.path.read_bytes()[:-cut])
    assert manifest.read() == [entry(0)]
    manifest.mend()
    assert manifest.path.read_bytes().endswith(b"\n")
    manifest.append(entry(2))
    assert manifest.read() == Manifest(tmp_path, "digest").read() == [entry(0), entry(2)]


@pytest.mark.parametrize(
    ("replicas", "fits"),
    [((0, 40), True), ((0, 10), True), ((0, 41), False), ((1, 40), False), ((0, 0), False)],
)
def test_a_chunk_has_the_replicas_that_were_asked_for_or_begins_with_them(tmp_path, replicas, fits):
    layout = Campaign(spec(replicas=40), tmp_path / "out").store.layout
    names = layout.files(0, range(0, 40))
    assert layout.fits(entry(0, replicas, names)) == fits


def test_precision_asks_for_whole_chunks(tmp_path):
    """A chunk is run as one program: replicas that are left over cost as much."""
    plain = Campaign(spec(replicas=100), tmp_path / "plain")
    exact = Campaign(
        spec(replicas=100, target_error=1e-3, quantity="level_mean"), tmp_path / "exact"
    )
    size = exact.store.layout.chunk_replicas[0]
    assert plain.plan.asked() == [100, 100]
    assert exact.plan.asked() == [-(-100 // size) * size] * 2
    assert 100 % size != 0


def test_parts_are_weighed_by_the_updates_of_all_replicas_in_a_chunk(tmp_path):
    campaign = Campaign(spec(replicas=130), tmp_path / "out")
    size = campaign.store.layout.chunk_replicas[0]
    assert 130 % size != 0
    sizes = [min(size, 130 - start) for start in range(0, 130, size)]
    updates = campaign.spec.first.total_updates
    weights = [updates * count for count in sizes] * 2  # of two settings
    assert [weight for _, weight in campaign.plan._works()] == weights


@pytest.mark.parametrize(("total", "grown"), [(64, 192), (128, 192), (192, 192), (256, 256)])
def test_no_more_replicas_are_added_than_the_most(total, grown):
    """Whole chunks of 64, of at most 250 together, whatever the error."""
    setting = spec(
        target_error=1e-9, quantity="level_mean", replicas=64, most_replicas=250
    ).settings[0]
    levels = np.random.default_rng(0).standard_normal((total, 2, 1))
    assert replicas_for(1e-9, setting, levels, total, 64) == grown


def test_finished_replicas_keep_their_numbers_where_others_are_missing(tmp_path):
    campaign = Campaign(spec(replicas=130), tmp_path / "out")
    campaign.run(progress=False, settings=[1])
    whole = campaign.as_run(1)
    size = campaign.store.layout.chunk_replicas[1]
    with campaign.store.locked():
        campaign.store.forget([Chunk(1, 0)])
    left = campaign.as_run(1)
    assert left.replica.values.tolist() == list(range(size, 130))
    xr.testing.assert_identical(left, whole.sel(replica=slice(size, None)))


def test_a_run_tells_updates_whatever_the_unit_of_its_spec(tmp_path):
    units = spec(
        replicas=4, time_unit="1/learning_rate", burn_in=3, record_every=2, updates=4,
        learning={"learning_rate": [0.1, 0.25]},
    )  # fmt: skip
    campaign = Campaign(units, tmp_path / "out")
    campaign.run(progress=False)
    for index, (burn_in, every) in enumerate(((30, 20), (12, 8))):
        run = campaign.as_run(index)
        assert (run.attrs["record_from"], run.attrs["record_every"]) == (burn_in, every)
        assert run.attrs["updates"] == 2 * every
        assert run.time.values.tolist() == [0, every, 2 * every]
        assert run.attrs["seed"] == units.settings[index].stream


def test_a_zarr_chunk_is_as_small_as_the_smallest_chunk(tmp_path):
    """So that every chunk has files of its own, whatever the model of its setting."""
    model = {"kind": "teacher_student", "teacher": [[2.0] * 2, [2.0] * 10]}
    layout = Campaign(spec(replicas=2000, model=model), tmp_path / "out").store.layout
    assert len(set(layout.chunk_replicas)) == 2
    assert layout.rows == min(layout.chunk_replicas)
    assert all(size % layout.rows == 0 for size in layout.chunk_replicas)


def test_replicas_that_are_taken_took_their_share_of_a_chunks_time():
    entries = {Chunk(0, 0): entry(0, (0, 64)), Chunk(0, 1): entry(1, (64, 96))}
    source = Source.__new__(Source)
    source._entries = {k: e.model_copy(update={"seconds": 8.0}) for k, e in entries.items()}
    source.campaign = SimpleNamespace(
        store=SimpleNamespace(layout=SimpleNamespace(chunk_replicas=[64]))
    )
    assert source.seconds(0, range(0, 64)) == 8.0
    assert source.seconds(0, range(48, 80)) == 16 / 64 * 8.0 + 16 / 32 * 8.0
    assert source.seconds(0, range(0, 96)) == 16.0


@pytest.mark.parametrize(
    ("ours", "theirs", "refused"),
    [(["a"], ["b"], True), (["a"], ["a"], False), ([], ["b"], False), (["a"], [], False)],
)
def test_replicas_that_learnt_other_data_are_not_taken(
    tmp_path, monkeypatch, ours, theirs, refused
):
    folder = tmp_path / "other"
    other = SimpleNamespace(store=SimpleNamespace(folder=folder), spec=SimpleNamespace(data=theirs))
    monkeypatch.setattr(_reuse, "require_versions", lambda folder, remedy: None)
    monkeypatch.setattr(_reuse, "Source", lambda campaign: None)
    taken = _reuse.finished_elsewhere([], other, ours)
    if refused:
        with pytest.raises(InvalidInputError, match="other data to learn"):
            list(taken)
    else:
        assert list(taken) == []
