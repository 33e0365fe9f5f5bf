"""Ensembles of perceptrons beside a PyTorch loop over the same replicas, on one core, in one run.

python -m benchmarks.networks

A 64-32-10 perceptron on scikit-learn's digits, plain SGD, mini-batches drawn with replacement.
Needs PyTorch and scikit-learn. Times are those of the processor, which others on the machine
disturb less than the clock's; the two sides take turns, and medians over the turns are shown. What
is compiled, and what is made before the first update, is left out.
"""

import argparse
import os
import statistics
import time

import numpy as np
from rich.console import Console
from rich.table import Table

REPLICAS = 256


def ours(batch: int, updates: int) -> float:
    """Microseconds an update of one replica, whole engine, 256 replicas."""
    from sgdyson import simulate
    from sgdyson.models import MLP

    model = MLP.digits(hidden=(32,))

    def seconds(number: int) -> float:
        began = time.process_time()
        simulate(model, learning_rate=0.1, batch_size=batch, replicas=REPLICAS, updates=number,
                 record_every=number, seed=0, workers=1, progress=False)  # fmt: skip
        return time.process_time() - began

    seconds(1)
    return (seconds(updates) - seconds(1)) / (updates - 1) / REPLICAS * 1e6


def torch_loop(batch: int, updates: int, replicas: int) -> float:
    """The same of a loop over replicas; it does not depend on how many there are."""
    import torch
    from sklearn.datasets import load_digits
    from torch.nn import Linear, Sequential, Tanh, functional

    torch.set_num_threads(1)
    inputs, targets = load_digits(return_X_y=True)
    x = torch.tensor(inputs / 16, dtype=torch.float32)
    y = torch.tensor(np.asarray(targets))
    spent = 0.0
    for replica in range(replicas):
        torch.manual_seed(replica)
        network = Sequential(Linear(64, 32), Tanh(), Linear(32, 10))
        optimizer = torch.optim.SGD(network.parameters(), 0.1)
        began = time.process_time()
        for _ in range(updates):
            rows = torch.randint(len(x), (batch,))
            optimizer.zero_grad()
            functional.cross_entropy(network(x[rows]), y[rows]).backward()
            optimizer.step()
        spent += time.process_time() - began
    return spent / updates / replicas * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    table = Table("batch", "sgdyson, us", "PyTorch loop, us", "times faster", "from ... to",
                  title="One update of one perceptron, one core")  # fmt: skip
    for batch in (16, 64):
        torch_loop(batch, 20, 1)
        pairs = [(ours(batch, 200), torch_loop(batch, 100, 16)) for _ in range(turns)]
        ratios = sorted(theirs / mine for mine, theirs in pairs)
        mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        cells = mine, theirs, statistics.median(ratios)
        table.add_row(str(batch), *(f"{cell:.1f}" for cell in cells),
                      f"{ratios[0]:.1f} to {ratios[-1]:.1f}")  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
