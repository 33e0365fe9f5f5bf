"""Levels against time: as a picture, and as a film."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from .._files import check_target, replacing
from .._progress import progress_bar
from .._types import ArrayLike
from ..errors import require
from ..figures import STYLE, Figure, Line, Panel, draw, prepare_matplotlib
from . import _scenes
from ._ensemble import require_room
from ._frames import Frame, frames

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

PICTURES = (".png", ".pdf", ".svg")
FILMS = (".gif", ".mp4")


def film_from_one_point(
    path: Path, levels: int, beta: float, duration: float, seed: int, process: str = "gas"
) -> None:
    """Draw levels that leave one point.

    Args:
        path: see `write_levels`.
        levels: how many, from 2 up.
        beta: their repulsion, from 1 up.
        duration: in units of the time in which they settle; of a bridge, until they are back.
        seed: seed of their noise.
        process: "gas", "circle", "jacobi" or "bridge": in a harmonic potential, round a circle,
            between two walls, or back to the point.

    Raises:
        InvalidInputError: a value that breaks one of these rules.
    """
    require(
        process in _scenes.SCENES,
        f"--process {process!r} must be one of {', '.join(_scenes.SCENES)}.",
    )
    require(levels >= 2, f"--levels {levels} must be at least 2: one level repels nothing.")
    require(0 < duration < 1e6, f"--duration {duration} must be positive, and below a million.")
    check_path(path)
    require_room(levels, 1, _scenes.FRAMES)  # before so long a list of levels is made
    scene = _scenes.SCENES[process](levels, beta, duration, seed)
    with progress_bar(_scenes.FRAMES, True, "frames") as advance:
        write_levels(
            scene.run, path, radii=scene.radii, advance=advance, label=scene.label,
            turning=scene.turning,
        )  # fmt: skip


def trajectories(
    run: xr.Dataset,
    replica: int = 0,
    radii: ArrayLike | None = None,
    label: str = "level $x_i$",
) -> Figure:
    """Every level of one replica against time, and the edges of a semicircle of these radii."""
    time, levels = run.time.values, run.levels.values[replica]
    lines = [Line(time, column, colour=n) for n, column in enumerate(levels.T)]
    if radii is not None:
        lines += [
            Line(time, side * np.asarray(radii, dtype=float), dashed=True) for side in (1, -1)
        ]
    return Figure(
        name="trajectories",
        title="Levels repel each other",
        caption="Levels of one replica under Dyson Brownian motion.",
        panels=[Panel(marks=lines, x_label="time", y_label=label)],
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
    radii: ArrayLike | None = None,
    advance: Callable[[float], None] = lambda _: None,
    label: str = "level $x_i$",
    turning: bool = False,
) -> None:
    """Write a picture or a film of one replica, by the ending of the path; whole or not at all.

    Args:
        run: a data set with `levels` (replica, time, level).
        path: ends in .png, .pdf or .svg, or in .gif or, where ffmpeg is installed, .mp4.
        replica: which.
        radii: of the semicircle that the levels fill, at each time: drawn as its edges, and in a
            film as the density beside that of the levels.
        advance: told of every frame.
        label: of the axis of levels.
        turning: whether levels are angles; a film shows them on a circle too.

    Raises:
        InvalidInputError: another ending, or .mp4 without ffmpeg.
    """
    check_path(path)
    kind = path.suffix.lower()
    edges = None if radii is None else np.asarray(radii, dtype=float)
    with replacing(path) as scratch:
        if kind in PICTURES:
            draw(trajectories(run, replica, edges, label)).savefig(
                scratch, format=kind[1:], dpi=200
            )
        else:
            time, levels = run.time.values, run.levels.values[replica]
            show = partial(
                frames, time=time, levels=levels, radii=edges, label=label, turning=turning
            )
            _film(scratch, show, len(time), advance)


def _film(
    path: Path,
    show: Callable[[Canvas], list[Frame]],
    count: int,
    advance: Callable[[float], None],
) -> None:
    import matplotlib as mpl
    from matplotlib import animation
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context(STYLE | {"font.size": 10, "axes.labelsize": 11}):
        canvas = Canvas(figsize=(6.4, 4.0), layout="constrained")
        FigureCanvasAgg(canvas)
        drawn = show(canvas)
        writer = animation.writers[_writer(path)](fps=20)
        with writer.saving(canvas, str(path), dpi=100):
            for now in range(count):
                for part in drawn:
                    part.show(now)
                writer.grab_frame()
                advance(1)
