"""What every page is made of: it opens offline and asks nothing of the network."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

CONTENT_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


def number_cell(value: float | None, text: str) -> str:
    """A cell that sorts by its value."""
    return f'<td class="number" data-value="{"" if value is None else value}">{escape(text)}</td>'


def sortable_table(name: str, caption: str, heads: Mapping[str, str], rows: Sequence[str]) -> str:
    """A table whose headings sort it."""
    cells = "".join(
        f'<th scope="col" class="{kind}"><button>{escape(head)}</button></th>'
        for head, kind in heads.items()
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<table class="sortable" id="{name}" aria-label="{escape(caption)}">'
        f"<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
    )


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def asset(package: str, name: str) -> str:
    """A text that lies in a package, such as a style sheet."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def plotly_source() -> str:
    """Plotly's own JavaScript."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")
