"""Settings and results as data that every writer keeps and every reader reads.

JSON has no infinity and no NaN, and the words that Python writes for them stop every other parser;
netCDF has no truth values and no nested lists.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

_WORDS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan, "Infinity": math.inf}


def attributes_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as attributes of a data set: numbers, text, and flat lists of either.

    An infinite number is told as "inf", a truth value as 0 or 1, a nested list as JSON; what is
    None is left out. `number_of` undoes it for a number.

    Examples:
        >>> attributes_of({"batch_size": math.inf, "shared": True, "seed": None})
        {'batch_size': 'inf', 'shared': 1}
    """
    return {key: _attribute(value) for key, value in settings.items() if value is not None}


def number_of(attributes: Mapping[str, Any], name: str) -> float | None:
    """A number of the attributes of a data set; None where there is none.

    Examples:
        >>> number_of({"batch_size": "inf"}, "batch_size")
        inf
    """
    value = attributes.get(name)
    if isinstance(value, str):
        return _WORDS.get(value)
    return float(value) if isinstance(value, int | float | np.number) else None


def json_text(content: Any, indent: int | None = None) -> str:
    """Valid JSON of anything: numbers that are not finite are told in words, NaN as null."""
    return json.dumps(_finite(content), indent=indent, allow_nan=False)


def with_errors(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of plain values: an estimate becomes two, the error under `_error`.

    Examples:
        >>> from sgdyson.stats import Estimate
        >>> with_errors({"matrices": 2, "rank": Estimate(1.5, 0.1, 2.0)})
        {'matrices': 2, 'rank': 1.5, 'rank_error': 0.1}
    """
    plain: dict[str, Any] = {}
    for key, value in row.items():
        plain[key] = getattr(value, "value", value)
        if hasattr(value, "error"):
            plain[f"{key}_error"] = value.error
    return plain


def csv_text(rows: Sequence[Mapping[str, Any]], names: Iterable[str] = ()) -> str:
    """Rows as CSV below their names, which are those of all rows together; None is left empty.

    Args:
        rows: plain values by name.
        names: that stand there if there is no row, too.

    Examples:
        >>> csv_text([{"name": "w", "rows": 3}, {"name": "v", "outliers": None}]).splitlines()
        ['name,rows,outliers', 'w,3,', 'v,,']
    """
    text = io.StringIO()
    names = dict.fromkeys([*names, *(name for row in rows for name in row)])
    writer = csv.DictWriter(text, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _attribute(value: Any) -> Any:
    value = _python(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if not isinstance(value, list | tuple):
        return value if isinstance(value, int | str) else json_text(value)
    plain = [_attribute(item) for item in value]
    flat = not any(isinstance(item, dict | list | tuple) for item in map(_python, value))
    alike = len({isinstance(item, str) for item in plain}) == 1
    return plain if flat and alike else json_text(value)


def _python(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _finite(value: Any) -> Any:
    value = _python(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
