"""The phase diagram's work against a plain NumPy loop over seeds, in one run.

python -m benchmarks.phase
"""

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


def clocks() -> np.ndarray:
    """Wall time, and time of all cores of this process, which a loaded machine changes less."""
    return 1e6 * np.array([time.perf_counter(), time.process_time()])


def plain(model: TwoLayerTeacher, batch: int) -> np.ndarray:
    """Microseconds an update, by both clocks: replica by replica, vectorised over the batch."""
    f, slope = functions(model.activation)
    A, b, teacher = model.inner_weights, model.outer_weights, model.teacher
    width = float(model.initial_width) / np.sqrt(teacher.shape[1])
    began = clocks()
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
    return (clocks() - began) / LOOPS / UPDATES


def ours(activation: str, batch: int) -> np.ndarray:
    """Microseconds an update of one replica: so many settings, all cores, levels recorded."""
    began = clocks()
    for setting in range(SETTINGS):
        simulate(
            TwoLayerTeacher(activation, initial_width=1 + setting / 10),
            learning_rate=ALPHA, batch_size=batch, replicas=REPLICAS, updates=UPDATES,
            record_every=EVERY, seed=setting, progress=False,
        )  # fmt: skip
    return (clocks() - began) / SETTINGS / REPLICAS / UPDATES


def main() -> None:
    table = Table("activation", "|B|", "sgdyson, us", "NumPy loop, us", "times faster", "a core")
    for activation in ("identity", "tanh", "relu"):
        for batch in BATCHES:
            ours(activation, batch)  # compiles
            pairs = [
                (ours(activation, batch), plain(TwoLayerTeacher(activation), batch))
                for _ in range(REPEATS)
            ]
            fast, slow = np.median(pairs, axis=0)
            ratios = (f"{ratio:.0f}" for ratio in slow / fast)
            table.add_row(activation, str(batch), f"{fast[0]:.2f}", f"{slow[0]:.1f}", *ratios)
    Console(file=sys.stdout, width=100).print(table)


if __name__ == "__main__":
    main()
