"""Libraries that read a format, which a user has where there are such files."""

import importlib
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError


def library(name: str, path: Path, what: str, package: str = "") -> Any:
    """A library, imported when a file needs it.

    Args:
        name: of the module.
        path: the file.
        what: the kind of it, with an article.
        package: what to install, if it has another name.

    Raises:
        InvalidInputError: it is not installed.
    """
    needed = package or name
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InvalidInputError(
            f"{path} is {what}; install {needed} to read it: pip install {needed}."
        ) from error


def says(name: str, error: Exception) -> str:
    """What a library has said, for a sentence: libraries raise errors of many kinds."""
    return f"{name} says {type(error).__name__} ({' '.join(str(error).split())[:200]})"
