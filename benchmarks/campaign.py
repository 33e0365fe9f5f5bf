"""What the store and the scheduler of a campaign cost, and what a second worker gains.

python -m benchmarks.campaign
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sgdyson.campaign import Campaign
from sgdyson.campaign._executors import run_here

SPEC = """
name = "benchmark"
replicas = 1024
updates = 1500
record_every = 100
[model]
kind = "gaussian_rbm"
n_visible = 10
[learning]
learning_rate = [0.05, 0.1]
batch_size = [16, 32, 64]
"""


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def bare(campaign: Campaign, workers: int) -> None:
    """The same chunks in the same threads, kept nowhere."""
    store, spec = campaign.store, campaign.spec
    jobs = [
        (chunk, setting, store.replicas(chunk, setting.replicas))
        for index, setting in enumerate(spec.settings)
        for chunk in store.chunks(index, setting.replicas)
    ]
    for _ in run_here(iter(jobs), workers, lambda _: None):
        pass


def main() -> None:
    table = Table("what", "1 worker, s", "2 workers, s", "gain")
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "benchmark.toml")
        spec.write_text(SPEC)
        campaigns = [Campaign.from_file(spec, Path(folder, str(i))) for i in range(3)]
        bare(campaigns[0], 2)  # compiles
        times: dict[str, list[float]] = {"bare": [], "campaign": []}
        for workers in (1, 2):
            times["bare"].append(seconds(lambda w=workers: bare(campaigns[0], w)))
            campaign = campaigns[workers]
            times["campaign"].append(
                seconds(lambda c=campaign, w=workers: c.run(workers=w, progress=False))
            )
    for name, label in (("bare", "chunks, kept nowhere"), ("campaign", "campaign, in its store")):
        one, two = times[name]
        table.add_row(label, f"{one:.1f}", f"{two:.1f}", f"{one / two:.2f}")
    extra = [100 * (c / b - 1) for c, b in zip(times["campaign"], times["bare"], strict=True)]
    table.add_row("overhead, %", *(f"{e:.1f}" for e in extra), "")
    Console(file=sys.stdout, width=100).print(table)


if __name__ == "__main__":
    main()
