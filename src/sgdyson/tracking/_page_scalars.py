"""Losses and learning rates of a run, as the page draws them."""

from typing import Any

import numpy as np

from .._types import Floats, WholeNumbers
from ._page_numbers import plain
from ._run import Run

_POINTS = 500


def drawn_scalars(run: Run) -> list[dict[str, Any]]:
    """Plain values for `run.js`, in the order in which they came; the learning rate last."""
    series = dict(run.scalars)
    rate = run.setting("learning_rate")
    known = np.isfinite(rate)
    if known.any() and "learning_rate" not in series:
        series["learning rate"] = run.steps[known], rate[known]
    return [_drawn(name, steps, values) for name, (steps, values) in series.items()]


def _drawn(name: str, steps: WholeNumbers, values: Floats) -> dict[str, Any]:
    """Plain values; a long series by its means over stretches, which noise does not hide."""
    parts = np.array_split(np.arange(len(steps)), min(len(steps), _POINTS))
    with np.errstate(invalid="ignore"):
        means = np.array([values[stretch].mean() for stretch in parts])
    return {
        "name": name, "steps": [float(f"{steps[stretch].mean():.9g}") for stretch in parts],
        "values": plain(means), "averaged": len(steps) > _POINTS,
    }  # fmt: skip
