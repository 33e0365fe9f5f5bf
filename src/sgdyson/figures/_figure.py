"""A figure: panels with a name and a caption."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ._elements import Panel


@dataclass(frozen=True)
class Figure:
    """A named figure of one panel or several; labels may hold $math$. Notebooks show it."""

    name: str
    title: str
    caption: str
    panels: Sequence[Panel] = field(repr=False)
    columns: int = 3

    def _repr_png_(self) -> bytes:
        """What Jupyter shows, whatever the user's own settings of Matplotlib."""
        from ._canvas import png  # late: a figure that is only written as HTML needs no Matplotlib

        return png(self.panels, self.columns)
