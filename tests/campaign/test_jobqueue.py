"""The script of the documentation for clusters with a queue, on the local one of dask-jobqueue."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_campaign import SPEC, files

from sgdyson.campaign import Campaign

DOCS = Path(__file__).parents[2] / "docs" / "campaigns.md"
pytest.importorskip("dask_jobqueue")


def test_the_script_runs_to_the_bits_of_this_machine(tmp_path):
    """Jobs are processes here; else it is as with a queue."""
    (script,) = re.findall(r"```python\n(# campaign_on_slurm.*?)```", DOCS.read_text(), re.DOTALL)
    script = script.replace(
        "from dask_jobqueue import SLURMCluster", "from dask_jobqueue.local import LocalCluster"
    )
    script, changed = re.subn(
        r"SLURMCluster\(.*\) as", 'LocalCluster(cores=1, processes=1, memory="2GB") as', script
    )
    assert changed == 1
    (tmp_path / "campaign_on_slurm.py").write_text(script.replace("jobs=10", "jobs=1"))
    (tmp_path / "scaling.toml").write_text(SPEC.replace("replicas = 200", "replicas = 64"))
    # compiled for the jobs too
    Campaign.from_file(tmp_path / "scaling.toml", tmp_path / "here").run(progress=False)
    subprocess.run(
        [sys.executable, "-W", "ignore", "campaign_on_slurm.py"], cwd=tmp_path, check=True
    )
    assert files(tmp_path / "small") == files(tmp_path / "here")
