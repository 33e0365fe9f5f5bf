"""An update of large weights against the bare BLAS and LAPACK calls that it cannot do without.

python -m benchmarks.large [--cores] [--sizes 64 128 256] [--turns 5]

With --cores: blocks that hold one replica, of weights of 512 x 512, on one core and on all, by the
clock and in turns, with the processors' seconds of the busiest and of the idlest thread, and the
memory of the process. Without it: one replica in one thread, by the processor's clock, on a busy
machine the sharper number. The bare calls are SciPy's, in float64, one after the other, into memory
that is there; random numbers, which an update needs too, are NumPy's.
"""

import argparse
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table
from scipy.linalg import blas, lapack
from threadpoolctl import threadpool_limits

from sgdyson import simulate
from sgdyson._threads import cores
from sgdyson.engine.block import block_size
from sgdyson.models import GaussianRBM, Model, TeacherStudent

BATCH, SWEEPS = 16, 3


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


def rows(sizes: list[int]) -> list[tuple[str, Model, Callable[[], object], int]]:
    rbms = [
        (f"RBM N={n} k={SWEEPS}, collapsed", GaussianRBM.scalar_field(n, n, gibbs_sweeps=SWEEPS),
         bare_rbm(n), max(4, 160 * 64**2 // (4 * n**2)))
        for n in sizes
    ]  # fmt: skip
    student = TeacherStudent(np.linspace(1, 2, 256))
    return [*rbms, ("student N=256, online", student, bare_student(256), 8)]


def one_thread(sizes: list[int], turns: int) -> Table:
    table = Table("one replica, |B| = 16", "block", "an update, us", "bare calls, us", "times")
    for name, model, bare, updates in rows(sizes):
        ours(model, updates)  # compiles
        pairs = np.array([
            (ours(model, updates), cpu(lambda b=bare, u=updates: [b() for _ in range(5 * u)])
             / (5 * updates))
            for _ in range(turns)
        ])  # fmt: skip
        own, plain = 1e6 * np.median(pairs, axis=0)
        ratio = np.median(pairs[:, 0] / pairs[:, 1])
        block = str(block_size(model, "cpu"))
        table.add_row(name, block, f"{own:.0f}", f"{plain:.0f}", f"{ratio:.2f}")
    return table


def thread_times() -> dict[int, float]:
    """Processors' seconds of each thread of this process; those of XLA do the work."""
    return {each.id: each.user_time + each.system_time for each in psutil.Process().threads()}


def every_core(turns: int, n: int = 512) -> Table:
    models: dict[str, tuple[Model, int]] = {
        f"RBM N={n}": (GaussianRBM.scalar_field(n, n, initial_width=0.01), 32),
        f"student N={n}": (TeacherStudent(np.linspace(1, 2, n)), 160),
    }
    replicas = 2 * cores()
    table = Table(f"{replicas} replicas, a block each", "one core, s", f"{cores()} cores, s",
                  "gain", "busiest and idlest thread, s", "memory, MB")  # fmt: skip
    for name, (model, updates) in models.items():
        assert block_size(model, "cpu") == 1
        times = defaultdict(list)
        for turn in range(turns + 1):  # the first of which compiles
            for workers in (1, cores())[:: 1 - 2 * (turn % 2)]:
                before, began = thread_times(), time.perf_counter()
                simulate(model, learning_rate=0.02, batch_size=BATCH, replicas=replicas,
                         updates=updates, record_every=updates, workers=workers, seed=0,
                         progress=False)  # fmt: skip
                if turn:
                    times[workers].append(time.perf_counter() - began)
                if workers > 1:
                    spent = [now - before.get(t, 0.0) for t, now in thread_times().items()]
                    threads = sorted(spent)[-workers:]
        one, every = np.array(times[1]), np.array(times[cores()])
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        table.add_row(name, f"{np.median(one):.2f}", f"{np.median(every):.2f}",
                      f"{np.median(one / every):.2f}", f"{threads[-1]:.2f}, {threads[0]:.2f}",
                      f"{memory:.0f}")  # fmt: skip
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", action="store_true", help="blocks of one replica on all cores")
    parser.add_argument("--sizes", type=int, nargs="*", default=[64, 128, 256])
    parser.add_argument("--turns", type=int, default=5)
    given = parser.parse_args()
    with threadpool_limits(1):
        table = every_core(given.turns) if given.cores else one_thread(given.sizes, given.turns)
    Console(file=sys.stdout, width=100).print(table)


if __name__ == "__main__":
    main()
