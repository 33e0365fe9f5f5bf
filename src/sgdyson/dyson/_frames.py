"""Frames of a film of levels: their paths so far, and of many levels their density."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._types import Floats
from ..figures import INK, PALETTE
from ..laws import Semicircle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_BINS, _TALLEST = 40, 2.5  # of the density, and its largest value in units of that at rest


class Paths:
    """Each level as a line with a dot at its end; of many levels thin lines alone."""

    def __init__(
        self, axes: Axes, time: Floats, levels: Floats, radii: Floats | None, label: str
    ) -> None:
        from matplotlib.collections import LineCollection

        self._time, self._levels = time, levels
        many = radii is not None
        reach = max(float(np.abs(levels).max()), float(radii.max())) if radii is not None else 0.0
        low, high = (-reach, reach) if many else (float(levels.min()), float(levels.max()))
        margin = 0.05 * (high - low)
        axes.set(
            xlabel="time", ylabel=label, xlim=(time[0], time[-1]),
            ylim=(low - margin, high + margin),
        )  # fmt: skip
        colours = [PALETTE[n % len(PALETTE)] for n in range(levels.shape[1])]
        self._lines = LineCollection([], colors=colours, linewidths=0.3 if many else 1.1)
        axes.add_collection(self._lines, autolim=False)
        self._heads: Any = None
        if radii is not None:
            for side in (1, -1):
                axes.plot(time, side * radii, "--", color=INK, linewidth=1.0)
        else:
            self._heads = axes.scatter(
                np.full(len(colours), time[0]), levels[0], c=colours, s=28, edgecolors=INK,
                linewidths=0.5, zorder=3,
            )  # fmt: skip

    def show(self, now: int) -> None:
        past = self._time[: now + 1]
        self._lines.set_segments(
            [np.column_stack([past, path]) for path in self._levels[: now + 1].T]
        )
        if self._heads is not None:
            here = np.full(self._levels.shape[1], self._time[now])
            self._heads.set_offsets(np.column_stack([here, self._levels[now]]))


class Density:
    """Histogram of the levels, and the semicircle of the radius of this time."""

    def __init__(
        self, axes: Axes, levels: Floats, radii: Floats, limits: tuple[float, float]
    ) -> None:
        self._levels, self._radii = levels, radii
        self._edges = np.linspace(*limits, _BINS + 1)
        self._bars = axes.stairs(
            np.zeros(_BINS), self._edges, orientation="horizontal", fill=True, alpha=0.5,
            color=PALETTE[0],
        )  # fmt: skip
        (self._curve,) = axes.plot([], [], color=INK, linewidth=1.2)
        at_rest = Semicircle(radius=float(radii.max())).pdf(0.0)
        axes.set(xlabel="density", xlim=(0, _TALLEST * float(at_rest)), ylim=limits)
        axes.tick_params(labelleft=False)

    def show(self, now: int) -> None:
        counts, _ = np.histogram(self._levels[now], self._edges, density=True)
        self._bars.set_data(values=counts)
        radius = float(self._radii[now])
        if radius > 0:
            x = radius * np.cos(np.linspace(0, np.pi, 200))
            self._curve.set_data(Semicircle(radius=radius).pdf(x), x)


class Round:
    """Dots of the colours of their paths on a circle."""

    def __init__(self, axes: Axes, levels: Floats) -> None:
        self._levels = levels
        around = np.linspace(0, 2 * np.pi, 200)
        axes.plot(np.cos(around), np.sin(around), color=INK, linewidth=0.8)
        colours = [PALETTE[n % len(PALETTE)] for n in range(levels.shape[1])]
        size = 40 if levels.shape[1] < 40 else 10
        self._dots = axes.scatter(
            levels[0], levels[0], c=colours, s=size, edgecolors=INK, linewidths=0.5, zorder=3
        )
        axes.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
        axes.set_axis_off()

    def show(self, now: int) -> None:
        here = self._levels[now]
        self._dots.set_offsets(np.column_stack([np.cos(here), np.sin(here)]))


Frame = Paths | Density | Round


def frames(
    canvas: Canvas,
    time: Floats,
    levels: Floats,
    radii: Floats | None,
    label: str = "level $x_i$",
    turning: bool = False,
) -> list[Frame]:
    """What is drawn on a canvas, each to be shown at the number of a record."""
    if turning:
        left, right = canvas.subplots(1, 2, width_ratios=[3, 2])
        return [Paths(left, time, levels, None, label), Round(right, levels)]
    if radii is None:
        return [Paths(canvas.subplots(), time, levels, None, label)]
    left, right = canvas.subplots(1, 2, sharey=True, width_ratios=[3, 1])
    paths = Paths(left, time, levels, radii, label)
    return [paths, Density(right, levels, radii, left.get_ylim())]
