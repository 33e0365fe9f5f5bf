"""Draw the pictures of the documentation from the runs that its examples make.

Run from anywhere as `python docs/assets/make_pictures.py`, with the package installed.
"""

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from sgdyson.spectra import multiplets, spacings, unit_spacings
from sgdyson.stats import density_histogram

ASSETS = Path(__file__).parent
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "savefig.dpi": 160,
}


def example(page: str) -> dict[str, Any]:
    """Names that the Python blocks of a page leave behind."""
    text = (ASSETS.parent / page).read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec("\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)), names)
    return names


def draw_levels(axes: Axes, run: Any, theory: Any, shown: int = 8) -> None:
    """Levels of a few replicas, and their targets."""
    last = float(run.time[-1])
    for colour, group in zip(COLOURS, multiplets(theory.levels), strict=False):
        levels = run.levels[:shown, :, list(group.indices)]
        lines = np.moveaxis(levels.values, 1, 0).reshape(run.time.size, -1)
        axes.plot(run.time, lines, color=colour, lw=0.6, alpha=0.6)
        axes.axhline(group.target_level, color="black", ls="--", lw=1)
        size = "pair" if group.is_pair else "single"
        axes.annotate(f" {size}", (last, group.target_level), color=colour, va="center")
    axes.set(xlabel="update", ylabel=r"levels $x_i$ of $W^T W$", xlim=(0, last), ylim=(0, None))


def draw_unit_spacings(axes: Axes, steady: Any, theory: Any) -> None:
    """Histograms of s = S/<S> of every pair, and the Wigner surmise."""
    for colour, group in zip(COLOURS, multiplets(theory.levels), strict=False):
        if not group.is_pair:
            continue
        found = density_histogram(unit_spacings(spacings(steady.values, group)))
        mode = theory.target_modes[group.indices[0]]
        axes.stairs(
            found.density, found.edges, color=colour, lw=1.5, label=rf"pair $\kappa$ = {mode:.3g}"
        )
    s = np.linspace(0, 4, 300)
    axes.plot(s, np.pi / 2 * s * np.exp(-np.pi / 4 * s**2), "k", lw=1.5, label="Wigner surmise")
    axes.set(xlabel=r"$s = S/\langle S \rangle$", ylabel=r"$P(s)$", xlim=(0, 3.5), ylim=(0, None))
    axes.legend(frameon=False)


def picture(page: str, name: str) -> None:
    """Run a page and draw what it found."""
    names = example(page)
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
        draw_levels(left, names["run"], names["theory"])
        draw_unit_spacings(right, names["steady"], names["theory"])
        figure.savefig(ASSETS / name, metadata={"Software": None})
        plt.close(figure)


if __name__ == "__main__":
    picture("index.md", "quick-start.png")
    picture("tutorials/own-kernel.md", "own-kernel.png")
