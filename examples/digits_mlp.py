"""The linear scaling rule on scikit-learn's digits, seen in singular values.

    python examples/digits_mlp.py

Needs PyTorch and scikit-learn. A perceptron with weight decay is trained at three pairs (alpha,
|B|) of one ratio, and at three other ratios. The widths of its levels in the steady state agree at
one ratio, and their squares follow a line through zero.
"""

import argparse
import tempfile

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from sgdyson.stats import Estimate, fit_line, jackknife_of_means
from sgdyson.tracking import SpectralTracker, open_run

SETTINGS = ((0.05, 16), (0.1, 32), (0.2, 64), (0.1, 16), (0.1, 64), (0.1, 128))
DECAY, DURATION, BLOCKS = 0.05, 2000, 20  # duration in units of 1/alpha updates


def data() -> tuple[torch.Tensor, torch.Tensor]:
    digits = load_digits()
    return torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)


def width(s: np.ndarray) -> Estimate:
    """Root mean square fluctuation of the levels, (time, level), error by blocks of time."""
    deviation = s - s.mean(axis=0)
    blocks = [np.mean(part**2) for part in np.array_split(deviation, BLOCKS)]
    return jackknife_of_means(lambda m: np.sqrt(m[..., 0]), np.array(blocks)[:, None])


def train(rate: float, batch: int, duration: float, out: str) -> Estimate:
    torch.manual_seed(0)
    x, y = data()
    model = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), rate, weight_decay=DECAY)
    with SpectralTracker(model, out, every=round(1 / rate)) as tracker:
        for _ in range(round(duration / rate)):
            chosen = torch.randint(len(x), (batch,))
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
            tracker.step()
    run = open_run(out)
    return width(run["s_0.weight"].values[run.sizes["time"] // 5 :, :8])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=DURATION)
    duration = parser.parse_args().duration
    torch.set_num_threads(1)
    found = []
    for rate, batch in SETTINGS:
        with tempfile.TemporaryDirectory() as folder:
            found.append(train(rate, batch, duration, f"{folder}/run.zarr"))
        print(
            f"alpha = {rate:<5} |B| = {batch:<4} alpha/|B| = {rate / batch:.5f} width {found[-1]}"
        )
    ratios = np.array([rate / batch for rate, batch in SETTINGS])
    squares = [Estimate(w.value**2, 2 * w.value * w.error, w.effective_size) for w in found]
    line = fit_line(ratios, [e.value for e in squares], [e.error for e in squares])
    print(
        f"width^2 = {line.intercept} + {line.slope} alpha/|B|; chi2/dof {line.chi2:.1f}/{line.dof}"
    )


if __name__ == "__main__":
    main()
