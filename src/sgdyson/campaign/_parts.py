"""A campaign in parts, each a process and a store of its own: for array jobs without a scheduler.

Parts are stretches of the list of chunks, of about the same number of updates: a part meets few
settings, and compiles few programs. Of adaptive precision they are stretches of the settings.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import require
from ._claim import Part

_MOST_PARTS = 100_000


def part_of(text: str) -> Part:
    """The part that is meant by `3/16`.

    Raises:
        InvalidInputError: anything else, or a number that is not among them.
    """
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip())
    number, of = (int(group) for group in match.groups()) if match else (0, 0)
    require(
        1 <= number <= of <= _MOST_PARTS,
        f"--part {text} must be NUMBER/PARTS, such as 3/16, with a number from 1 to that of the"
        f" parts, which are at most {_MOST_PARTS}.",
    )
    return number, of


def folder_of(part: Part, parts: Path) -> Path:
    """Where a part is kept, in the folder of all."""
    number, of = part
    return parts / f"part-{number:0{len(str(of))}d}-of-{of}"


def stretch(weights: Sequence[float], part: Part) -> range:
    """Which of a list of works, in a row, belong to a part."""
    number, of = part
    ends = np.cumsum(weights)
    total = ends[-1] if len(ends) else 1.0
    # a work belongs to the part in whose share of the whole its middle lies
    owners = np.minimum((ends - np.asarray(weights) / 2) / total * of, of - 1).astype(int)
    start, stop = np.searchsorted(owners, [number - 1, number])
    return range(int(start), int(stop))
