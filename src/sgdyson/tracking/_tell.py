"""Warnings of a tracker: never an exception in the training, whatever its filters say."""

import sys
import warnings
from contextlib import suppress


def tell(message: str, stacklevel: int = 2) -> None:
    """Warn; where warnings are errors (`-W error`), print to stderr instead."""
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=stacklevel + 1)
    except Exception:  # the filter's own, or that of a hook which somebody put into `warnings`
        with suppress(Exception):
            print(f"RuntimeWarning: {message}", file=sys.stderr)
