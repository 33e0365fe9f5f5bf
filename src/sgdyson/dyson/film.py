"""Levels against time: as a picture, and as a film."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from .._files import check_target, replacing
from .._progress import progress_bar
from .._types import ArrayLike, Floats
from ..ensembles import Quadratic
from ..errors import require
from ..figures import STYLE, Figure, Line, Panel, draw, prepare_matplotlib
from ._eigenvalues import EigenvalueProcess
from ._ensemble import require_room
from ._frames import frames

PICTURES = (".png", ".pdf", ".svg")
FILMS = (".gif", ".mp4")
_FRAMES, _STEPS, _FEWER = 240, 2400, 960  # of a film, and of time: of few levels, and of many
_MANY = 64  # levels, from which on a film shows their density too, beside Wigner's semicircle


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
    steps = _STEPS if levels < _MANY else _FEWER
    run = EigenvalueProcess(Quadratic(), beta).simulate(
        1e-3 / levels * np.arange(levels), step=duration / steps, steps=steps,
        record_every=steps // _FRAMES, replicas=1, seed=seed,
    )  # fmt: skip
    radii = edge_from_one_point(run.time.values, levels, beta) if levels >= _MANY else None
    with progress_bar(_FRAMES, True, "frames") as advance:
        write_levels(run, path, radii=radii, advance=advance)


def edge_from_one_point(times: ArrayLike, levels: int, beta: float) -> Floats:
    r"""Radius $\sqrt{2 \beta n (1 - e^{-2t})}$ of the semicircle that levels from one point fill.

    The matrix is Gaussian at every time, of variance $1 - e^{-2t}$ in units of that at rest, where
    the weight $e^{-\sum x^2/2}\, |\Delta|^\beta$ of n levels has its edge at $\sqrt{2 \beta n}$
    (M. L. Mehta, Random Matrices (2004), section 4.2), exact for many levels.

    Args:
        times: since the levels stood at one point, in units of the time in which they settle.
        levels: how many.
        beta: their repulsion.
    """
    return np.sqrt(2 * beta * levels * -np.expm1(-2 * np.asarray(times, dtype=float)))


def trajectories(run: xr.Dataset, replica: int = 0, radii: ArrayLike | None = None) -> Figure:
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
    radii: ArrayLike | None = None,
    advance: Callable[[float], None] = lambda _: None,
) -> None:
    """Write a picture or a film of one replica, by the ending of the path; whole or not at all.

    Args:
        run: a data set with `levels` (replica, time, level).
        path: ends in .png, .pdf or .svg, or in .gif or, where ffmpeg is installed, .mp4.
        replica: which.
        radii: of the semicircle that the levels fill, at each time: drawn as its edges, and in a
            film as the density beside that of the levels.
        advance: told of every frame.

    Raises:
        InvalidInputError: another ending, or .mp4 without ffmpeg.
    """
    check_path(path)
    kind = path.suffix.lower()
    edges = None if radii is None else np.asarray(radii, dtype=float)
    with replacing(path) as scratch:
        if kind in PICTURES:
            draw(trajectories(run, replica, edges)).savefig(scratch, format=kind[1:], dpi=200)
        else:
            _film(run, scratch, replica, edges, advance)


def _film(
    run: xr.Dataset,
    path: Path,
    replica: int,
    radii: Floats | None,
    advance: Callable[[float], None],
) -> None:
    import matplotlib as mpl
    from matplotlib import animation
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    time, levels = run.time.values, run.levels.values[replica]
    with mpl.rc_context(STYLE | {"font.size": 10, "axes.labelsize": 11}):
        canvas = Canvas(figsize=(6.4, 4.0), layout="constrained")
        FigureCanvasAgg(canvas)
        drawn = frames(canvas, time, levels, radii)
        writer = animation.writers[_writer(path)](fps=20)
        with writer.saving(canvas, str(path), dpi=100):
            for now in range(len(time)):
                for part in drawn:
                    part.show(now)
                writer.grab_frame()
                advance(1)
