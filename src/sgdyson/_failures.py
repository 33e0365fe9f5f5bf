"""What may go wrong that a user can mend, as a sentence; what is a fault of ours, as none."""

import os
import sys

from .errors import InvalidInputError


def in_one_sentence(error: BaseException) -> str | None:
    """What to tell; None for an exception that should not have come so far."""
    if isinstance(error, InvalidInputError):
        return str(error)
    if isinstance(error, BrokenPipeError):
        return "standard output was closed before everything was written to it."
    if isinstance(error, MemoryError):
        return "memory ran out; ask for less, or close other programs."
    if isinstance(error, RecursionError):
        return "the input is nested too deeply; give one with fewer levels."
    if isinstance(error, UnicodeError):
        encoding = getattr(error, "encoding", "text")
        return f"text cannot be read or written as {encoding}; choose other names, or UTF-8."
    if isinstance(error, ValueError) and "null byte" in str(error):  # of Python's own, for paths
        return "a name of a file holds a zero byte; choose another name."
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{reason_of(error)}."
    return _missing_platform()


def reason_of(error: OSError) -> str:
    """What the system says; of an error that a library has raised by itself, its own words."""
    return error.strerror or str(error).rstrip(".") or type(error).__name__


def _missing_platform() -> str | None:
    """JAX names it in many ways, some of them an empty assertion: it is asked again."""
    platforms, jax = os.environ.get("JAX_PLATFORMS"), sys.modules.get("jax")
    if not platforms or jax is None:
        return None
    try:
        jax.devices()
    except Exception as error:
        first = (str(error) or type(error).__name__).partition("\n")[0].rstrip(".")
        return (
            f"JAX does not start with JAX_PLATFORMS={platforms!r} ({first}); unset it, or set it"
            " to cpu."
        )
    return None
