"""Matplotlib, which is imported here first, whatever `MPLBACKEND` says.

Our figures are drawn without a backend; but a value that this installation lacks, such as that of
a notebook's kernel, makes the import itself fail.
"""

import os
import sys
from contextlib import suppress


def prepare_matplotlib() -> None:
    """Import it; the user's choice of a backend stays, where there is one that it knows."""
    if "matplotlib" in sys.modules:
        return
    wanted = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib as mpl
    finally:
        if wanted is not None:
            os.environ["MPLBACKEND"] = wanted
    if wanted is not None:
        with suppress(ValueError):
            mpl.rcParams["backend"] = wanted
