"""CPU seconds of a prediction, order by order, beside a run of the engine that knows as much.

python -m benchmarks.predictions [--no-run]

The run: 512 replicas of 7000 updates, from the fixed point on, which measure <S> to 0.3 %.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from sgdyson import GaussianRBM, simulate

SIZES = (10, 32, 64)
REPEATS = 3


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
        seconds(lambda: model.predict(0.1, 16).leading.width),
        seconds(lambda: model.predict(0.1, 16).width),
        seconds(lambda: model.predict(0.1, 16).at_order(2).width),
    ]


def run(size: int) -> float:
    """The engine, compilation included."""
    kernel = GaussianRBM.scalar_field(size).target_kernel
    modes, vectors = np.linalg.eigh(kernel)
    rest = np.sqrt(9 - modes)[:, None] * vectors.T
    model = GaussianRBM(kernel, rbm_mass=3.0, initial_weights=rest)
    return seconds(
        lambda: simulate(model, learning_rate=0.1, batch_size=16, replicas=512, updates=7000,
                         record_every=70, seed=0, progress=False),
        repeats=1,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-run", action="store_true", help="predictions alone")
    arguments = parser.parse_args()
    table = Table("N", "leading, s", "order 1, s", "order 2, s", "one run, s")
    for size in SIZES:
        times = [f"{value:.3f}" for value in predicted(size)]
        measured = size > SIZES[0] or arguments.no_run
        table.add_row(str(size), *times, "" if measured else f"{run(size):.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
