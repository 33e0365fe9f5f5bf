"""The linear scaling rule on scikit-learn's digits, seen in singular values.

    python examples/digits_mlp.py [--duration 1000]

Needs PyTorch and scikit-learn. A perceptron with weight decay is first brought to its minimum by
full-batch L-BFGS: the gradient flow there is so slow that its drift would pass for a width. From
the minimum it is trained at three pairs (alpha, |B|) of one ratio, and at three other ratios. The
widths of its levels agree at one ratio, and their squares follow a line through zero.
"""

import argparse
import copy
import tempfile

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from sgdyson.stats import Estimate, fit_line, jackknife_of_means
from sgdyson.tracking import SpectralTracker, open_run

SETTINGS = ((0.05, 16), (0.1, 32), (0.2, 64), (0.1, 16), (0.1, 64), (0.1, 128))
DECAY, LEVELS, BLOCKS = 0.05, 8, 20
SETTLE, EVERY = 0.2, 5  # share of the run left out; records, in units of 1/alpha updates


def data() -> tuple[torch.Tensor, torch.Tensor]:
    digits = load_digits()
    return torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)


def at_minimum(x: torch.Tensor, y: torch.Tensor) -> nn.Module:
    """The perceptron where the gradient of all data, decay included, vanishes."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10)).double()
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=3000, tolerance_grad=1e-7, tolerance_change=0.0,
        history_size=50, line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        decay = sum(parameter.square().sum() for parameter in model.parameters())
        value = functional.cross_entropy(model(x.double()), y) + DECAY / 2 * decay
        value.backward()
        return value

    optimizer.step(loss)
    steepest = max(float(parameter.grad.abs().max()) for parameter in model.parameters())
    print(f"minimum: largest gradient {steepest:.1g}")
    return model.float()


def width(s: np.ndarray) -> Estimate:
    """Root mean square fluctuation of the levels, (time, level), error by blocks of time."""
    deviation = s - s.mean(axis=0)
    blocks = [np.mean(part**2) for part in np.array_split(deviation, BLOCKS)]
    return jackknife_of_means(lambda m: np.sqrt(m[..., 0]), np.array(blocks)[:, None])


def train(model: nn.Module, rate: float, batch: int, duration: float, out: str) -> Estimate:
    torch.manual_seed(1)
    x, y = data()
    optimizer = torch.optim.SGD(model.parameters(), rate, weight_decay=DECAY)
    with SpectralTracker(model, out, every=round(EVERY / rate)) as tracker:
        for _ in range(round(duration / rate)):
            chosen = torch.randint(len(x), (batch,))
            optimizer.zero_grad()
            functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
            tracker.step()
    run = open_run(out)
    return width(run["s_0.weight"].values[round(SETTLE * run.sizes["time"]) :, :LEVELS])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=1000, help="in units of 1/alpha updates")
    duration = parser.parse_args().duration
    torch.set_num_threads(1)
    minimum, found = at_minimum(*data()), []
    for rate, batch in SETTINGS:
        with tempfile.TemporaryDirectory() as folder:
            model = copy.deepcopy(minimum)
            found.append(train(model, rate, batch, duration, f"{folder}/run.zarr"))
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
