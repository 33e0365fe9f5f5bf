"""CPU seconds of a prediction, order by order, beside a run of the engine that knows as much.

python -m benchmarks.predictions [--most SECONDS] [--sizes 10 32 64] [--no-run]

The run begins at the fixed point, and measures <S> of every pair to 0.3 %, root mean square over
the pairs. A pilot of few replicas tells the error e that one of them leaves and the seconds that
its updates take, without those of compilation; the run needs (e/0.3 %)^2 of them. What takes longer
than `--most` is not run: the table has `~` before what the pilot says it would take.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr
from rich.console import Console
from rich.table import Table

from sgdyson import GaussianRBM, simulate
from sgdyson.spectra import multiplets, spacings
from sgdyson.stats import mean_over_replicas

SIZES = (10, 32, 64)
REPEATS = 3
RATE, BATCH = 0.1, 16
WANTED = 0.003  # of <S>
UPDATES, RECORDS = 7000, 100
PILOT = {10: 64, 32: 32, 64: 16}  # replicas


class Cost(NamedTuple):
    """What a run of the engine costs and knows.

    Attributes:
        seconds: of CPU, compilation included.
        replicas: of it.
        error: of <S>, relative, root mean square over the pairs.
        extrapolated: from the pilot, and not run.
    """

    seconds: float
    replicas: int
    error: float
    extrapolated: bool = False


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median of several calls."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)


def predicted(size: int) -> list[float]:
    """Of the leading order alone, and of all numbers to order 1 and to order 2."""
    model = GaussianRBM.scalar_field(size)
    return [
        seconds(lambda: model.predict(RATE, BATCH).leading.width),
        seconds(lambda: model.predict(RATE, BATCH).width),
        seconds(lambda: model.predict(RATE, BATCH).at_order(2).width),
    ]


def at_rest(size: int) -> GaussianRBM:
    """The paper's machine, at its fixed point."""
    kernel = GaussianRBM.scalar_field(size).target_kernel
    modes, vectors = np.linalg.eigh(kernel)
    rest = np.sqrt(9 - modes)[:, None] * vectors.T
    return GaussianRBM(kernel, rbm_mass=3.0, initial_weights=rest)


def run(model: GaussianRBM, replicas: int, updates: int = UPDATES) -> xr.Dataset:
    """A run, of which the first seventh is left out."""
    return simulate(
        model, learning_rate=RATE, batch_size=BATCH, replicas=replicas, updates=updates,
        record_every=max(updates // RECORDS, 1), record_from=updates // 7, seed=replicas,
        progress=False,
    )  # fmt: skip


def error_of(model: GaussianRBM, found: xr.Dataset) -> float:
    """Relative error of <S>, root mean square over the pairs."""
    levels = found.levels.values[~found.diverged.values]
    pairs = [g for g in multiplets(model.predict(RATE, BATCH).levels) if g.is_pair]
    means = [mean_over_replicas(spacings(levels, pair)) for pair in pairs]
    return math.sqrt(statistics.fmean((mean.error / mean.value) ** 2 for mean in means))


def measured(size: int, most: float) -> Cost:
    """What it takes to measure <S> to 0.3 %."""
    model = at_rest(size)
    few = PILOT.get(size, 16)
    began = time.process_time()
    run(model, few, 7)  # compiles
    compiles = time.process_time() - began
    began = time.process_time()
    pilot = run(model, few)
    each = (time.process_time() - began) / few
    error = error_of(model, pilot)
    replicas = math.ceil(few * (error / WANTED) ** 2)
    whole = compiles + each * replicas
    if whole > most:
        return Cost(whole, replicas, WANTED, extrapolated=True)
    began = time.process_time()
    found = run(at_rest(size), replicas)
    return Cost(time.process_time() - began, replicas, error_of(model, found))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-run", action="store_true", help="predictions alone")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="levels")
    parser.add_argument("--most", type=float, default=300.0, help="seconds of a run, at most")
    arguments = parser.parse_args()
    table = Table("N", "leading, s", "order 1, s", "order 2, s", "one run, s", "replicas", "error")
    for size in arguments.sizes:
        row = [f"{value:.3f}" for value in predicted(size)]
        if not arguments.no_run:
            cost = measured(size, arguments.most)
            about = "~" if cost.extrapolated else ""
            row += [f"{about}{cost.seconds:.0f}", f"{cost.replicas}", f"{cost.error:.2%}"]
        table.add_row(str(size), *row)
    Console().print(table)


if __name__ == "__main__":
    main()
