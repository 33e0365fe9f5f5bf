"""Spectra of large matrices and of large checkpoints, beside plain programs, in one run.

python -m benchmarks.spectra [--sizes 2048 4096 8192] [--methods exact lanczos numpy] [--threads 1]
    [--gigabytes 0.8] [--folder PLACE]

First single matrices in bfloat16, noise with five spikes: exactly, by Lanczos, and plainly, all
singular values of the float64 matrix by NumPy, on one thread or on several, each size and method by
itself if so asked (at 8192 each takes minutes). Then a checkpoint, none if of 0 gigabytes: shards
with the shapes of LLaMA 7B: `sgdyson spectrum` killed half way and called again, the same by
Lanczos, and a plain loop over its tensors with safetensors and PyTorch. Seconds are those of
processors, which other programs change little; memory is that of all processes together.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from sgdyson.spectra import MatrixSpectrum, spectrum

METHODS = ("exact", "lanczos", "numpy")
SHAPES = {
    "self_attn.q_proj": (4096, 4096), "self_attn.k_proj": (4096, 4096),
    "self_attn.v_proj": (4096, 4096), "self_attn.o_proj": (4096, 4096),
    "mlp.gate_proj": (11008, 4096), "mlp.up_proj": (11008, 4096), "mlp.down_proj": (4096, 11008),
}  # fmt: skip
PLAIN = """
import sys
from pathlib import Path
import torch
from safetensors import safe_open
for path in sorted(Path(sys.argv[1]).glob("*.safetensors")):
    with safe_open(path, "pt") as file:
        for name in file.keys():
            tensor = file.get_tensor(name)
            if tensor.ndim == 2:
                torch.linalg.svdvals(tensor.double())
"""


def spiked(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """Noise with five spikes, the first a tenth above the edge, in bfloat16."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal((rows, columns), dtype=np.float32)
    left, right = (np.linalg.qr(random.standard_normal((n, 5)))[0] for n in (rows, columns))
    heights = np.linspace(1.1, 3, 5) * (rows**0.5 + columns**0.5)
    noise += ((left * heights) @ right.T).astype(np.float32)
    return (0.02 * noise).astype(ml_dtypes.bfloat16)


def seconds(work: Callable[[], MatrixSpectrum | None], threads: int) -> tuple[float, Any]:
    """Of the processor on one thread, by the clock on several."""
    clock = time.process_time if threads == 1 else time.perf_counter
    with threadpool_limits(threads):
        began = clock()
        found = work()
        return clock() - began, found


def plainly(matrix: np.ndarray) -> None:
    np.linalg.svd(matrix.astype(np.float64), compute_uv=False)


def matrices(sizes: list[int], methods: list[str], threads: int) -> Table:
    clock = "CPU seconds, one thread" if threads == 1 else f"seconds, {threads} threads"
    table = Table(
        "matrix", *METHODS, "exact/Lanczos", "outliers", "sigma differs",
        "effective rank differs, errors", "least/largest",
        title=f"One matrix in bfloat16, {clock}",
    )  # fmt: skip
    for size in sizes:
        matrix = spiked(size, size)
        programs: dict[str, Callable[[], Any]] = {
            "exact": lambda w=matrix: spectrum("w", w),
            "lanczos": lambda w=matrix: spectrum("w", w, method="lanczos"),
            "numpy": lambda w=matrix: plainly(w),
        }
        times, found = dict.fromkeys(METHODS, float("nan")), dict.fromkeys(METHODS)
        for method in methods:
            times[method], found[method] = seconds(programs[method], threads)
        one, other = found["exact"], found["lanczos"]
        ratio = f"{times['exact'] / times['lanczos']:.1f}"
        both = agreement(one, other) if one and other else ("", "", "")
        least = f"{one.singular_values[-1] / one.spectral:.0e}" if one else ""
        table.add_row(
            f"{size} x {size}", *(f"{t:.2f}" for t in times.values()), ratio, *both, least
        )
    return table


