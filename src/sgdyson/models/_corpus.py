"""Text as whole numbers: the standard library's own source, a file, or a string."""

import sysconfig
from pathlib import Path

import numpy as np

from ..errors import InvalidInputError, require


def read_text(text: str | Path | None, characters: int) -> str:
    """The first characters of a text, of a file, or of Python's standard library.

    Args:
        text: itself, the path of a file, or None for the library's modules, in order of name.
        characters: at most so many.

    Raises:
        InvalidInputError: a file that cannot be read as UTF-8.
    """
    if text is None:
        return _standard_library(characters)
    if isinstance(text, str):
        return text[:characters]
    try:
        return text.read_text(encoding="utf-8")[:characters]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"{text} cannot be read as UTF-8 text ({error}); give another file, or the text itself"
            " as a string."
        ) from error


def tokens(text: str, symbols: int) -> tuple[np.ndarray, str]:
    """A number from 0 for each character, and the characters that have a number of their own.

    The rarer ones, beyond `symbols` - 1, share the last number.
    """
    # four bytes a character, whatever it is; a lone surrogate, as a str may hold, has a code too
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    letters, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
    most = len(letters) if len(letters) <= symbols else symbols - 1
    # how frequent decides who has a number, the alphabet which one: equal counts change nothing
    frequent = np.sort(np.argsort(-counts, kind="stable")[:most])
    numbers = np.full(len(letters), most, np.int32)
    numbers[frequent] = np.arange(most)
    return numbers[places], "".join(map(chr, letters[frequent]))


def _standard_library(characters: int) -> str:
    folder = Path(sysconfig.get_path("stdlib"))
    parts: list[str] = []
    length = 0
    # a folder lists its files in an order that differs from machine to machine
    for path in sorted(folder.glob("*.py")):
        if length >= characters:
            break
        parts.append(path.read_text(encoding="utf-8", errors="replace"))
        length += len(parts[-1])
    require(
        bool(parts),
        f"{folder} holds no source of the standard library; give a text or a file instead.",
    )
    return "".join(parts)[:characters]
