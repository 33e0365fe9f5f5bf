"""A progress bar with rate and time left, in a terminal or in a notebook."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ._notebook import NotebookBar, beginning, in_kernel


@contextmanager
def progress_bar(
    total: float,
    wanted: bool,
    label: str = "updates",
    note: Callable[[], str] | None = None,
) -> Iterator[Callable[[float], None]]:
    """Yields a function that advances the bar; silent where nobody looks.

    It stands on standard error if that is a terminal, or under the cell of a notebook; it leaves
    nothing behind.

    Args:
        total: amount at the end.
        wanted: false for no bar at all.
        label: of the amount.
        note: what else to tell, asked for at every advance.
    """
    say = note or str
    if wanted and in_kernel():
        bar = NotebookBar(total, label)
        try:
            yield lambda amount: bar.advance(amount, say())
        finally:
            bar.close()
    else:
        with _terminal_bar(total, wanted, label, say, noted=note is not None) as advance:
            yield advance


@contextmanager
def _terminal_bar(
    total: float, wanted: bool, label: str, say: Callable[[], str], *, noted: bool
) -> Iterator[Callable[[float], None]]:
    console = Console(stderr=True, markup=False, emoji=False)
    if not (wanted and console.is_terminal):
        yield lambda amount: None  # a disabled bar of Rich 13 leaves an empty line behind
        return
    columns = (
        TextColumn("{task.fields[note]}", markup=False),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
    )
    lock = threading.Lock()
    with Progress(
        *(columns if noted else columns[1:]),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=total, rate=beginning(label), note=say())

        def advance(amount: float) -> None:
            with lock:
                bar.advance(task, amount)
                speed = bar.tasks[0].speed
                rate = f"{speed:.3g} {label}/s" if speed else beginning(label)
                bar.update(task, rate=rate, note=say())

        yield advance
