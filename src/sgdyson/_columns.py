"""Tables in a terminal: names whole, columns whole, or left out and named where there is no room.

Rich cuts every column a little, until nothing can be read, where a terminal is too narrow for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.table import Table

from ._terminal import console, tell

_FRAME = 3  # a line and two spaces, for each column
_NARROWEST = 26  # of the column that folds


@dataclass(frozen=True)
class Columns:
    """Columns of one length.

    Attributes:
        kept: texts of those that are never left out, by heading; the first folds.
        others: texts of the others, by key.
        heads: headings of these, by key.
        wanted: keys in the order in which they are kept where there is no room for all; then the
            others in their own order.
        title: above the table.
    """

    kept: Mapping[str, Sequence[str]]
    others: Mapping[str, Sequence[str]]
    heads: Mapping[str, str]
    wanted: Sequence[str] = ()
    title: str | None = None
    _widths: dict[str, int] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._widths.update({k: _width(self.heads[k], texts) for k, texts in self.others.items()})

    @property
    def width(self) -> int:
        """Characters that the whole table takes."""
        return sum((*self._kept_widths, *self._widths.values())) + 1

    @property
    def _kept_widths(self) -> list[int]:
        return [_width(head, texts) for head, texts in self.kept.items()]

    def show(self, remedy: str = "") -> None:
        """Print them to standard output, as wide as they need where it is no terminal.

        Args:
            remedy: said of columns for which there is no room.
        """
        drawn = console(width=self.width)
        shown = self.fitting(drawn.width)
        drawn.print(self.table(shown))
        if len(shown) < len(self.others):
            rest = ", ".join(self.heads[key] for key in self.others if key not in shown)
            tell(f"no room in this terminal for {rest}{remedy and f'; {remedy}'}")

    def fitting(self, width: int) -> list[str]:
        """Keys of the columns for which there is room, the most wanted of them, in their order."""
        first = [key for key in self.wanted if key in self._widths]
        folding, *rest = self._kept_widths or [0]
        room = width - 1 - sum(rest) - min(folding, max(width // 4, _NARROWEST))
        chosen = set[str]()
        for key in (*first, *(key for key in self._widths if key not in first)):
            room -= self._widths[key]
            if room < 0:
                break
            chosen.add(key)
        return [key for key in self._widths if key in chosen]

    def table(self, shown: Sequence[str]) -> Table:
        """The table of what is kept, and of these."""
        table = Table(title=self.title)
        for place, head in enumerate(self.kept):
            table.add_column(head, overflow="fold", no_wrap=place > 0)
        for key in shown:
            table.add_column(self.heads[key], justify="right", no_wrap=True)
        columns = [*self.kept.values(), *(self.others[key] for key in shown)]
        for texts in zip(*columns, strict=True):
            table.add_row(*texts)
        return table


def _width(head: str, texts: Sequence[str]) -> int:
    return max(map(cell_len, [head, *texts])) + _FRAME
