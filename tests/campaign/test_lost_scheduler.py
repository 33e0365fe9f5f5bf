"""A scheduler that is lost, as the shell sees it: one sentence, nothing lost, and it goes on."""

import subprocess
import sys
import time

import pytest
from test_campaign import SPEC, files, lines, written
from test_cluster import cluster_of
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.campaign import Campaign, _layout

distributed = pytest.importorskip("distributed")


@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_one_sentence_and_the_same_command_goes_on(tmp_path, monkeypatch):
    text = SPEC.replace("replicas = 200", "replicas = 1024").replace("[0.05, 0.1]", "0.1")
    text = text.replace("[4, 16]", "4")
    path, out = written(tmp_path, text), tmp_path / "out"
    monkeypatch.setattr(_layout, "_REPLICAS", 256)
    Campaign.from_file(path, tmp_path / "here").run(progress=False)  # compiled for the others too

    def words(address):
        return ["run", str(path), "--out", str(out), "--scheduler", address]

    with cluster_of() as (cluster, address):
        command = [sys.executable, "-m", "sgdyson", *words(address)]
        run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while lines(out) < 2 and run.poll() is None:  # the frame, and a chunk
            time.sleep(0.02)
        cluster.kill()
        _, told = run.communicate()
    assert run.returncode == 2, told
    (sentence,) = told.splitlines()
    assert sentence.startswith(f"sgdyson: the scheduler {address} has gone away (")
    assert sentence.endswith("what is finished is good, and the same command goes on from it.")
    before = lines(out)
    assert 2 <= before < 1 + 8
    assert Campaign.from_folder(out).verify() == []
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://",
        dashboard_address=None, memory_limit=0,
    ) as cluster:  # fmt: skip
        assert CliRunner().invoke(cli.app, words(cluster.scheduler_address)).exit_code == 0
    assert lines(out) == 1 + 8
    assert files(out) == files(tmp_path / "here")
