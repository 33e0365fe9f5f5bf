"""A progress bar with rate and time left."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(
    total: float,
    wanted: bool,
    label: str = "updates",
    note: Callable[[], str] | None = None,
) -> Iterator[Callable[[float], None]]:
    """Yields a function that advances the bar; silent where standard error is no terminal.

    Args:
        total: amount at the end.
        wanted: false for no bar at all.
        label: of the amount.
        note: what else to tell, asked for at every advance.
    """
    console = Console(stderr=True, markup=False, emoji=False)
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
        *(columns if note else columns[1:]),
        console=console,
        transient=True,
        disable=not (wanted and console.is_terminal),
    ) as bar:
        say = note or str
        task = bar.add_task(label, total=total, rate="compiling", note=say())

        def advance(amount: float) -> None:
            with lock:
                bar.advance(task, amount)
                speed = bar.tasks[0].speed
                rate = f"{speed:.3g} {label}/s" if speed else "compiling"
                bar.update(task, rate=rate, note=say())

        yield advance
