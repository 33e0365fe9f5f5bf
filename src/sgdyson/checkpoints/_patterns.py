r"""Regular expressions of a foreign file, matched in a time that the file cannot choose.

Python's `re` tries one way through a pattern after the other, and `(x+x+)+y` has it try for ever.
Here all ends of a piece are found together, from all its starts (K. Thompson, Comm. ACM 11, 419
(1968)), so that a piece costs what the name is long, and not the number of ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import InvalidInputError, require

_LONGEST = 500
_DEEPEST = 40  # groups within groups
_STEPS = 20_000
_ATOM = re.compile(r"\\[^0-9xuUN]|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[()|*+?]")
_REPEAT = re.compile(r"([*+?]|\{(\d*)(,?)(\d*)\})\??")
_GROUP = re.compile(r"\((?!\?)|\(\?:|\(\?P<\w+>|\(\?[=!]")
Starts = frozenset[int]
Ends = Callable[[Starts], Starts]  # where a piece of a pattern ends, by where it starts


def matches(pattern: str, name: str) -> bool:
    """Whether `re.match(pattern, name)` finds something.

    Raises:
        InvalidInputError: no pattern, too long a one, or one that looks behind or back.
    """
    require(len(pattern) <= _LONGEST, f"a pattern of {len(pattern)} characters is too long")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        raise InvalidInputError(f"no pattern ({error})") from error
    return bool(_Pattern(pattern, name).whole()(frozenset({0})))


@dataclass
class _Pattern:
    """A pattern that is read from left to right, on one name."""

    text: str
    name: str
    at: int = 0
    depth: int = 0
    steps: int = 0

    def whole(self) -> Ends:
        ends = self._choice()
        require(self.at == len(self.text), f"not understood at {self.text[self.at :][:20]!r}")
        return ends

    def _choice(self) -> Ends:
        ways = [self._row()]
        while self._next("|"):
            ways.append(self._row())
        return lambda starts: frozenset[int]().union(*(way(starts) for way in ways))

    def _row(self) -> Ends:
        pieces: list[Ends] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            pieces.append(self._repeated(self._one()))

        def ends(starts: Starts) -> Starts:
            for piece in pieces:
                starts = piece(starts) if starts else starts
            return starts

        return ends

    def _one(self) -> Ends:
        group = _GROUP.match(self.text, self.at)
        if group is None:
            return self._atom()
        self.at, self.depth = group.end(), self.depth + 1
        require(self.depth <= _DEEPEST, "groups within groups, too deep")
        inner = self._choice()
        self._next(")")
        self.depth -= 1
        if group[0] not in ("(?=", "(?!"):
            return inner
        wanted = group[0] == "(?="
        return lambda starts: frozenset(s for s in starts if bool(inner(frozenset({s}))) == wanted)

    def _atom(self) -> Ends:
        """A character, a class of them, or a place between two: `re` itself is asked."""
        match = _ATOM.match(self.text, self.at)
        require(match is not None, f"not understood at {self.text[self.at :][:20]!r}")
        assert match is not None
        self.at, atom = match.end(), re.compile(match[0])

        def ends(starts: Starts) -> Starts:
            self._count(len(starts))
            tried = (atom.match(self.name, start) for start in starts)
            return frozenset(end.end() for end in tried if end)

        return ends

    def _repeated(self, piece: Ends) -> Ends:
        match = _REPEAT.match(self.text, self.at)
        if match is None or match[1] == "{}":  # which stands for itself
            return piece
        self.at = match.end()
        least, most = _bounds(match)

        def ends(starts: Starts) -> Starts:
            for _ in range(least):
                before, starts = starts, piece(starts)
                if starts == before:  # once more would change nothing
                    break
            reached = starts
            for _ in range(most - least):
                starts = piece(starts) - reached
                reached |= starts
                if not starts:
                    break
            return reached

        return ends

    def _next(self, sign: str) -> bool:
        is_next = self.text[self.at : self.at + 1] == sign
        self.at += is_next
        return is_next

    def _count(self, steps: int) -> None:
        self.steps += steps
        require(self.steps <= _STEPS, "it takes too long to match")


def _bounds(match: re.Match[str]) -> tuple[int, int]:
    """How often a piece stands in a row, at least and at most."""
    simple = {"*": (0, 2**32), "+": (1, 2**32), "?": (0, 1)}
    if match[1] in simple:
        return simple[match[1]]
    least = int(match[2] or 0)
    return least, int(match[4] or 2**32) if match[3] else least
