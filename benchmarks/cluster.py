"""What a Dask scheduler on loopback gains, and what scheduler and store cost.

python -m benchmarks.cluster [SECONDS]

A campaign of about so many seconds (60) of one worker runs on four worker processes and on one, and
its chunks on four, kept nowhere: these take turns, so that a machine that changes its speed changes
it for all. Processors' time is that of every process together, client, scheduler and workers; on a
busy machine it is the sharper number. The store by itself, with the same chunks, is timed as well.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from distributed import LocalCluster
from rich.console import Console
from rich.table import Table

from benchmarks.campaign import SPEC, alone, median
from sgdyson.campaign import Campaign
from sgdyson.campaign._executors import run_chunks

TURNS = 3
WORKERS = 4


def cluster(workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address=None, memory_limit=0, silence_logs=50,
    )  # fmt: skip


def processors() -> float:
    """Time of this process, which has the scheduler in it, and of its workers."""
    own = psutil.Process()
    return sum(sum(p.cpu_times()[:2]) for p in (own, *own.children(recursive=True)))


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), processors()
    work()
    return time.perf_counter() - wall, processors() - cpu


def bare(campaign: Campaign, address: str) -> None:
    """The same chunks on the same workers, kept nowhere."""
    jobs = campaign._missing([s.replicas for s in campaign.spec.settings])
    for _ in run_chunks(iter(jobs), None, address, lambda _: None, print):
        pass


def turns(folder: Path, length: float) -> dict[str, np.ndarray]:
    """Times (turn, clock or processors) by what is run."""
    spec = folder / "benchmark.toml"
    spec.write_text(SPEC.replace("= 512", f"= {256 * max(round(length / 2.5), 1)}"))
    times = defaultdict(list)
    with cluster(1) as single, cluster(WORKERS) as several:

        def run(where: LocalCluster, name: str) -> object:
            campaign = Campaign.from_file(spec, folder / name)
            return campaign.run(scheduler=where.scheduler_address, progress=False)

        for warm, where in enumerate((single, several)):  # workers compile, each for itself
            for again in range(2):
                run(where, f"warm-{warm}-{again}")
        cases = {
            "chunks on four workers, kept nowhere, s": lambda turn: bare(
                Campaign.from_file(spec, folder / f"none-{turn}"), several.scheduler_address
            ),
            "campaign on four workers, s": lambda turn: run(several, f"four-{turn}"),
            "campaign on one worker, s": lambda turn: run(single, f"one-{turn}"),
        }
        for turn in range(TURNS):
            for name in cases if turn % 2 else reversed(cases):
                times[name].append(seconds(lambda n=name, t=turn: cases[n](t)))
    return {case: np.array(times[case]) for case in cases}


def main() -> None:
    length = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as folder:
        times = turns(Path(folder), length)
        clock, cpu, chunks = alone(Path(folder))
    nowhere, four, one = times.values()
    table = Table(f"medians of {TURNS} turns", "clock", "processors")
    for name, found in times.items():
        table.add_row(name, *(median(found[:, column]) for column in (0, 1)))
    table.add_row("gain of four workers over one", median(one[:, 0] / four[:, 0]), "")
    extra = 100 * (four / nowhere - 1)
    table.add_row("overhead of the store, %", *(median(extra[:, column]) for column in (0, 1)))
    console = Console(file=sys.stdout, width=100)
    console.print(table)
    console.print(
        f"store of {chunks} chunks alone: {clock:.2f} s on the clock, {cpu:.2f} s of processors"
    )


if __name__ == "__main__":
    main()