def agreement(one: MatrixSpectrum, other: MatrixSpectrum) -> tuple[str, str, str]:
    if not (one.bulk and other.bulk):
        return "no bulk", "", ""
    sigma = other.bulk.sigma.value / one.bulk.sigma.value - 1
    error = other.errors.effective_rank if other.errors else float("nan")
    off = (other.effective_rank - one.effective_rank) / error
    return f"{one.bulk.outliers}, {other.bulk.outliers}", f"{sigma:.0e}", f"{off:+.1f}"


def write_checkpoint(folder: Path, gigabytes: float) -> int:
    """Shards of one layer each; the number of matrices."""
    import torch
    from safetensors.torch import save_file

    entries = sum(rows * columns for rows, columns in SHAPES.values())
    layers = max(1, round(gigabytes * 1e9 / 2 / entries))
    for layer in range(layers):
        tensors = {}
        for number, (name, shape) in enumerate(SHAPES.items()):
            bits = spiked(*shape, seed=layer * len(SHAPES) + number).view(np.int16)
            tensors[f"model.layers.{layer}.{name}.weight"] = torch.from_numpy(bits).view(
                torch.bfloat16
            )
        save_file(tensors, folder / f"model-{layer + 1:05}-of-{layers:05}.safetensors")
    return layers * len(SHAPES)


def watched(*command: str, until: Callable[[], bool] | None = None) -> tuple[float, float, float]:
    """Seconds by the clock and of processors, and gigabytes, of a program and its children."""
    began, busy, most = time.perf_counter(), 0.0, 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        program = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                tree = [program, *program.children(recursive=True)]
                most = max(most, sum(each.memory_info().rss for each in tree))
                busy = max(busy, sum(sum(each.cpu_times()[:2]) for each in tree))
            except psutil.Error:
                continue
            if until and until():
                process.kill()
            time.sleep(0.1)
    return time.perf_counter() - began, busy, most / 1e9


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def checkpoint(folder: Path, gigabytes: float, *, plain: bool) -> Table:
    count, rows = write_checkpoint(folder, gigabytes), folder / "rows"
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e9
    ours = (sys.executable, "-m", "sgdyson", "spectrum", str(folder), "--json", os.devnull)
    table = Table(
        "program", "matrices", "clock, s", "processors, s", "memory, GB",
        title=f"{count} matrices of LLaMA 7B, {size:.2f} GB in bfloat16",
    )  # fmt: skip

    def add(label: str, done: int, times: tuple[float, float, float]) -> None:
        table.add_row(label, str(done), *(f"{time:.1f}" for time in times[:2]), f"{times[2]:.2f}")

    resume = ("--resume", str(rows))
    first = watched(*ours, *resume, until=lambda: lines(rows) > count // 2)
    done = lines(rows) - 1
    add("sgdyson spectrum, killed", done, first)
    add("the same command goes on", count - done, watched(*ours, *resume))
    add("sgdyson spectrum --method lanczos", count, watched(*ours, "--method", "lanczos"))
    if plain:
        add("safetensors and PyTorch, a loop", count,
            watched(sys.executable, "-c", PLAIN, str(folder)))  # fmt: skip
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[2048, 4096, 8192])
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    parser.add_argument("--threads", type=int, default=1, help="of BLAS, for single matrices")
    parser.add_argument(
        "--gigabytes", type=float, default=0.8, help="of the checkpoint; 0 for none"
    )
    parser.add_argument("--folder", type=Path, help="place for it, by default that of the system")
    parser.add_argument("--no-plain", action="store_true", help="no loop over the checkpoint")
    arguments = parser.parse_args()
    console = Console(file=sys.stdout, width=130)
    if arguments.sizes:
        console.print(matrices(arguments.sizes, arguments.methods, arguments.threads))
    if arguments.gigabytes:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            plain = not arguments.no_plain
            console.print(checkpoint(Path(folder), arguments.gigabytes, plain=plain))


if __name__ == "__main__":
    main()
