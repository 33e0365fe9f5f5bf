"""Patterns of foreign files mean what they mean to `re`, and none takes its time."""

import random
import re
from contextlib import suppress

import pytest

from sgdyson.checkpoints._patterns import matches
from sgdyson.errors import InvalidInputError

ATOMS = ["a", "b", ".", r"\.", r"\w", r"\d", "[ab]", "[^a.]", "1", "{", "a{}"]
PLACES = ["^", "$", r"\b", r"\Z"]
REPEATS = ["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{2,}", "{,}"]


def some_pattern(draw, depth=0):
    """A pattern of every kind of part that is understood."""
    parts = []
    for _ in range(draw.randrange(4)):
        if draw.random() < 0.2:  # `re` repeats no place
            parts.append(draw.choice(PLACES))
            continue
        part = draw.choice(ATOMS)
        if depth < 3 and draw.random() < 0.4:
            opening = draw.choice(["(", "(?:", "(?=", "(?!"])
            part = f"{opening}{some_pattern(draw, depth + 1)})"
        parts.append(part + draw.choice(REPEATS))
    return ("|" if draw.random() < 0.2 else "").join(parts)


def test_as_re_matches():
    draw, known = random.Random(1), 0
    for _ in range(1500):
        pattern, name = some_pattern(draw), "".join(draw.choices("ab1.", k=draw.randrange(9)))
        try:
            expected = bool(re.match(rf"(.*\.)?({pattern})$", name))
        except re.error:
            continue
        assert matches(rf"(.*\.)?({pattern})$", name) == expected, (pattern, name)
        known += expected
    assert 150 < known < 1350  # both answers have been asked for


@pytest.mark.parametrize(
    "pattern",
    ["(x+x+)+y", "(x*)*y", "(x|x)*y", "(.*.*.*.*.*.*)*y", "(((x{1,99}){1,99}){1,99}){1,99}y",
     "(x?){9999}y", "(?=(x+x+)+y)x", "x" * 600, "(" * 60 + "x" + ")" * 60],
)  # fmt: skip
def test_no_pattern_takes_its_time(pattern):
    """`re` would take 2^200 steps of the first: that this ends at all is the test."""
    with suppress(InvalidInputError):
        assert not matches(rf"(.*\.)?({pattern})$", 200 * "x")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [("(", "no pattern"), (r"(a)\1", "not understood"), ("(?<=a)b", "not understood"),
     ("(?i:a)", "not understood"), ("a*+", "not understood"), (r"\x61", "not understood"),
     ("(a*)*" * 90 + "b", "too long to match"), ("a" * 501, "too long")],
)  # fmt: skip
def test_what_is_not_understood_is_refused(pattern, reason):
    with pytest.raises(InvalidInputError, match=reason):
        matches(pattern, 500 * "a")
