"""A progress bar with rate and time left."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(
    total: float, wanted: bool, label: str = "updates"
) -> Iterator[Callable[[float], None]]:
    """Yields a function that advances the bar; silent where standard error is no terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    lock = threading.Lock()
    with Progress(
        *columns, console=console, transient=True, disable=not (wanted and console.is_terminal)
    ) as bar:
        task = bar.add_task(label, total=total, rate="compiling")

        def advance(amount: float) -> None:
            with lock:
                bar.advance(task, amount)
                speed = bar.tasks[0].speed
                bar.update(task, rate=f"{speed:.3g} {label}/s" if speed else "compiling")

        yield advance
