"""A large student in the engine, beside the matrix products that it cannot do without, in one run.

python -m benchmarks.emergence
"""

import time

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from sgdyson import simulate
from sgdyson.models import LowRankTeacher

SIDE, REPLICAS, UPDATES, TURNS = 256, 64, 40, 5


def ours(batch: int) -> float:
    """Microseconds of processors for an update of one replica, all cores at work."""
    student = LowRankTeacher([6.0, 3.0], (SIDE, SIDE))
    began = time.process_time()
    simulate(
        student, learning_rate=0.01, batch_size=batch, replicas=REPLICAS, updates=UPDATES,
        record_every=UPDATES, seed=0, progress=False,
    )  # fmt: skip
    return 1e6 * (time.process_time() - began) / REPLICAS / UPDATES


def products(batch: int) -> float:
    """The error times the inputs, and that times their transpose, by BLAS, one thread."""
    random, number = np.random.default_rng(0), REPLICAS * UPDATES // 4
    error = random.standard_normal((SIDE, SIDE))
    inputs = random.standard_normal((SIDE, min(batch, SIDE)))
    with threadpool_limits(1):
        began = time.process_time()
        for _ in range(number):
            (error @ inputs) @ inputs.T
        return 1e6 * (time.process_time() - began) / number


def main() -> None:
    table = Table("batch", "sgdyson, us", "products, us", "times", "lowest to highest")
    for batch in (64, 256):
        ours(batch)  # compiles
        turns = np.array([(ours(batch), products(batch)) for _ in range(TURNS)])
        ratios = turns[:, 0] / turns[:, 1]
        table.add_row(
            str(batch), *(f"{part:.0f}" for part in np.median(turns, axis=0)),
            f"{np.median(ratios):.2f}", f"{ratios.min():.2f} to {ratios.max():.2f}",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
