"""The command line: a thin shell, in which each command calls the room of its name."""

# in the order of `sgdyson --help`
from . import _studies as _studies  # isort: skip
from . import _levels as _levels  # isort: skip
from . import _campaigns as _campaigns  # isort: skip
from . import _spectrum as _spectrum  # isort: skip
from . import _runs as _runs  # isort: skip
from ._app import app
from ._end import main

__all__ = ["app", "main"]
