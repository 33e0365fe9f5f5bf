"""Lists in a spec: which parameters vary, and the settings that they make."""

import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

_MOST_SETTINGS = 100_000
_TABLES = ("model", "learning")


def varied_in(raw: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """The lists of a spec; a teacher is itself a list of numbers, and so are hidden layers."""
    tables = [("", raw), *((f"{t}.", raw[t]) for t in _TABLES if isinstance(raw.get(t), dict))]
    for prefix, table in tables:
        for key, value in table.items():
            is_list = isinstance(value, list)
            if is_list and key in ("teacher", "strengths", "hidden"):
                is_list = bool(value) and all(isinstance(entry, list) for entry in value)
            if is_list:
                yield prefix + key, value


def mistakes_of_lists(raw: dict[str, Any], varied: dict[str, list[Any]]) -> list[str]:
    mistakes = []
    for key, values in varied.items():
        zipped = key == "replicas" and raw.get("vary") == "zip"
        if "." not in key and key != "burn_in" and not zipped:
            mistakes.append(f"{key} = {values}: one value for the whole campaign; a list may stand"
                            ' in [model], in [learning], for burn_in and, with vary = "zip", for'
                            " replicas.")  # fmt: skip
        if not values:
            mistakes.append(f"{key} = []: give at least one value.")
        if raw.get("vary") != "zip" and _repeats(values):
            mistakes.append(f"{key} = {values}: a value stands there twice; remove one.")
    lengths = {key: len(values) for key, values in varied.items()}
    if raw.get("vary") == "zip":
        columns = [
            [None if key == "replicas" else value for value in values]
            for key, values in varied.items()
        ]
        if len(set(lengths.values())) > 1:
            mistakes.append(f'vary = "zip" needs lists of one length, not {lengths}; use "grid".')
        elif _repeats(list(zip(*columns, strict=True))):
            mistakes.append('vary = "zip": a setting stands there twice; remove one.')
        number = max(lengths.values(), default=1)
    else:
        number = math.prod(lengths.values())
    if number > _MOST_SETTINGS:
        mistakes.append(f"{number} settings; at most {_MOST_SETTINGS}.")
    return mistakes


def _repeats(values: list[Any]) -> bool:
    return len({json.dumps(value, sort_keys=True) for value in values}) < len(values)


def combinations(raw: dict[str, Any], varied: dict[str, list[Any]]) -> Iterator[tuple[Any, ...]]:
    if raw.get("vary") == "zip" and varied:
        return zip(*varied.values(), strict=True)
    return itertools.product(*varied.values())


def replaced(raw: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The spec with other values, named as in `learning.batch_size`."""
    chosen = {
        key: dict(content) if isinstance(content, dict) else content for key, content in raw.items()
    }
    for key, value in values.items():
        table, _, name = key.rpartition(".")
        (chosen[table] if table else chosen)[name] = value
    return chosen
