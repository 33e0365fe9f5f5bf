"""A progress bar in Jupyter: one display that is updated in place, without widgets.

A kernel's standard error is no terminal, and what it prints stays in the notebook. IPython, which
is loaded wherever there is a kernel, updates a display of its own instead, from any thread.
"""

import html
import sys
import threading
import time
from typing import Any

_BETWEEN = 0.2  # seconds between two updates: each is a message to the browser


def in_kernel() -> bool:
    """Whether this is the kernel of a notebook, and no terminal."""
    ipython: Any = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class NotebookBar:
    """A bar from 0 to `total`, with rate and time left; empty once it is closed.

    Args:
        total: amount at the end.
        label: of the amount.
    """

    def __init__(self, total: float, label: str) -> None:
        from IPython.display import display

        self._total, self._label = total, label
        self._done, self._note = 0.0, ""
        self._begun, self._told, self._closed = time.monotonic(), 0.0, False
        self._lock = threading.Lock()
        self._handle: Any = display(self, display_id=True)

    def advance(self, amount: float, note: str = "") -> None:
        """Add to what is done; another note takes the place of the last one."""
        with self._lock:
            self._done += amount
            self._note = note
            now = time.monotonic()
            if now - self._told > _BETWEEN:
                self._told = now
                self._handle.update(self)

    def close(self) -> None:
        """Leave nothing in the notebook."""
        with self._lock:
            self._closed = True
            self._handle.update(self)

    def __repr__(self) -> str:
        if self._closed:
            return ""
        share = self._done / self._total if self._total else 1.0
        words = [self._note, f"{share:.0%}", *self._speed(share)]
        return " · ".join(word for word in words if word)

    def _repr_html_(self) -> str:
        if self._closed:
            return ""
        value = f' value="{self._done:g}"' if self._done else ""  # without one the bar swings
        bar = f'<progress max="{max(self._total, 1e-300):g}"{value}></progress>'
        return f"{bar} <small>{html.escape(repr(self))}</small>"

    def _speed(self, share: float) -> list[str]:
        if not self._done:
            return [beginning(self._label)]
        spent = max(time.monotonic() - self._begun, 1e-9)
        left = spent * (1 - share) / share
        return [f"{self._done / spent:.3g} {self._label}/s", f"{_clock(left)} left"]


def beginning(label: str) -> str:
    """What goes on before the first of an amount is done: updates are compiled, files are not."""
    return "compiling" if label == "updates" else "begins"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
