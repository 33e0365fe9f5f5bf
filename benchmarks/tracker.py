"""What watching costs, and the table of a checkpoint beside WeightWatcher, in one run.

python -m benchmarks.tracker [--peers PYTHON] [--only gpt2] [--layers 2] [--turns 3]

PYTHON is an interpreter that can import weightwatcher 0.7.7 and torch, in an environment of its
own. Needs PyTorch. Both sides of the last tables run on one core, in turns; the time is that of the
CPU, which other programs of the machine change little.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

CORE = "0"
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
began = time.process_time()
details = weightwatcher.WeightWatcher(model=model).analyze(mp_fit=True, randomize=True)
print("seconds", time.process_time() - began)
print("spikes", [int(n) for n in details["num_spikes"]])
"""
OURS = """
import sys, time
import numpy as np
from sgdyson.tracking import spectrum
arrays = dict(np.load(sys.argv[1]))
settings = {"tail": True, "tail_draws": int(sys.argv[2]), "randomise": 0}
spectrum("warm", np.random.default_rng(0).normal(size=(99, 99)), **settings)
began = time.process_time()
found = [spectrum(name, array, **settings) for name, array in arrays.items()]
print("seconds", time.process_time() - began)
print("spikes", [row.bulk.outliers for row in found])
"""


def planted() -> dict[str, np.ndarray]:
    """4 x 768 x 768: noise, and noise with 1, 5 and 20 spikes, the first barely above the edge.

    A spike of strength t, in units of the noise's sigma sqrt(n), stands at t + 1/t, the edge at 2.
    """
    random = np.random.default_rng(0)
    found = {}
    for spikes in (0, 1, 5, 20):
        noise = 0.02 * random.standard_normal((768, 768))
        left, right = (np.linalg.qr(random.standard_normal((768, 20)))[0] for _ in range(2))
        strengths = 0.02 * 768**0.5 * np.linspace(1.25, 4, 20)[:spikes]
        found[f"w{spikes}"] = noise + (left[:, :spikes] * strengths) @ right[:, :spikes].T
    return found


def trained(steps: int = 40) -> dict[str, np.ndarray]:
    """4 x 768 x 768: attention of a character GPT with one block of that width."""
    import torch
    from torch.nn import functional

    gpt = example()
    gpt.WIDTH, gpt.HEADS, gpt.BLOCKS = 768, 12, 1
    torch.manual_seed(0)
    text, symbols = gpt.corpus()
    model = gpt.CharacterGPT(symbols)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for _ in range(steps):
        x, y = gpt.batch(text)
        optimizer.zero_grad()
        functional.cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()
        optimizer.step()
    return {
        name: p.detach().double().numpy()
        for name, p in model.named_parameters()
        if p.shape == (768, 768)
    }


def gpt2(layers: int) -> dict[str, np.ndarray]:
    """Shapes of GPT-2 small without embeddings, 4 matrices a layer, as it is initialised."""
    random = np.random.default_rng(0)
    shapes = ((768, 2304), (768, 768), (768, 3072), (3072, 768))
    return {
        f"h{layer}_{i}": 0.02 * random.standard_normal(shape)
        for layer in range(layers)
        for i, shape in enumerate(shapes)
    }


def example() -> Any:
    """A fresh module of the example, whose sizes may be changed."""
    spec = importlib.util.spec_from_file_location("gpt", ROOT / "examples" / "character_gpt.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def one_core(python: str, script: str, *arguments: str) -> tuple[float, str]:
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    command = ["env", *(f"{name}=1" for name in threads), "taskset", "-c", CORE, python, "-c",
               script, *arguments]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return float("nan"), done.stderr.strip().splitlines()[-1][:60]
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith("s"))
    return float(lines["seconds"]), lines["spikes"]


def cost(steps: int = 1000, **settings: Any) -> tuple[float, float]:
    """CPU seconds of training alone, and of everything else: the tracker in all its threads."""
    import torch
    from torch.nn import functional

    from sgdyson.tracking import SpectralTracker

    torch.set_num_threads(1)
    torch.manual_seed(0)
    gpt = example()
    text, symbols = gpt.corpus()
    model = gpt.CharacterGPT(symbols)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    training, began = 0.0, time.process_time()
    with (
        tempfile.TemporaryDirectory() as folder,
        SpectralTracker(
            model, f"{folder}/run.zarr", optimizer=optimizer, batch_size=gpt.BATCH, **settings
        ) as tracker,
    ):
        for _ in range(steps):
            start = time.thread_time()
            x, y = gpt.batch(text)
            optimizer.zero_grad()
            functional.cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()
            optimizer.step()
            training += time.thread_time() - start
            tracker.step()
    return training, time.process_time() - began - training


def small_matrices(size: int, records: int = 60) -> tuple[float, float]:
    """CPU seconds a record of 150 matrices takes, and their decompositions alone."""
    from sgdyson.spectra import singular_values
    from sgdyson.tracking import Tracker

    random = np.random.default_rng(0)
    weights = {f"layer{i}": random.standard_normal((size, size)) for i in range(150)}
    runs = [{n: w + 1e-3 * step for n, w in weights.items()} for step in range(records)]
    began = time.process_time()
    for matrices in runs:
        for matrix in matrices.values():
            singular_values(matrix)
    alone = time.process_time() - began
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        with Tracker(f"{folder}/run.zarr", every=1) as tracker:
            for step, matrices in enumerate(runs):
                tracker.update(step, matrices)
        taken = time.process_time() - began
    return taken / records, alone / records


