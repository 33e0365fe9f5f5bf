"""An update of large weights against the bare BLAS and LAPACK calls that it cannot do without.

python -m benchmarks.large

One replica in one thread, by the processor's clock: on a busy machine the sharper number. The bare
calls are SciPy's, in float64, one after the other, into memory that is there; random numbers, which
an update needs too, are NumPy's.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.linalg import blas, lapack
from threadpoolctl import threadpool_limits

from sgdyson import simulate
from sgdyson.engine.block import block_size
from sgdyson.models import GaussianRBM, Model, TeacherStudent

BATCH, TURNS = 16, 5
SWEEPS = 3


def bare_rbm(n: int) -> Callable[[], object]:
    """W^T W, A^2, A^3, the sum times A^3, W times the gradient; two factors; |B| chains."""
    random = np.random.default_rng(0)
    square = np.asfortranarray(random.normal(size=(n, n)) / n)
    kernel = np.asfortranarray(np.eye(n) * 3 + square @ square.T)
    chains = np.asfortranarray(random.normal(size=(n, BATCH)))

    def update() -> None:
        for _ in range(5):
            blas.dgemm(1.0, square, square)
        for _ in range(2):
            lapack.dpotrf(kernel, lower=1)
        for _ in range(2):
            blas.dgemm(1.0, square, chains)
        blas.dgemm(1.0, chains, chains, trans_b=True)
        random.standard_normal((n, BATCH))

    return update


def bare_student(n: int) -> Callable[[], object]:
    """The inputs' moment of |B| vectors, the error times it; the label noise."""
    random = np.random.default_rng(0)
    square = np.asfortranarray(random.normal(size=(n, n)))

    def update() -> None:
        inputs = np.asfortranarray(random.standard_normal((n, BATCH)))
        blas.dgemm(1.0, square, blas.dgemm(1.0, inputs, inputs, trans_b=True))
        random.standard_normal((n, n))

    return update


def cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def ours(model: Model, updates: int) -> float:
    """Seconds of an update of one replica: the difference of a long and a short run."""
    replicas = block_size(model, "cpu")

    def run(number: int) -> float:
        return cpu(lambda: simulate(
            model, learning_rate=0.02, batch_size=BATCH, replicas=replicas, updates=number,
            record_every=number, workers=1, seed=0, progress=False,
        ))  # fmt: skip

    return (run(11 * updates) - run(updates)) / (10 * updates * replicas)


def rows() -> list[tuple[str, Model, Callable[[], object], int]]:
    sizes = {64: 40, 128: 12, 256: 4}
    rbms = [
        (f"RBM N={n} k={SWEEPS}, collapsed", GaussianRBM.scalar_field(n, n, gibbs_sweeps=SWEEPS),
         bare_rbm(n), updates)
        for n, updates in sizes.items()
    ]  # fmt: skip
    student = TeacherStudent(np.linspace(1, 2, 256))
    return [*rbms, ("student N=256, online", student, bare_student(256), 8)]


def main() -> None:
    table = Table("one replica, |B| = 16", "block", "an update, us", "bare calls, us", "times")
    with threadpool_limits(1):
        for name, model, bare, updates in rows():
            ours(model, updates)  # compiles
            pairs = np.array([
                (ours(model, updates), cpu(lambda b=bare, u=updates: [b() for _ in range(5 * u)])
                 / (5 * updates))
                for _ in range(TURNS)
            ])  # fmt: skip
            own, plain = 1e6 * np.median(pairs, axis=0)
            ratio = np.median(pairs[:, 0] / pairs[:, 1])
            block = str(block_size(model, "cpu"))
            table.add_row(name, block, f"{own:.0f}", f"{plain:.0f}", f"{ratio:.2f}")
    Console(file=sys.stdout, width=100).print(table)


if __name__ == "__main__":
    main()
