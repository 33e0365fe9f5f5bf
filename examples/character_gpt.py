"""A small character GPT on the standard library's own source, watched while it learns.

    python examples/character_gpt.py [--steps 400] [--out gpt.zarr]

Needs PyTorch. Its spectra begin as Marchenko and Pastur's and end as a bulk with outliers.
"""

import argparse
import sysconfig
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from sgdyson.tracking import SpectralTracker, fit_bulk, matrices_of, open_run, write_run_report

CONTEXT, WIDTH, HEADS, BLOCKS, BATCH = 64, 128, 4, 2, 16


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.output = (
            nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4)
        )
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm1(x)
        parts = [
            layer(y).unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        ]
        y = functional.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.output(y.transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class CharacterGPT(nn.Module):
    def __init__(self, symbols: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, WIDTH)
        self.position = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, symbols, bias=False)
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.05)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        places = torch.arange(text.shape[1])
        return self.head(self.norm(self.blocks(self.embedding(text) + self.position(places))))


def corpus(size: int = 2_000_000) -> tuple[torch.Tensor, int]:
    """The standard library, as numbers of characters."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    text = "".join(file.read_text(encoding="utf-8", errors="ignore") for file in files)[:size]
    symbols = {symbol: i for i, symbol in enumerate(sorted(set(text)))}
    return torch.tensor([symbols[symbol] for symbol in text]), len(symbols)


def batch(text: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    starts = torch.randint(len(text) - CONTEXT - 1, (BATCH,))
    rows = torch.stack([text[i : i + CONTEXT + 1] for i in starts])
    return rows[:, :-1], rows[:, 1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("gpt.zarr"))
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)  # more of them would wait for each other: the matrices are small
    text, symbols = corpus()
    model = CharacterGPT(symbols)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    with SpectralTracker(
        model, arguments.out, every="log", optimizer=optimizer, batch_size=BATCH, vectors=8
    ) as tracker:
        for step in range(arguments.steps):
            x, y = batch(text)
            loss = functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
            tracker.log_scalar("loss", loss)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.step()
            if step % 100 == 0:
                print(f"step {step}: loss {loss.item():.3f}")
    run = open_run(arguments.out)
    print(
        "matrix: outliers, largest distance from Marchenko and Pastur's cdf, first and last record"
    )
    for name, key in matrices_of(run).items():
        s, shape = run[f"s_{key}"].values, tuple(run[f"s_{key}"].attrs["shape"])
        found = [fit_bulk(s[i], shape) for i in (0, -1)]
        print(f"  {name}: " + "; ".join(f"{b.outliers}, {b.distance:.3f}" for b in found))
    page = arguments.out.with_suffix(".html")
    write_run_report(page, run, "A character GPT")
    print(f"page: {page}")


if __name__ == "__main__":
    main()
