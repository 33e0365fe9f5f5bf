"""What the store and the scheduler of a campaign cost, and what a second worker gains.

python -m benchmarks.campaign

A short campaign and the same chunks kept nowhere take turns, so that a machine that changes its
speed changes it for both; the median over the turns of their ratio is what counts. The store and
the scheduler by themselves, with chunks that cost nothing to compute, are timed as well: on a busy
machine this is the sharper number.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from sgdyson.campaign import Campaign, Setting, _executors
from sgdyson.campaign._executors import Result, run_chunk, run_chunks

SPEC = """
name = "benchmark"
replicas = 512
updates = 1500
record_every = 100
[model]
kind = "gaussian_rbm"
n_visible = 10
[learning]
learning_rate = 0.1
batch_size = [16, 32]
"""
TURNS = 12
MINUTE = (  # for one worker
    SPEC.replace("[16, 32]", "[4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48]")
    .replace("1500", "3000")
    .replace("100", "200")
)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """On the clock, and of the processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def bare(campaign: Campaign, workers: int | None = None, scheduler: str | None = None) -> None:
    """The same chunks on the same threads, or workers, kept nowhere."""
    jobs = campaign.plan.missing(campaign.plan.asked())
    for _ in run_chunks(iter(jobs), workers, scheduler, lambda _: None, print):
        pass


def turns(folder: Path) -> dict[tuple[str, int], np.ndarray]:
    """Times (turn, clock or processors) of the bare chunks and the campaign, by workers."""
    spec = folder / "benchmark.toml"
    spec.write_text(SPEC)
    bare(Campaign.from_file(spec, folder / "none"), 2)  # compiles
    times = defaultdict(list)
    for turn in range(TURNS):
        cases = [(what, workers) for workers in (1, 2) for what in ("bare", "campaign")]
        for what, workers in cases if turn % 2 else reversed(cases):
            campaign = Campaign.from_file(spec, folder / f"{turn}-{workers}")
            if what == "bare":
                found = seconds(lambda c=campaign, w=workers: bare(c, w))
            else:
                found = seconds(lambda c=campaign, w=workers: c.run(workers=w, progress=False))
            times[what, workers].append(found)
    return {case: np.array(found) for case, found in times.items()}


def alone(folder: Path) -> tuple[float, float, int]:
    """Time of store and scheduler in a campaign of a minute: clock, processors, chunks."""
    spec = folder / "minute.toml"
    spec.write_text(MINUTE)
    campaign = Campaign.from_file(spec, folder / "minute")
    chunk = campaign.store.layout.chunk_replicas[0]
    arrays = run_chunk(campaign.spec.first, range(chunk)).arrays

    def at_once(setting: Setting, replicas: range, advance: object = None) -> Result:
        return Result(arrays, 0.0)

    before, _executors.run_chunk = _executors.run_chunk, at_once
    try:
        clock, processors = seconds(lambda: campaign.run(progress=False))
    finally:
        _executors.run_chunk = before
    return clock, processors, campaign.finished()[0]


def median(values: np.ndarray) -> str:
    """With its standard error, by the bootstrap."""
    draws = np.random.default_rng(0).choice(values, (2000, len(values)))
    return f"{np.median(values):.2f} ± {np.median(draws, axis=1).std():.2f}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        times = turns(Path(folder))
        clock, processors, chunks = alone(Path(folder))
    table = Table(f"medians of {TURNS} turns", "1 worker", "2 workers", "gain")
    for what, label in (("bare", "chunks, kept nowhere, s"), ("campaign", "campaign, s")):
        one, two = times[what, 1][:, 0], times[what, 2][:, 0]
        table.add_row(label, median(one), median(two), median(one / two))
    for column, label in enumerate(("overhead on the clock, %", "overhead of processors, %")):
        extra = [
            median(100 * (times["campaign", w] / times["bare", w] - 1)[:, column]) for w in (1, 2)
        ]
        table.add_row(label, *extra, "")
    console = Console(file=sys.stdout, width=100)
    console.print(table)
    console.print(
        f"store and scheduler of {chunks} chunks, a worker's minute: {clock:.2f} s on the clock,"
        f" {processors:.2f} s of processors"
    )


if __name__ == "__main__":
    main()
