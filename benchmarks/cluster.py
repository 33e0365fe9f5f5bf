"""What a Dask scheduler on loopback gains, and what scheduler and store cost.

python -m benchmarks.cluster {gain,store,spectrum,alone} [--seconds 60] [--turns 2] [--workers 4]

Four pieces, each a command of some minutes. *gain*: a campaign of so many seconds of one worker, on
one worker process and on four. *store*: the same campaign on four, and its chunks on four kept
nowhere; and the processors' time inside the store's own functions, which no other turn and no other
program blurs. *spectrum*: `survey` of 24 matrices of 1024 x 3072 on one worker process and on four.
*alone*: the store with chunks that cost nothing to compute. What is compared takes turns, so that a
machine that changes its speed changes it for both. Processors' time is that of every process
together, client, scheduler and workers; on a busy machine it is the sharper number.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from distributed import Client, LocalCluster
from rich.console import Console
from rich.table import Table

from benchmarks.campaign import SPEC, alone, bare, median
from sgdyson.campaign import Campaign, read_spec
from sgdyson.campaign._executors import run_chunk
from sgdyson.campaign._store import Store
from sgdyson.checkpoints import survey


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


def in_turns(cases: dict[str, Callable[[int], object]], turns: int) -> dict[str, np.ndarray]:
    """Times (turn, clock or processors) by what is run; every other turn backwards."""
    times = defaultdict(list)
    for turn in range(turns):
        for name in cases if turn % 2 else reversed(cases):
            times[name].append(seconds(lambda n=name, t=turn: cases[n](t)))
    return {name: np.array(times[name]) for name in cases}


def spec_of(folder: Path, length: float) -> Path:
    """A campaign that keeps one worker busy for about so many seconds."""
    spec = folder / f"benchmark-{length:g}.toml"
    spec.write_text(SPEC.replace("= 512", f"= {256 * max(round(length / 2.5), 1)}"))
    return spec


def ran(where: LocalCluster, spec: Path, out: Path) -> object:
    campaign = Campaign.from_file(spec, out)
    return campaign.run(scheduler=where.scheduler_address, progress=False)


def warm(where: LocalCluster, spec: Path) -> None:
    """Each worker compiles: a replica of each setting, of few updates."""
    short = spec.with_name("short.toml")
    short.write_text(spec.read_text().replace("1500", "100"))
    settings = read_spec(short).settings
    with Client(where.scheduler_address) as client:
        client.gather([
            client.submit(run_chunk, setting, range(1), workers=[worker], pure=False)
            for worker in client.scheduler_info()["workers"] for setting in settings
        ])  # fmt: skip


def gain(folder: Path, length: float, turns: int, workers: int) -> dict[str, np.ndarray]:
    spec = spec_of(folder, length)
    with cluster(1) as single, cluster(workers) as several:
        for where in (single, several):
            warm(where, spec)
        return in_turns({
            f"campaign on {workers} workers, s": lambda t: ran(several, spec, folder / f"all-{t}"),
            "campaign on one worker, s": lambda t: ran(single, spec, folder / f"one-{t}"),
        }, turns)  # fmt: skip


@contextmanager
def watched() -> Iterator[list[float]]:
    """Processors' seconds inside the store, of all campaigns: its calls and Zarr's threads."""
    spent = [0.0]
    real = {name: getattr(Store, name) for name in ("mend", "make_room", "write", "opened")}

    def timed(call: Callable[..., object]) -> Callable[..., object]:
        def caller(*arguments: object) -> object:
            began, zarr = time.thread_time(), of_zarr()
            try:
                return call(*arguments)
            finally:
                spent[0] += time.thread_time() - began + of_zarr() - zarr

        return caller

    for name, call in real.items():
        setattr(Store, name, timed(call))
    try:
        yield spent
    finally:
        for name, call in real.items():
            setattr(Store, name, call)


def of_zarr() -> float:
    """Processors' seconds of the threads here in which Zarr works: its own, and those it asks.

    The second are asyncio's own, of which Dask may use some too: at most so much is the store's.
    """
    return sum(
        time.clock_gettime(time.pthread_getcpuclockid(each.ident))
        for each in threading.enumerate()
        if each.ident is not None and each.name.startswith(("zarr", "asyncio"))
    )


def store(folder: Path, length: float, turns: int, workers: int) -> dict[str, np.ndarray]:
    """Turns of both, and of the campaigns the processors' seconds inside the store, on a line."""
    spec = spec_of(folder, length)
    with cluster(workers) as several, watched() as spent:
        warm(several, spec)
        times = in_turns({
            f"chunks on {workers} workers, kept nowhere, s": lambda t: bare(
                Campaign.from_file(spec, folder / f"none-{t}"), scheduler=several.scheduler_address
            ),
            f"campaign on {workers} workers, s": lambda t: ran(several, spec, folder / f"all-{t}"),
        }, turns)  # fmt: skip
    whole = times[f"campaign on {workers} workers, s"][:, 1].sum()
    print(f"inside the store: {spent[0] / turns:.2f} s of processors a campaign,"
          f" {100 * spent[0] / (whole - spent[0]):.2f} % of the rest")  # fmt: skip
    return times


def spectra(folder: Path, length: float, turns: int, workers: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    count = max(round(length / 0.5), 2 * workers)  # half a second each
    path = folder / "matrices.npz"
    np.savez(path, **{f"w{n}": random.standard_normal((1024, 3072), np.float32)
                      for n in range(count)})  # fmt: skip
    with cluster(1) as single, cluster(workers) as several:
        for where in (single, several):
            survey(path, scheduler=where.scheduler_address, names=["w0", "w1", "w2", "w3"])
        return in_turns({
            f"spectrum on {workers} workers, s": lambda _: survey(
                path, scheduler=several.scheduler_address),
            "spectrum on one worker, s": lambda _: survey(path, scheduler=single.scheduler_address),
        }, turns)  # fmt: skip


def table(times: dict[str, np.ndarray], ratio: str) -> Table:
    shown = Table(f"medians of {len(next(iter(times.values())))} turns", "clock", "processors")
    for name, found in times.items():
        shown.add_row(name, *(median(found[:, column]) for column in (0, 1)))
    first, second = times.values()
    factor = second / first
    values = 100 * (factor - 1) if "%" in ratio else factor
    shown.add_row(ratio, *(median(values[:, column]) for column in (0, 1)))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("piece", choices=["gain", "store", "spectrum", "alone"])
    parser.add_argument("--seconds", type=float, default=60.0, help="of one worker")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
    console = Console(file=sys.stdout, width=100)
    pieces = {"gain": (gain, "one worker over all"), "store": (store, "overhead of the store, %"),
              "spectrum": (spectra, "one worker over all")}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        if given.piece == "alone":
            clock, cpu, chunks = alone(Path(folder))
            console.print(f"store of {chunks} chunks: {clock:.2f} s clock, {cpu:.2f} s processors")
            return
        work, ratio = pieces[given.piece]
        console.print(table(work(Path(folder), given.seconds, given.turns, given.workers), ratio))


if __name__ == "__main__":
    main()
