"""What watching costs, and the table of a checkpoint beside WeightWatcher, in one run.

python -m benchmarks.tracker [--peers PYTHON]

PYTHON is an interpreter that can import weightwatcher 0.7.7 and torch, in an environment of its
own. Needs PyTorch. Both sides of the second table run on one core.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
WEIGHTWATCHER = """
import sys, time, logging
import numpy as np, torch, weightwatcher
logging.disable(logging.CRITICAL)
torch.set_num_threads(1)
arrays = np.load(sys.argv[1])
layers = []
for name in arrays.files:
    layer = torch.nn.Linear(*arrays[name].shape[::-1], bias=False)
    layer.weight.data = torch.tensor(arrays[name], dtype=torch.float32)
    layers.append(layer)
model = torch.nn.Sequential(*layers)
began = time.perf_counter()
details = weightwatcher.WeightWatcher(model=model).analyze(mp_fit=True, randomize=True)
print("seconds", time.perf_counter() - began)
print("spikes", [int(n) for n in details["num_spikes"]])
"""
OURS = """
import sys, time
import numpy as np
from sgdyson.tracking import spectrum
arrays = np.load(sys.argv[1])
random = np.random.default_rng(0)
spectrum("warm", np.eye(64) + random.normal(size=(64, 64)), tail=True)
began = time.perf_counter()
found = []
for name in arrays.files:
    found.append(spectrum(name, arrays[name], tail=True, randomise=0))
print("seconds", time.perf_counter() - began)
print("spikes", [row.bulk.outliers for row in found])
"""


def matrices() -> dict[str, np.ndarray]:
    """4 x 768 x 768: noise, and noise with 1, 5 and 20 spikes above the threshold."""
    random = np.random.default_rng(0)
    found = {}
    for spikes in (0, 1, 5, 20):
        noise = 0.02 * random.standard_normal((768, 768))
        left, right = (np.linalg.qr(random.standard_normal((768, 20)))[0] for _ in range(2))
        strengths = 0.02 * 768**0.5 * np.linspace(2, 6, 20)[:spikes]
        found[f"w{spikes}"] = noise + (left[:, :spikes] * strengths) @ right[:, :spikes].T
    return found


def one_core(python: str, script: str, file: str) -> tuple[float, str]:
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    command = ["env", *(f"{name}=1" for name in threads), "taskset", "-c", "0", python, "-c",
               script, file]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return float("nan"), done.stderr.strip().splitlines()[-1][:60]
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith("s"))
    return float(lines["seconds"]), lines["spikes"]


def cost(steps: int = 300, rounds: int = 3) -> tuple[float, float]:
    """Seconds of training, without and with the tracker, in turns; the best of each."""
    import torch
    from torch.nn import functional

    sys.path.insert(0, str(ROOT / "examples"))
    from character_gpt import CharacterGPT, batch, corpus

    from sgdyson.tracking import SpectralTracker

    text, symbols = corpus()
    times: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(2 * rounds):
            watched = bool(turn % 2)
            torch.manual_seed(0)
            model = CharacterGPT(symbols)
            optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
            tracker = SpectralTracker(
                model, f"{folder}/{turn}", every=100, optimizer=optimizer, batch_size=16
            )
            began = time.perf_counter()
            for _ in range(steps):
                x, y = batch(text)
                optimizer.zero_grad()
                functional.cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()
                optimizer.step()
                if watched:
                    tracker.step()
            tracker.close()
            times[watched].append(time.perf_counter() - began)
    return min(times[False]), min(times[True])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="an interpreter with weightwatcher and torch")
    python = parser.parse_args().peers
    console = Console(file=sys.stdout, width=120)
    plain, watched = cost()
    table = Table("300 steps of a character GPT", "seconds", title="Cost, a record every 100 steps")
    table.add_row("plain", f"{plain:.2f}")
    table.add_row("watched", f"{watched:.2f}  ({watched / plain - 1:+.1%})")
    console.print(table)
    table = Table("4 matrices 768 x 768, one core", "seconds", "outliers (planted 0, 1, 5, 20)")
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/matrices.npz"
        np.savez(file, **matrices())
        for name, interpreter, script in (
            ("sgdyson", sys.executable, OURS), ("WeightWatcher 0.7.7", python, WEIGHTWATCHER)
        ):  # fmt: skip
            if interpreter:
                seconds, spikes = one_core(interpreter, script, file)
                table.add_row(name, f"{seconds:.2f}", spikes)
    console.print(table)


if __name__ == "__main__":
    main()
