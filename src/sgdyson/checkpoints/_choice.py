"""Which matrices of a checkpoint are measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from .._checks import whole
from .._stored import Stored
from ..errors import require

_MOST_NAMES = 5


@dataclass
class Choice:
    """Matrices by name and by size.

    Args:
        patterns: those of names, with * and ?; all names, if none.
        smallest: least number of rows and of columns.

    Attributes:
        left_out: how many have not been chosen so far.
    """

    patterns: Sequence[str]
    smallest: int
    left_out: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.patterns = (self.patterns,) if isinstance(self.patterns, str) else tuple(self.patterns)
        self.smallest = whole("smallest", self.smallest, 1)

    def named(self, stored: Iterable[Stored]) -> list[Stored]:
        """Those whose name is chosen.

        Raises:
            InvalidInputError: a pattern that no name has.
        """
        stored = list(stored)
        for pattern in self.patterns:
            names = ", ".join(item.name for item in stored[:_MOST_NAMES])
            require(
                any(fnmatchcase(item.name, pattern) for item in stored),
                f"names = {pattern!r} matches no array; names are like {names}.",
            )
        chosen = [
            item
            for item in stored
            if not self.patterns
            or any(fnmatchcase(item.name, pattern) for pattern in self.patterns)
        ]
        self.left_out += len(stored) - len(chosen)
        return chosen

    def takes(self, matrix: np.ndarray | Stored) -> bool:
        """Whether a matrix is large enough."""
        if min(matrix.shape) >= self.smallest:
            return True
        self.left_out += 1
        return False

    def sentence(self) -> list[str]:
        """How many were left out, if any."""
        return [f"left out {self.left_out} that were not chosen"] if self.left_out else []
