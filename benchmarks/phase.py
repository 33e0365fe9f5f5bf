"""The phase diagram's work against a plain NumPy loop over seeds, in one run.

python -m benchmarks.phase
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from sgdyson import simulate
from sgdyson.models import TwoLayerTeacher

BATCHES = (4, 16)
SETTINGS, REPLICAS, UPDATES, EVERY = 6, 256, 2016, 21  # a chunk of 128 for each of two cores
ALPHA, REPEATS, LOOPS = 0.1, 3, 10


def functions(activation: str) -> tuple[Callable, Callable]:
    """The activation and its derivative, the latter from its value."""
    return {
        "identity": (lambda z: z, np.ones_like),
        "tanh": (np.tanh, lambda f: 1 - f * f),
        "relu": (lambda z: np.maximum(z, 0), lambda f: f > 0),
    }[activation]


def plain(model: TwoLayerTeacher, batch: int) -> float:
    """Microseconds an update: one replica after another, vectorised over the mini-batch."""
    f, slope = functions(model.activation)
    A, b, teacher = model.inner_weights, model.outer_weights, model.teacher
    width = float(model.initial_width) / np.sqrt(teacher.shape[1])
    began = time.perf_counter()
    for seed in range(LOOPS):
        generator = np.random.default_rng(seed)
        W = width * generator.standard_normal(teacher.shape)
        levels = [np.linalg.svd(W, compute_uv=False)]
        for update in range(1, UPDATES + 1):
            x = generator.standard_normal((batch, 3))
            hidden = f(x @ A.T)
            student = f(hidden @ W.T)
            error = (student - f(hidden @ teacher.T)) @ b
            W = W - ALPHA / batch * (error[:, None] * b * slope(student)).T @ hidden
            if not np.isfinite(W).all():
                break
            if update % EVERY == 0:
                levels.append(np.linalg.svd(W, compute_uv=False))
    return (time.perf_counter() - began) / LOOPS / UPDATES * 1e6


def ours(activation: str, batch: int) -> float:
    """Microseconds an update of one replica: so many settings, all cores, levels recorded."""
    began = time.perf_counter()
    for setting in range(SETTINGS):
        simulate(
            TwoLayerTeacher(activation, initial_width=1 + setting / 10),
            learning_rate=ALPHA, batch_size=batch, replicas=REPLICAS, updates=UPDATES,
            record_every=EVERY, seed=setting, progress=False,
        )  # fmt: skip
    return (time.perf_counter() - began) / SETTINGS / REPLICAS / UPDATES * 1e6


def main() -> None:
    table = Table("activation", "|B|", "sgdyson, us", "NumPy loop, us", "times faster")
    for activation in ("identity", "tanh", "relu"):
        for batch in BATCHES:
            ours(activation, batch)  # compiles
            pairs = [
                (ours(activation, batch), plain(TwoLayerTeacher(activation), batch))
                for _ in range(REPEATS)
            ]
            fast, slow = (statistics.median(column) for column in zip(*pairs, strict=True))
            table.add_row(
                activation, str(batch), f"{fast:.2f}", f"{slow:.1f}", f"{slow / fast:.0f}"
            )
    Console(file=sys.stdout, width=100).print(table)


if __name__ == "__main__":
    main()
