"""Which matrices of a checkpoint are measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from .._checks import whole
from .._stored import Stored
from ..errors import require
from ..spectra import ROLES, role_of

_MOST_NAMES = 5


@dataclass
class Choice:
    """Matrices by name, by size and by what they do.

    Args:
        patterns: those of names, with * and ?; all names, if none.
        smallest: least number of rows and of columns.
        roles: of `role_of`; all, if none.

    Attributes:
        left_out: how many have not been chosen so far.
    """

    patterns: Sequence[str]
    smallest: int
    roles: Sequence[str] = ()
    left_out: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.patterns = (self.patterns,) if isinstance(self.patterns, str) else tuple(self.patterns)
        self.roles = (self.roles,) if isinstance(self.roles, str) else tuple(self.roles)
        self.smallest = whole("smallest", self.smallest, 1)
        for role in self.roles:
            require(role in ROLES, f"roles = {role!r} is none of {', '.join(ROLES)}; choose one.")

    def named(self, stored: Iterable[Stored]) -> list[Stored]:
        """Those whose name and role are chosen.

        Raises:
            InvalidInputError: a pattern that no name has, or a role.
        """
        stored = list(stored)
        for pattern in self.patterns:
            names = ", ".join(item.name for item in stored[:_MOST_NAMES])
            require(
                any(fnmatchcase(item.name, pattern) for item in stored),
                f"names = {pattern!r} matches no array; names are like {names}.",
            )
        roles = {item.name: role_of(item.name, item.shape) for item in stored if self.roles}
        for role in self.roles:
            known = ", ".join(sorted(set(roles.values())))
            require(role in roles.values(), f"roles = {role!r}: by their names there are {known}.")
        chosen = [
            item
            for item in stored
            if (not self.roles or roles[item.name] in self.roles)
            and (not self.patterns or any(fnmatchcase(item.name, p) for p in self.patterns))
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
