"""Text for a terminal: what others wrote is shown as it is, and does nothing.

Names of arrays, of files and of runs are foreign text: no markup, no control of the terminal, and
no character that the terminal's encoding lacks may stop the program.
"""

import io
import os
import sys
import unicodedata
from typing import Any

from rich.console import Console
from rich.text import Text

# controls, formats such as those that turn the direction of writing, surrogates, line separators
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: object, keep: str = "") -> str:
    r"""Text on one line, with `\n` for a new line, `\x1b` for an escape, and so on.

    Args:
        text: foreign, or with something foreign in it.
        keep: characters that are left as they are.
    """
    return "".join(c if c in keep else _shown(c) for c in str(text))


def tell(text: object, *, stderr: bool = True) -> None:
    """Print lines of our own, with foreign text in them."""
    stream = sys.stderr if stderr else sys.stdout
    stream.write(visible(text, keep="\n") + "\n")
    stream.flush()


def console(*, width: int = 140) -> Console:
    """A console that draws tables and takes strings as text, not as markup.

    Args:
        width: in columns, where there is no terminal to tell.
    """
    made = _Plain(highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = width
    return made


def prepare_streams() -> None:
    """Show as an escape whatever the encoding of the standard streams lacks; replace closed ones.

    For the command line: a library leaves the streams of its user alone.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Plain(Console):
    def render_str(self, text: str, **options: Any) -> Text:
        options |= {"markup": False, "emoji": False}
        return super().render_str(visible(text, keep="\n"), **options)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
