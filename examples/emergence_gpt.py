"""Which modes of a character GPT step out of the noise first, and what the first of them is.

    python examples/emergence_gpt.py [--steps 200] [--seeds 3] [--out emergence-gpt]

Needs PyTorch. Every matrix begins as noise of one variance. For each the first outlier that stays
is timed, its vectors' persistence told, and from checkpoints the step from which on they are half
what they end as. The first left vector of the output layer is held against the frequencies of
characters.
"""

import argparse
import collections
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from character_gpt import BATCH, CharacterGPT, batch, corpus
from torch.nn import functional

from sgdyson.stats import mean_over_replicas
from sgdyson.tracking import (
    Detachment,
    Emergence,
    Run,
    SpectralTracker,
    emergence,
    emergence_of_checkpoints,
    open_run,
)

EVERY, SAVED = 2, 10
SHOWN = ("head.weight", "blocks.0.down.weight", "blocks.1.value.weight")


def train(folder: Path, text: torch.Tensor, symbols: int, steps: int, seed: int) -> CharacterGPT:
    """A run, with its store and its checkpoints in a folder."""
    torch.manual_seed(seed)
    model = CharacterGPT(symbols)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    saved = folder / "checkpoints"
    saved.mkdir(parents=True)
    with SpectralTracker(
        model, folder / "run.zarr", EVERY, optimizer=optimizer, batch_size=BATCH, vectors=8
    ) as tracker:
        for step in range(steps):
            if step % SAVED == 0:
                torch.save(model.state_dict(), saved / f"step{step}.pt")
            x, y = batch(text)
            loss = functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.step()
    torch.save(model.state_dict(), saved / f"step{steps}.pt")
    print(f"seed {seed}: loss {loss.item():.3f}")
    return model


def first(found: dict[str, Emergence], kind: str) -> Detachment | None:
    """The first outlier that stays, among all matrices of a kind."""
    stays = [
        one for name, each in found.items() if kind_of(name) == kind
        for one in each.detachments if one.back is None
    ]  # fmt: skip
    return min(stays, key=lambda one: one.step.value, default=None)


def frequency_overlap(model: CharacterGPT, text: torch.Tensor) -> float:
    """Squared, of the output's first left vector and the logarithms of frequencies, centred."""
    weights = model.head.weight.detach().numpy()
    vector = np.linalg.svd(weights)[0][:, 0]
    counts = np.bincount(text.numpy(), minlength=len(vector)).astype(float)
    # with no context the best output is the logarithm of the frequency
    return float(np.corrcoef(vector, np.log(counts))[0, 1] ** 2)


def kind_of(name: str) -> str:
    """Of a matrix, without the number of its block."""
    return name.removesuffix(".weight").split(".")[-1]


def draw(path: Path, run: Run, found: dict[str, Emergence]) -> None:
    """Largest levels over the band of noise, of some matrices."""
    figure, panels = plt.subplots(1, len(SHOWN), figsize=(11, 3.4), layout="constrained")
    for axes, name in zip(panels, SHOWN, strict=True):
        one = found[name]
        axes.fill_between(one.steps, *one.band.T, color="0.8", label="largest level of noise, 90 %")
        axes.plot(one.steps, one.edge, "k--", lw=1, label="edge of the bulk")
        axes.plot(one.steps, run.values(name)[:, :6], color="#0072B2", lw=1)
        for mode in one.detachments:
            if mode.back is None and mode.rank <= 6:
                axes.axvline(mode.step.value, color="#D55E00", lw=0.8, alpha=0.6)
        axes.set(title=name.removesuffix(".weight"), xlabel="step")
    panels[0].set_ylabel("singular value")
    panels[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=160)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("emergence-gpt"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    text, symbols = corpus()
    times, settled, kept = (collections.defaultdict[str, list[float]](list) for _ in range(3))
    overlaps = []
    for seed in range(arguments.seeds):
        folder = arguments.out / str(seed)
        model = train(folder, text, symbols, arguments.steps, seed)
        overlaps.append(frequency_overlap(model, text))
        run = Run(open_run(folder / "run.zarr"))
        found = {name: emergence(run, name) for name in run.names}
        ends = emergence_of_checkpoints(folder / "checkpoints")
        for kind in dict.fromkeys(map(kind_of, found)):
            mode, end = first(found, kind), first(ends, kind)
            times[kind].append(mode.step.value if mode else np.inf)
            kept[kind].append(mode.persistence[0].value if mode and mode.persistence else np.inf)
            settled[kind].append(end.settled.value if end and end.settled else np.inf)
        if seed == 0:
            draw(arguments.out / "emergence-gpt.png", run, found)
    print("matrix: step at which its first mode is out; from which on it is half what it ends as")
    for name in sorted(times, key=lambda name: np.mean(times[name])):
        print(f"  {name}: {told(times[name])}; {told(settled[name])}; keeps {told(kept[name])}")
    print(f"first left vector of the output, with the logarithm of frequencies: {told(overlaps)}")


def told(values: list[float]) -> str:
    """The mean over seeds with its error, or how many of them there are."""
    there = [value for value in values if np.isfinite(value)]
    if len(there) < len(values):
        return f"in {len(there)} of {len(values)}"
    return str(mean_over_replicas(values)) if len(values) > 1 else f"{values[0]:.3g}"


if __name__ == "__main__":
    main()
