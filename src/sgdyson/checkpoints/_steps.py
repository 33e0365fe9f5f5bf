"""The step of each checkpoint of a series: from inside the files, or from their names.

A name may hold many numbers, a loss, a learning rate, a precision. One of them is the step if it
has the name of a time, or if it is the only one that all names share and that varies.
"""

import re
from collections.abc import Mapping, Sequence

from .._stored import FACTS

_FIELD = re.compile(
    r"(?P<word>[A-Za-z]*)[=_\-. ]*"
    r"(?P<number>(?<!\d)\d{1,18}(?!\d))(?P<rest>\.\d+|[eE][+-]?\d+)*(?P<unit>[kKM](?![A-Za-z]))?"
)
_TIMES = (
    "step", "steps", "iter", "iters", "iteration", "iterations", "it", "update", "updates",
    "epoch", "epochs", "ep", "checkpoint", "ckpt", "chkpt", "round",
)  # fmt: skip
_NO_TIMES = frozenset((
    "loss", "acc", "accuracy", "lr", "rate", "bf", "fp", "float", "int", "seed", "v", "version",
    "fold", "rank", "run", "rep", "replica", "trial", "wd", "bs", "size", "dim", "width", "depth",
    "sigma", "noise", "f", "ppl", "score", "val", "auc", "gpu", "shard", "part", "alpha", "beta",
))  # fmt: skip
_UNITS = {"k": 1000, "K": 1000, "M": 1_000_000}
Field = tuple[str, int]  # the word before a number, and the how-manieth of that word it is


def steps_of(
    labels: Sequence[str], facts: Sequence[Mapping[str, int]]
) -> tuple[list[int | None], list[str]]:
    """The step of each checkpoint, None where it has none, and what is to be said of them.

    Args:
        labels: names of files or folders, without ending.
        facts: whole numbers inside of each.
    """
    if len(labels) < 2:
        return [None] * len(labels), []
    steps, notes = _inside(labels, facts) or _named(labels)
    return steps, [*notes, *_repeated(labels, steps)]


def fields_of(label: str) -> dict[Field, int | None]:
    """Numbers of a name by the word before them; None for one that is not whole."""
    fields: dict[Field, int | None] = {}
    for match in _FIELD.finditer(label):
        word, count = match["word"].lower(), 0
        while (word, count) in fields:
            count += 1
        whole = int(match["number"]) * _UNITS.get(match["unit"] or "", 1)
        fields[word, count] = None if match["rest"] else whole
    return fields


def _inside(
    labels: Sequence[str], facts: Sequence[Mapping[str, int]]
) -> tuple[list[int | None], list[str]] | None:
    """Steps from the first quantity in the files that varies and that all numbered files hold."""
    for key in FACTS:
        steps = [fact.get(key) for fact in facts]
        lacking = [label for label, step in zip(labels, steps, strict=True) if step is None]
        if len(set(steps) - {None}) > 1 and not any(fields_of(label) for label in lacking):
            return steps, [f"steps are {key!r} inside the files"]
    return None


def _named(labels: Sequence[str]) -> tuple[list[int | None], list[str]]:
    fields = [fields_of(label) for label in labels]
    varying = [key for key in dict.fromkeys(key for own in fields for key in own)
               if _varies([own.get(key) for own in fields if key in own])]  # fmt: skip
    chosen = _time(varying, fields) or _only(varying, fields)
    if chosen is None:
        return [None] * len(labels), [_unclear(varying)]
    steps = [own.get(chosen) for own in fields]
    others = [_word(key) for key in varying if key != chosen]
    beside = f"; no steps: the numbers after {', '.join(others)}" if others else ""
    return steps, [f"steps are the numbers after {_word(chosen)} in the names{beside}"]


def _varies(values: list[int | None]) -> bool:
    return len(values) > 1 and len(set(values)) > 1


def _is_whole(key: Field, fields: list[dict[Field, int | None]]) -> bool:
    return all(own[key] is not None for own in fields if key in own)


def _time(varying: list[Field], fields: list[dict[Field, int | None]]) -> Field | None:
    """The field with the name of a time that most names have; of equals, the finest time."""
    times = [key for key in varying if key[0] in _TIMES and _is_whole(key, fields)]
    return min(
        times,
        key=lambda key: (-sum(key in own for own in fields), _TIMES.index(key[0])),
        default=None,
    )


def _only(varying: list[Field], fields: list[dict[Field, int | None]]) -> Field | None:
    """The one field that all names with numbers share, unless it is known to be no time."""
    shared = [
        key for key in varying
        if key[0] not in _NO_TIMES and _is_whole(key, fields)
        and all(key in own for own in fields if own)
    ]  # fmt: skip
    return shared[0] if len(shared) == 1 else None


def _unclear(varying: list[Field]) -> str:
    words = ", ".join(_word(key) for key in varying)
    what = f"none of the numbers after {words} is known to be the step" if varying else (
        "no number in the names varies"
    )  # fmt: skip
    return f"{what}: checkpoints have no step and come in the order of their names"


def _word(key: Field) -> str:
    word, count = key
    return (repr(word) if word else "no word") + (f" (number {count + 1})" if count else "")


def _repeated(labels: Sequence[str], steps: list[int | None]) -> list[str]:
    """Checkpoints of one step, and those without."""
    by_step: dict[int | None, list[str]] = {}
    for label, step in zip(labels, steps, strict=True):
        by_step.setdefault(step, []).append(label)
    without = by_step.pop(None, [])
    notes = [
        f"step {step} stands for {len(same)} checkpoints: {', '.join(same)}"
        for step, same in by_step.items()
        if len(same) > 1
    ]
    return [*notes, f"without a step: {', '.join(without)}"] if without and by_step else notes
