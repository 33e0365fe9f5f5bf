"""A run while it goes on: its table in a terminal, its page in a browser that loads it anew."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from .._checks import positive
from .._terminal import console, visible
from ..errors import InvalidInputError, require
from ..spectra import measure_values
from ..stats import Estimate
from ._run import Run, open_run
from ._run_store import traces_of
from .page import write_run_report

_HEADS = {
    "outliers": "outliers", "spectral": "largest", "sigma": "σ", "stable_rank": "stable rank",
    "mean_ratio": "⟨r⟩",
}  # fmt: skip
_REST = 10.0  # times what looking at a run takes, before it is looked at again


def watch(
    store: Path | str, *, page: Path | str | None = None, every: float = 5.0, once: bool = False
) -> None:
    """Show a tracked run in the terminal until Ctrl-C, as far as it has come.

    A run that has not begun is waited for. Looking takes at most a tenth of the time, however
    large the run is.

    Args:
        store: folder of the run, of this machine.
        page: an HTML file that is written too, whenever there are new records; a browser loads it
            anew by itself.
        every: seconds between two looks.
        once: look once and return.

    Raises:
        InvalidInputError: a time that is not positive; with once=True, no run.

    Example:
        >>> watch("run.zarr", page="run.html")  # doctest: +SKIP
    """
    every, path, screen = positive("every", every), Path(store), console()
    page = None if page is None else Path(page)
    if once:
        screen.print(_look(path, page, every))
        return
    with Live(console=screen, auto_refresh=False) as live:
        while True:
            began, seen = time.monotonic(), traces_of(path)
            try:
                shown: RenderableType = _look(path, page, every, screen.size.height)
            except InvalidInputError as error:
                shown = Text(visible(f"waiting for {path}: {error}"))
            live.update(shown, refresh=True)
            time.sleep(max(every, _REST * (time.monotonic() - began)))
            while traces_of(path) == seen:
                time.sleep(every)


def _look(path: Path, page: Path | None, every: float, height: int = 10_000) -> RenderableType:
    """What is there now, in so many lines."""
    run = Run(open_run(path))
    require(len(run.steps) > 0, f"{path} has no record yet; wait for its first.")
    if page is not None:
        write_run_report(page, run, path.resolve().stem, refresh=max(every, 1.0))
    heading = f"{path}: {len(run.steps)} records, step {run.steps[-1]}"
    told = [f"{name} {values[-1]:.5g}" for name, (_, values) in run.scalars.items()]
    return Group(Text(visible(", ".join([heading, *told]))), _table(run, max(height - 8, 3)))


def _table(run: Run, most: int) -> Table:
    """A row for each matrix, at its last record."""
    right = (Column(head, justify="right") for head in ("step", *_HEADS.values()))
    table = Table("matrix", "shape", *right)
    for name in run.names[:most]:
        good = np.flatnonzero(np.isfinite(run.values(name)).all(axis=1))
        if not good.size:
            continue
        shape, last = run.shape(name), good[-1]
        row = measure_values(name, run.values(name)[last], shape).to_row()
        cells = [str(run.steps[last]), *(_text(row, head) for head in _HEADS)]
        table.add_row(visible(name), f"{shape[0]} x {shape[1]}", *cells)
    if len(run.names) > most:
        table.caption = f"and {len(run.names) - most} more; sgdyson report shows all"
    return table


def _text(row: dict[str, Any], name: str) -> str:
    value, error = row[name], row.get(f"{name}_error")
    if value is None:
        return ""
    if error is not None:
        return str(Estimate(value, error, 1.0))
    return str(value) if isinstance(value, int) else f"{value:.4g}"
