"""The end of a command: all that was printed, or one sentence and exit status 2."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from .._failures import in_one_sentence
from .._interrupt import leave, was_interrupted
from .._terminal import prepare_streams, tell
from ._app import app


def main() -> None:
    """Run the command line: a mistake is one sentence and exit status 2, never a traceback."""
    prepare_streams()
    try:
        app()
    except SystemExit as end:
        if was_interrupted():
            leave()
        if not isinstance(end.__context__, BrokenPipeError):
            _end(end.code)
        _fail(end.__context__)
    except BaseException as error:
        if was_interrupted():
            leave()
        _fail(error)
    _end(0)


def _end(status: object) -> NoReturn:
    """Leave, once all that was printed has found its way out."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _fail(error)
    raise SystemExit(status)


def _fail(error: BaseException) -> NoReturn:
    """One sentence for what a user can mend; a traceback for a fault of ours."""
    sentence = in_one_sentence(error)
    if sentence is None:
        raise error
    # what is left in the stream's buffer would raise again when Python ends
    if isinstance(error, OSError) and not error.filename:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    with suppress(OSError):
        tell(f"sgdyson: {sentence}")
    raise SystemExit(2)
