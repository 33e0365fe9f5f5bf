"""What a campaign will take, by a clock that goes as it is told."""

import pytest

from sgdyson.campaign import Campaign, _cost
from sgdyson.campaign._spec import parse_spec
from sgdyson.engine.block import block_size

SPEC = {
    "name": "small", "replicas": 100, "updates": 400, "record_every": 100, "burn_in": 300,
    "model": {"kind": "teacher_student", "teacher": [2.0, 1.0, 0.5]},
    "learning": {"learning_rate": [0.05, 0.1, 0.2], "batch_size": [4, 16]},
}  # fmt: skip
LEVELS, RECORDS, SETTINGS = 3, 5, 6


@pytest.fixture
def campaign(tmp_path):
    return Campaign(parse_spec(SPEC), tmp_path / "out")


@pytest.fixture
def timed(monkeypatch):
    """The first run of a setting compiles, for 100 seconds; the next ones take 2."""
    now, seen, ran = [0.0], set(), []

    def run_chunk(setting, replicas):
        key = setting.learning.learning_rate, setting.learning.batch_size
        now[0] += 2.0 if key in seen else 100.0
        seen.add(key)
        ran.append((setting.total_updates, len(replicas)))

    monkeypatch.setattr(_cost, "run_chunk", run_chunk)
    monkeypatch.setattr(_cost.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(_cost, "cores", lambda: 4)
    return ran


def test_time_is_that_of_every_update_on_all_cores_and_compiles_nothing(campaign, timed):
    cost = campaign.cost()
    size = block_size(campaign.spec.first.build(), "cpu")
    assert set(timed) == {(200, size)}
    assert len(timed) == 2 * 3  # of three settings, each once to compile
    updates = SETTINGS * 100 * (300 + 400)
    assert (cost.settings, cost.updates) == (SETTINGS, updates)
    assert cost.seconds == pytest.approx(updates * 2.0 / (200 * size) / 4)


def test_room_is_that_of_all_records_and_of_the_chunks_under_way(campaign, timed):
    cost = campaign.cost()
    assert cost.disk == 8 * LEVELS * RECORDS * 100 * SETTINGS
    chunk = max(campaign.store.layout.chunk_replicas)
    assert cost.memory == 8 * LEVELS * RECORDS * chunk * 2 * 4  # two for each core
