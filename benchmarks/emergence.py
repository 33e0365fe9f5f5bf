"""A large student in the engine, beside the matrix products that it cannot do without, in one run.

python -m benchmarks.emergence
"""

import time

import numpy as np
from rich.console import Console
from rich.table import Table

from sgdyson import simulate
from sgdyson.models import LowRankTeacher

SIDE, REPLICAS, UPDATES, TURNS = 256, 64, 40, 5


def clocks() -> np.ndarray:
    """Wall time, and time of all cores of this process."""
    return 1e6 * np.array([time.perf_counter(), time.process_time()])


def ours(batch: int) -> np.ndarray:
    """Microseconds an update of one replica."""
    student = LowRankTeacher([6.0, 3.0], (SIDE, SIDE))
    began = clocks()
    simulate(
        student, learning_rate=0.01, batch_size=batch, replicas=REPLICAS, updates=UPDATES,
        record_every=UPDATES, seed=0, progress=False,
    )  # fmt: skip
    return (clocks() - began) / REPLICAS / UPDATES


def products(batch: int) -> np.ndarray:
    """The error times the inputs, and that times their transpose, by BLAS on all cores."""
    random = np.random.default_rng(0)
    error = random.standard_normal((SIDE, SIDE))
    inputs = random.standard_normal((SIDE, min(batch, SIDE)))
    began = clocks()
    for _ in range(REPLICAS * UPDATES // 4):
        (error @ inputs) @ inputs.T
    return (clocks() - began) / (REPLICAS * UPDATES // 4)


def main() -> None:
    table = Table("batch", "sgdyson, us", "products, us", "times", "times, processors")
    for batch in (64, 256):
        ours(batch)  # compiles
        turns = np.array([(ours(batch), products(batch)) for _ in range(TURNS)])
        fast, slow = np.median(turns, axis=0)
        ratio = np.median(turns[:, 0] / turns[:, 1], axis=0)
        table.add_row(str(batch), f"{fast[0]:.0f}", f"{slow[0]:.0f}",
                      *(f"{part:.2f}" for part in ratio))  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
