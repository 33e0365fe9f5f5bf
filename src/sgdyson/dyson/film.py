"""Levels against time: as a picture, and as a film."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from .._files import check_target, replacing
from .._progress import progress_bar
from ..ensembles import Quadratic
from ..errors import require
from ..figures import INK, PALETTE, STYLE, Figure, Line, Panel, draw, prepare_matplotlib
from ._eigenvalues import EigenvalueProcess, require_room

PICTURES = (".png", ".pdf", ".svg")
FILMS = (".gif", ".mp4")
_FRAMES, _BETWEEN = 240, 10  # of a film, and the steps from one to the next


def film_from_one_point(path: Path, levels: int, beta: float, duration: float, seed: int) -> None:
    """Draw levels that leave one point and settle into the Coulomb gas.

    Args:
        path: see `write_levels`.
        levels: how many, from 2 up.
        beta: their repulsion, from 1 up.
        duration: in units of the time in which they settle.
        seed: seed of their noise.

    Raises:
        InvalidInputError: a value that breaks one of these rules.
    """
    require(levels >= 2, f"--levels {levels} must be at least 2: one level repels nothing.")
    require(0 < duration < 1e6, f"--duration {duration} must be positive, and below a million.")
    check_path(path)
    require_room(levels, 1, _FRAMES)  # before so long a list of levels is made
    run = EigenvalueProcess(Quadratic(), beta).simulate(
        [1e-3 * level for level in range(levels)], step=duration / (_FRAMES * _BETWEEN),
        steps=_FRAMES * _BETWEEN, record_every=_BETWEEN, replicas=1, seed=seed,
    )  # fmt: skip
    with progress_bar(_FRAMES, True, "frames") as advance:
        write_levels(run, path, advance=advance)


def trajectories(run: xr.Dataset, replica: int = 0) -> Figure:
    """Every level of one replica against time."""
    levels = run.levels.values[replica]
    lines = [Line(run.time.values, column, colour=n) for n, column in enumerate(levels.T)]
    return Figure(
        name="trajectories",
        title="Levels repel each other",
        caption="Levels of one replica under Dyson Brownian motion.",
        panels=[Panel(marks=lines, x_label="time", y_label="level $x_i$")],
    )


def check_path(path: Path) -> None:
    """Refuse, before any work is done, what `write_levels` could not write."""
    kind = path.suffix.lower()
    require(
        kind in PICTURES + FILMS,
        f"{path} must end in one of {', '.join(PICTURES + FILMS)}.",
    )
    check_target(path)
    prepare_matplotlib()
    from matplotlib import animation

    writer = _writer(path)
    require(
        kind in PICTURES or animation.writers.is_available(writer),
        f"{path} needs {writer}, which is not installed; choose a name that ends in .gif.",
    )


def _writer(path: Path) -> str:
    return "pillow" if path.suffix.lower() == ".gif" else "ffmpeg"


def write_levels(
    run: xr.Dataset,
    path: Path,
    *,
    replica: int = 0,
    advance: Callable[[float], None] = lambda _: None,
) -> None:
    """Write a picture or a film of one replica, by the ending of the path; whole or not at all.

    Args:
        run: a data set with `levels` (replica, time, level).
        path: ends in .png, .pdf or .svg, or in .gif or, where ffmpeg is installed, .mp4.
        replica: which.
        advance: told of every frame.

    Raises:
        InvalidInputError: another ending, or .mp4 without ffmpeg.
    """
    check_path(path)
    kind = path.suffix.lower()
    with replacing(path) as scratch:
        if kind in PICTURES:
            draw(trajectories(run, replica)).savefig(scratch, format=kind[1:], dpi=200)
        else:
            _film(run, scratch, replica, advance)


def _film(run: xr.Dataset, path: Path, replica: int, advance: Callable[[float], None]) -> None:
    import matplotlib as mpl
    from matplotlib import animation
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    time, levels = run.time.values, run.levels.values[replica]
    with mpl.rc_context(STYLE | {"font.size": 10, "axes.labelsize": 11}):
        canvas = Canvas(figsize=(6.4, 4.0), layout="constrained")
        FigureCanvasAgg(canvas)
        axes = canvas.subplots()
        margin = 0.05 * float(np.ptp(levels))
        axes.set(
            xlabel="time", ylabel="level $x_i$", xlim=(time[0], time[-1]),
            ylim=(levels.min() - margin, levels.max() + margin),
        )  # fmt: skip
        colours = [PALETTE[n % len(PALETTE)] for n in range(levels.shape[1])]
        lines = [axes.plot([], [], color=colour, linewidth=1.1)[0] for colour in colours]
        heads = axes.scatter(np.full(len(colours), time[0]), levels[0], c=colours, s=28,
                             edgecolors=INK, linewidths=0.5, zorder=3)  # fmt: skip
        writer = animation.writers[_writer(path)](fps=20)
        with writer.saving(canvas, str(path), dpi=100):
            for now in range(len(time)):
                for line, column in zip(lines, levels.T, strict=True):
                    line.set_data(time[: now + 1], column[: now + 1])
                heads.set_offsets(np.column_stack([np.full(len(colours), time[now]), levels[now]]))
                writer.grab_frame()
                advance(1)
