"""A table: what a result shows in a terminal and in a notebook, and hands on to data frames."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InvalidInputError

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST = 24  # rows that are shown; those in the middle of more are left out
_LEFT_OUT = "…"


@dataclass(frozen=True)
class Table:
    """Columns of one length.

    Attributes:
        title: one line.
        columns: values by key: numbers, text, flags, None, or estimates with an error.
        heads: key and heading of the columns that are shown; the others are for frames alone.
        notes: sentences below.
    """

    title: str
    columns: Mapping[str, Sequence[Any]]
    heads: Mapping[str, str]
    notes: Sequence[str] = field(default=())

    def to_dict(self) -> dict[str, list[Any]]:
        """Plain values by column; an estimate has a column `_error` of its own beside it."""
        plain: dict[str, list[Any]] = {}
        for key, values in self.columns.items():
            plain[key] = [_plain(_part(value, "value")) for value in values]
            if any(hasattr(value, "error") for value in values):
                plain[f"{key}_error"] = [_plain(_part(value, "error")) for value in values]
        return plain

    def text(self) -> str:
        """Aligned columns under their headings, numbers to the right."""
        rows = self._rows()
        kinds = [self._is_text(key) for key in self.heads]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if is_text else cell.rjust(width)
                for cell, width, is_text in zip(row, widths, kinds, strict=True)
            ).rstrip()
            for row in rows
        ]
        return "\n".join([self.title, *lines, *self.notes])

    def html(self) -> str:
        """A table as notebooks show it."""
        kinds = ["left" if self._is_text(key) else "right" for key in self.heads]
        head, *rows = (
            "".join(
                f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>'
                for cell, side in zip(row, kinds, strict=True)
            )
            for tag, row in zip(["th", *["td"] * self._length()], self._rows(), strict=False)
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"<p>{escape(self.title)}</p><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>{notes}"
        )

    def _rows(self) -> list[list[str]]:
        """Headings and cells as text."""
        places: list[int | None] = list(range(self._length()))
        if len(places) > _MOST:
            places = [*places[: _MOST // 2], None, *places[-(_MOST // 2) :]]
        return [
            list(self.heads.values()),
            *(
                [_LEFT_OUT if i is None else cell_text(self.columns[key][i]) for key in self.heads]
                for i in places
            ),
        ]

    def _length(self) -> int:
        return max((len(values) for values in self.columns.values()), default=0)

    def _is_text(self, key: str) -> bool:
        return any(isinstance(value, str) for value in self.columns[key])


class Tabular:
    """What is shown as a table, and becomes a data frame."""

    @abstractmethod
    def _table(self) -> Table:
        """What to show."""

    def __repr__(self) -> str:
        return self._table().text()

    def __str__(self) -> str:
        return self._table().text()

    def _repr_html_(self) -> str:
        return self._table().html()

    def to_dict(self) -> dict[str, Any]:
        """Columns as plain lists, by name; an error has a column `NAME_error` of its own."""
        return self._table().to_dict()

    def to_frame(self) -> DataFrame:
        """The same as a pandas data frame: full numbers, errors in columns of their own.

        Raises:
            InvalidInputError: pandas is not installed.
        """
        return frame(self._table().to_dict())


def frame(columns: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]) -> DataFrame:
    """A pandas data frame of columns by name, or of rows.

    Raises:
        InvalidInputError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise InvalidInputError(
            "to_frame needs another package: pip install pandas; without it to_dict gives plain"
            " lists."
        ) from error
    return pd.DataFrame(columns)


def _part(value: Any, name: str) -> Any:
    """Value or error of an estimate; of anything else the value alone."""
    if hasattr(value, "error"):
        return getattr(value, name)
    return value if name == "value" else None


def _plain(value: Any) -> Any:
    """A value of Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def cell_text(value: Any) -> str:
    """A value as a cell shows it: four digits, or an estimate with its error."""
    value = _plain(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
