"""A run while it goes on: its table in a terminal, its page in a browser that loads it anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .._checks import positive
from .._columns import Columns
from .._tabular import cell_text
from .._terminal import console, visible
from ..errors import InvalidInputError, require
from ..spectra import MatrixSpectrum, measure_values
from ._read_store import traces_of
from ._run import Run, open_run
from .page import write_run_report

_FIRST = ("outliers", "largest", "stable rank")  # where a terminal has no room for all
_HEADS = ("step", "outliers", "largest", "σ", "stable rank", "⟨r⟩")
_REST = 9.0  # times what work takes, before it is done again
_ALL = 10_000  # lines


def watch(
    store: Path | str, *, page: Path | str | None = None, every: float = 5.0, once: bool = False
) -> None:
    """Show a tracked run in the terminal until Ctrl-C, as far as it has come.

    A run that has not begun is waited for. The table and the page take at most a tenth of the time
    each, however large the run is.

    Args:
        store: folder of the run, of this machine.
        page: an HTML file that is written too, whenever there are new records; a browser loads it
            anew by itself.
        every: seconds between two looks.
        once: look once and return.

    Raises:
        InvalidInputError: a time that is not positive; with once=True, no run.

    Examples:
        >>> watch("run.zarr", page="run.html")  # doctest: +SKIP
    """
    every, path, screen = positive("every", every), Path(store), console()
    page = None if page is None else Path(page)
    table, written = _Paced(lambda: _look(path, screen.size.height, screen.width)), _Paced(
        lambda: write_run_report(page or Path(), _begun(path), path.resolve().stem,
                                 refresh=max(every, 1.0))
    )  # fmt: skip
    if once:
        screen.print(_look(path, _ALL, screen.width))
        if page is not None:
            written.work()
        return
    with Live(console=screen, auto_refresh=False) as live:
        while True:
            traces = traces_of(path)
            try:
                if table.due(traces):
                    live.update(table.run(traces), refresh=True)
                if page is not None and written.due(traces):
                    written.run(traces)
            except InvalidInputError as error:
                live.update(Text(visible(f"waiting for {path}: {error}")), refresh=True)
            time.sleep(every)


@dataclass
class _Paced:
    """Work that is done again when there is something new, and takes a tenth of the time at most.

    Attributes:
        work: that is done.
        seen: traces of the run when it was done last.
        rests: until when it is not done again.
    """

    work: Callable[[], Any]
    seen: object = None
    rests: float = 0.0

    def due(self, traces: object) -> bool:
        return traces != self.seen and time.monotonic() >= self.rests

    def run(self, traces: object) -> Any:
        began, first = time.monotonic(), self.seen is None
        result = self.work()
        self.seen, ended = traces, time.monotonic()
        # what is done once, as tables of laws, is in the first time
        self.rests = ended + (0.0 if first else _REST * (ended - began))
        return result


def _begun(path: Path) -> Run:
    run = Run(open_run(path))
    require(len(run.steps) > 0, f"{path} has no record yet; wait for its first.")
    return run


def _look(path: Path, height: int, width: int) -> RenderableType:
    """What is there now, in so many lines and columns."""
    run = _begun(path)
    count = "one record" if len(run.steps) == 1 else f"{len(run.steps)} records"
    heading = f"{path}: {count}, step {run.steps[-1]}"
    last = [f"{name} {values[-1]:.5g}" for name, (_, values) in run.scalars.items()]
    return Group(Text(visible(", ".join([heading, *last]))), _table(run, max(height - 8, 3), width))


def _table(run: Run, most: int, width: int) -> Table:
    """A row for each matrix, at its last record."""
    rows: list[tuple[str, ...]] = []
    for name in run.names[:most]:
        good = np.flatnonzero(np.isfinite(run.values(name)).all(axis=1))
        if not good.size:
            continue
        shape, last = run.shape(name), good[-1]
        measured = measure_values(name, run.values(name)[last], shape)
        cells = map(cell_text, (int(run.steps[last]), *_numbers(measured)))
        rows.append((visible(name), f"{shape[0]} x {shape[1]}", *cells))
    columns = list(zip(*rows, strict=True)) or [()] * (2 + len(_HEADS))
    drawn = Columns(
        dict(zip(("matrix", "shape"), columns[:2], strict=True)),
        dict(zip(_HEADS, columns[2:], strict=True)), {head: head for head in _HEADS}, _FIRST,
    )  # fmt: skip
    table = drawn.table(drawn.fitting(width))
    if len(run.names) > most:
        table.caption = f"and {len(run.names) - most} more; sgdyson report shows all"
    return table


def _numbers(measured: MatrixSpectrum) -> tuple[object, ...]:
    """What stands under `_HEADS`; of a bulk that is none nothing."""
    noise = measured.bulk if measured.bulk and measured.bulk.is_noise else None
    return (noise and noise.outliers, measured.spectral, noise and noise.sigma,
            measured.stable_rank, measured.mean_ratio)  # fmt: skip
