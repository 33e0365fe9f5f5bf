"""Microseconds an update of one replica, whole engine, beside a plain NumPy loop, in one run.

python -m benchmarks [--markdown FILE]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

REPEATS = 5
CASES = {
    "RBM N=10 k=3, collapsed, |B|=16": ("rbm", "collapsed", 16, 256, 4000),
    "RBM N=10 k=3, collapsed, |B|=64": ("rbm", "collapsed", 64, 256, 4000),
    "RBM N=10 k=3, independent, |B|=16": ("rbm", "independent", 16, 256, 4000),
    "RBM N=10 k=3, gibbs, |B|=16": ("rbm", "gibbs", 16, 256, 1000),
    "RBM N=10 k=3, gibbs, |B|=64": ("rbm", "gibbs", 64, 256, 500),
    "teacher-student N=2, online, |B|=16": ("teacher", "", 16, 4096, 4000),
}


def child(case: str, cores: int) -> dict:
    """Times of one case on so many cores, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks", "--case", case, "--cores", str(cores)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def time_case(case: str, cores: int) -> dict:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    from sgdyson import GaussianRBM, TeacherStudent, simulate

    kind, sampler, batch, replicas, updates = CASES[case]
    model = GaussianRBM.scalar_field(10, 10, sampler=sampler) if kind == "rbm" else TeacherStudent()

    def run(updates: int) -> float:
        began = time.perf_counter()
        simulate(model, learning_rate=0.1, batch_size=batch, replicas=replicas, updates=updates,
                 record_every=updates, seed=0, progress=False)  # fmt: skip
        return time.perf_counter() - began

    first = run(1)
    times = [run(updates) / updates / replicas * 1e6 for _ in range(REPEATS)]
    return {"compile": first, "microseconds": statistics.median(times)}


def numpy_rbm(batch: int, updates: int = 300) -> float:
    """One replica, chain by chain and sweep by sweep, as published codes do it."""
    from sgdyson.models import scalar_field_kernel

    generator = np.random.default_rng(0)
    target = np.linalg.inv(scalar_field_kernel(10, 2.0))
    weights = 0.1 * generator.standard_normal((10, 10))
    phi = np.ones((batch, 10))
    began = time.perf_counter()
    for _ in range(updates):
        for _ in range(3):
            hidden = np.stack([weights @ x for x in phi]) + generator.standard_normal((batch, 10))
            phi = np.stack([weights.T @ h for h in hidden]) / 9
            phi += generator.standard_normal((batch, 10)) / 3
        average = sum(np.outer(x, x) for x in phi) / batch
        weights = weights + 0.1 * weights @ (target - average)
    return (time.perf_counter() - began) / updates * 1e6


def numpy_teacher(batch: int, updates: int = 3000) -> float:
    """One replica, input by input."""
    generator = np.random.default_rng(0)
    teacher, weights = 2 * np.eye(2), 0.1 * generator.standard_normal((2, 2))
    began = time.perf_counter()
    for _ in range(updates):
        gradient = np.zeros((2, 2))
        for _ in range(batch):
            x = generator.standard_normal(2)
            noise = 0.1 * generator.standard_normal((2, 2))
            gradient += np.outer((teacher - weights) @ x, x) + (noise + noise.T) / np.sqrt(2)
        weights = weights + 0.1 * gradient / batch
    return (time.perf_counter() - began) / updates * 1e6


def rows() -> list[list[str]]:
    found = []
    for case in track(CASES, description="timing", console=Console(stderr=True)):
        kind, _, batch, _, _ = CASES[case]
        one, two = child(case, 1), child(case, 2)
        plain = statistics.median(
            (numpy_rbm if kind == "rbm" else numpy_teacher)(batch) for _ in range(3)
        )
        speed = one["microseconds"]
        found.append([
            case, f"{speed:.2f}", f"{two['microseconds']:.2f}",
            f"{speed / two['microseconds']:.2f}", f"{one['compile']:.1f}", f"{plain:.0f}",
            f"{plain / speed:.0f}",
        ])  # fmt: skip
    return found


HEADS = ["case", "one core, us", "two cores, us", "gain", "first call, s", "NumPy loop, us",
         "times faster"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(time_case(arguments.case, arguments.cores)))
        return
    found = rows()
    table = Table(*HEADS, title=f"One update of one replica; {platform.processor() or 'CPU'}")
    table.columns[0].no_wrap = True
    for row in found:
        table.add_row(*row)
    Console().print(table)
    if arguments.markdown:
        lines = [HEADS, ["---"] + ["---:"] * (len(HEADS) - 1), *found]
        text = "\n".join("| " + " | ".join(cells).replace("|B|", "B") + " |" for cells in lines)
        arguments.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
