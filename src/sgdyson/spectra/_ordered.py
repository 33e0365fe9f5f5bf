"""The one rule by which statistics of a spectrum take their levels: in any order."""

import numpy as np

from .._checks import reals
from .._types import ArrayLike, Floats
from ..errors import require

_SEGMENTS = 10  # of a single spectrum, in place of samples


def ascending(levels: ArrayLike, name: str = "levels") -> Floats:
    """A sorted copy of real, finite levels, shape (level,) or (sample, level).

    Raises:
        InvalidInputError: another shape, or levels that are complex, NaN or infinite.
    """
    return np.sort(_rows(levels, name), axis=-1)


def samples(levels: ArrayLike, name: str = "levels") -> Floats:
    """`ascending` levels, shape (sample, level); a single spectrum as ten neighbouring segments."""
    return in_segments(ascending(levels, name), name)


def in_segments(values: ArrayLike, name: str) -> Floats:
    """Shape (sample, value), in the order given; a single list as ten segments."""
    x = _rows(values, name)
    if x.ndim == 1:
        size = len(x) // _SEGMENTS
        require(size >= 3, f"{len(x)} {name} of a single spectrum; at least 30 are needed.")
        x = x[: size * _SEGMENTS].reshape(_SEGMENTS, size)
    require(
        x.shape[0] >= 2 and x.shape[1] >= 3,
        f"{x.shape[0]} samples of {x.shape[1]} {name}: give at least 2 of 3.",
    )
    return x


def _rows(values: ArrayLike, name: str) -> Floats:
    x = reals(name, values, "leave such samples out")
    require(x.ndim in (1, 2), f"{name} have shape {x.shape}; give (sample, level) or (level,).")
    return x
