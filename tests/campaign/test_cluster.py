"""Dask workers on this machine: the same bits, even when one of them dies at its work."""

import os
import signal
import threading
import time

import pytest
from test_campaign import SPEC, files, written

from sgdyson.campaign import Campaign, _store
from sgdyson.errors import InvalidInputError

distributed = pytest.importorskip("distributed")


@pytest.mark.filterwarnings("ignore")  # Dask's own, on a killed worker
def test_a_dead_worker_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_store, "_REPLICAS", 64)
    text = SPEC.replace("replicas = 200", "replicas = 500").replace("= 400", "= 1500")
    path = written(tmp_path, text)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address=None, memory_limit=0,
    ) as cluster:  # fmt: skip
        campaign = Campaign.from_file(path, tmp_path / "out")

        def kill() -> None:
            while campaign.finished()[0] < 3:
                time.sleep(0.02)
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        campaign.run(scheduler=cluster.scheduler_address, progress=False)
        assert not killer.is_alive(), "no worker was killed"
    Campaign.from_file(path, tmp_path / "here").run(progress=False)
    assert files(tmp_path / "out") == files(tmp_path / "here")


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_does_not_answer_is_named(tmp_path):
    campaign = Campaign.from_file(written(tmp_path), tmp_path / "out")
    with pytest.raises(InvalidInputError, match=r"127\.0\.0\.1:9.*does not answer"):
        campaign.run(scheduler="tcp://127.0.0.1:9", progress=False)
