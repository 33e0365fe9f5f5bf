"""Dask workers on this machine: the same bits, even when one of them dies at its work."""

import gc
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from test_campaign import SPEC, files, written

from sgdyson import _cluster
from sgdyson.campaign import Campaign, _layout
from sgdyson.campaign._versions import versions
from sgdyson.errors import InvalidInputError

distributed = pytest.importorskip("distributed")


def open_clients():
    """What the garbage collector would close, at a time when that may wait for ever."""
    clients = [it for it in gc.get_objects() if isinstance(it, distributed.Client)]
    return [client for client in clients if client.status != "closed"]


@pytest.mark.filterwarnings("ignore")  # Dask's own, on a killed worker
def test_a_dead_worker_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_layout, "_REPLICAS", 64)
    text = SPEC.replace("replicas = 200", "replicas = 640")  # ten chunks
    path = written(tmp_path, text.replace("[0.05, 0.1]", "0.1").replace("[4, 16]", "4"))
    Campaign.from_file(path, tmp_path / "here").run(progress=False)  # compiled for the workers too
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address=None, memory_limit=0,
    ) as cluster:  # fmt: skip
        campaign = Campaign.from_file(path, tmp_path / "out")

        def kill() -> None:
            while campaign.finished()[0] < 3:
                time.sleep(0.02)
            victim = next(iter(cluster.workers.values()))
            victim.auto_restart = False  # the other one goes on alone
            os.kill(victim.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        campaign.run(scheduler=cluster.scheduler_address, progress=False)
        assert not killer.is_alive(), "no worker was killed"
    assert files(tmp_path / "out") == files(tmp_path / "here")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere://127.0.0.1:9", "127.0.0.1"])
def test_a_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch, address):
    monkeypatch.setattr(_cluster, "_ANSWER", 1.0)
    campaign = Campaign.from_file(written(tmp_path), tmp_path / "out")
    with pytest.raises(InvalidInputError, match=rf"{re.escape(address)} does not answer"):
        campaign.run(scheduler=address, progress=False)
    assert open_clients() == []


CLUSTER = """
import sys
{before}
import distributed
if __name__ == "__main__":
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://",
        dashboard_address=None, memory_limit=0,
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@contextmanager
def cluster_of(before=""):
    """Of another process: the process, and the address of its scheduler."""
    command = [sys.executable, "-W", "ignore", "-c", CLUSTER.format(before=before)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            address = process.stdout.readline().strip()
            assert address
            yield process, address
        finally:
            process.kill()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("before", "named"),
    [
        ("sys.modules['sgdyson'] = None", r"has no sgdyson.*pip install sgdyson=="),
        ("import jax; jax.__version__ = '0.0.1'", r"worker .*127\.0\.0\.1.* has jax 0\.0\.1"),
    ],
)
def test_workers_that_would_give_other_numbers_are_refused_by_name(tmp_path, before, named):
    campaign = Campaign.from_file(written(tmp_path), tmp_path / "out")
    with cluster_of(before) as (_, address), pytest.raises(InvalidInputError, match=named):
        campaign.run(scheduler=address, progress=False)
    assert campaign.finished()[0] == 0


def test_a_worker_that_joins_later_is_known_by_what_it_delivers():
    for name in versions():
        theirs = versions() | {name: "0.1"}
        with pytest.raises(InvalidInputError, match=rf"the worker tcp://there has {name} 0\.1"):
            _cluster._compare("tcp://there", theirs, versions())


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_killed_is_one_sentence(tmp_path, capfd):
    text = SPEC.replace("replicas = 200", "replicas = 3000").replace("= 400", "= 20000")
    campaign = Campaign.from_file(written(tmp_path, text), tmp_path / "out")
    with cluster_of() as (process, address):
        threading.Timer(5, process.kill).start()
        with pytest.raises(InvalidInputError, match="has gone away") as caught:
            campaign.run(scheduler=address, progress=False)
    assert open_clients() == []
    assert address in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_without_workers_is_not_waited_for_in_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(_cluster, "_PATIENCE", 0.2)
    monkeypatch.setattr(_layout, "_REPLICAS", 64)
    said = []
    text = SPEC.replace("[0.05, 0.1]", "0.1").replace("[4, 16]", "4").replace("= 200", "= 8")
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, processes=False, protocol="tcp://",
        dashboard_address=None, memory_limit=0,
    ) as cluster:  # fmt: skip

        def heard(sentence: str) -> None:
            said.append(sentence)
            cluster.scale(1)

        monkeypatch.setattr("sgdyson.campaign._work.tell", heard)
        data = Campaign.from_file(written(tmp_path, text), tmp_path / "out").run(
            scheduler=cluster.scheduler_address
        )
    assert bool(data.finished.all())
    assert len(said) == 1
    assert "has no worker" in said[0]