def large_run(records: int, size: int = 64) -> tuple[int, float, float, float, float]:
    """Files of a run of 150 matrices; CPU seconds to open it, and to make its page; megabytes."""
    from sgdyson.tracking import Tracker, open_run, write_run_report

    random = np.random.default_rng(0)
    weights = {f"block{i}.attention": random.standard_normal((size, size)) for i in range(150)}
    with tempfile.TemporaryDirectory() as folder:
        with Tracker(f"{folder}/run.zarr", every=1, learning_rate=0.1, batch_size=8) as tracker:
            for step in range(records):
                tracker.update(step, weights)
                weights = {
                    n: w + 0.01 * random.standard_normal(w.shape) for n, w in weights.items()
                }
        store, page = Path(folder, "run.zarr"), Path(folder, "page.html")
        began = time.process_time()
        run = open_run(store)
        opened = time.process_time()
        write_run_report(page, run, "large")
        written = time.process_time()
        files = [file for file in store.rglob("*") if file.is_file()]
        return (
            len(files), sum(file.stat().st_size for file in files) / 1e6,
            opened - began, written - opened, page.stat().st_size / 1e6,
        )  # fmt: skip


def training_table() -> Table:
    table = Table(
        "1000 steps of a character GPT", "training, s", "watching, s", title="CPU seconds"
    )
    settings: dict[str, dict[str, Any]] = {
        "every = 100, the default": {},
        'every = "burst", dynamics = True': {"every": "burst", "dynamics": True},
        "every = 100, vectors = 8": {"vectors": 8},
    }
    for label, chosen in settings.items():
        training, watching = cost(**chosen)
        table.add_row(label, f"{training:.2f}", f"{watching:.2f}  ({watching / training:.1%})")
    return table


def records_table() -> Table:
    table = Table("150 matrices", "a record", "its decompositions", title="CPU milliseconds")
    for size in (16, 32, 64):
        record, alone = small_matrices(size)
        ratio = f"{1e3 * record:.1f}  ({record / alone:.1f} times)"
        table.add_row(f"{size} x {size}", ratio, f"{1e3 * alone:.1f}")
    return table


def run_table() -> Table:
    table = Table(
        "150 matrices of 64 x 64", "files", "store, MB", "open_run, s", "page, s", "page, MB",
        title="A long run, CPU seconds",
    )  # fmt: skip
    for records in (200, 2000):
        files, size, opened, written, page = large_run(records)
        row = f"{size:.0f}", f"{opened:.2f}", f"{written:.1f}", f"{page:.1f}"
        table.add_row(f"{records} records", str(files), *row)
    return table


def spectra_table(arrays: dict[str, np.ndarray], label: str, peer: str | None, turns: int) -> Table:
    table = Table(label, "CPU seconds", "outliers", title=f"The table, one core, {turns} turns")
    for row in compare(arrays, peer, turns):
        table.add_row(*row)
    return table


def compare(
    arrays: dict[str, np.ndarray], peer: str | None, turns: int
) -> Iterator[tuple[str, str, str]]:
    """Medians over the turns, and the lowest and the highest ratio within one."""
    programs = {"sgdyson": (sys.executable, OURS, "0"),
                "sgdyson, p-value of the tail too": (sys.executable, OURS, "100")}  # fmt: skip
    if peer:
        programs["WeightWatcher 0.7.7"] = (peer, WEIGHTWATCHER)
    times: dict[str, list[float]] = {name: [] for name in programs}
    spikes = {}
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/matrices.npz"
        np.savez(file, **arrays)  # type: ignore[arg-type]
        for _ in range(turns):
            for name, (python, script, *draws) in programs.items():
                taken, spikes[name] = one_core(python, script, file, *draws)
                times[name].append(taken)
    for name, taken_all in times.items():
        ratios = np.array(taken_all) / np.array(times["sgdyson"])
        beside = f"  ({np.median(ratios):.1f} times, {ratios.min():.1f} to {ratios.max():.1f})"
        yield name, f"{np.median(taken_all):.2f}{beside if name != 'sgdyson' else ''}", spikes[name]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="an interpreter with weightwatcher and torch")
    parser.add_argument("--layers", type=int, default=2, help="of GPT-2 small, which has 12")
    parser.add_argument("--turns", type=int, default=3, help="of both programs of the last tables")
    parser.add_argument("--only", nargs="*", help="training, records, run, planted, trained, gpt2")
    arguments = parser.parse_args()
    peer, layers, turns = arguments.peers, arguments.layers, arguments.turns
    parts: dict[str, Callable[[], Table]] = {
        "training": training_table,
        "records": records_table,
        "run": run_table,
        "planted": lambda: spectra_table(planted(), "4 x 768 x 768, planted", peer, turns),
        "trained": lambda: spectra_table(trained(), "4 x 768 x 768, trained", peer, turns),
        "gpt2": lambda: spectra_table(
            gpt2(layers), f"GPT-2 small, {4 * layers} of its 48 matrices", peer, turns
        ),
    }
    console = Console(file=sys.stdout, width=120)
    for name in arguments.only or parts:
        console.print(parts[name]())


if __name__ == "__main__":
    main()
