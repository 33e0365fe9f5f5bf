"""The page of a tracked run: spectra over time, a matrix at a time; opens offline."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from .._files import write_text
from ..figures.page import (
    CONTENT_POLICY,
    asset,
    number_cell,
    plotly_source,
    script_json,
    sortable_table,
)
from ..stats import Estimate

_KINDS = (
    "spectrum", "levels", "emergence", "persistence", "outliers", "ratio", "sigma", "noise",
)  # fmt: skip
_MOST_COLUMNS = 3  # of runs beside each other; those of a fourth stand below


def write_run_page(
    path: Path,
    *,
    title: str,
    subtitle: str,
    rows: Sequence[Mapping[str, Any]],
    csv: str,
    runs: Sequence[Mapping[str, Any]],
    matrices: Sequence[Mapping[str, Any]],
    advice: str,
    skipped: Mapping[str, Sequence[str]],
    false_alarm: float,
    version: str,
    refresh: float | None,
) -> None:
    """Write the page, whole or not at all.

    Args:
        path: of the HTML file.
        title: of the page.
        subtitle: one sentence below it.
        rows: one mapping of plain values, estimates, or pairs of a number to sort by and its text
            a matrix, all with the same keys; "matrix" is the name.
        csv: the table as a file.
        runs: what `run.js` draws of each run.
        matrices: what it draws of each matrix.
        advice: plain text; empty where there is none to give, as of checkpoints.
        skipped: names, by the reason.
        false_alarm: chance of an outlier in a matrix of noise, as it was measured.
        version: of the software.
        refresh: seconds after which it is loaded anew; None for never.
    """
    heads = {name: "" if isinstance(value, str) else "number" for name, value in rows[0].items()}
    cells = ["".join(_cell(*item) for item in row.items()) for row in rows]
    reasons = [
        f"<dt>{escape(reason)}</dt><dd>{escape(', '.join(names))}</dd>"
        for reason, names in skipped.items()
    ]
    page = Template(asset(__package__, "run.html")).substitute(
        title=escape(title), subtitle=escape(subtitle), policy=CONTENT_POLICY,
        table=sortable_table("matrices-table", "Weight matrices", heads, cells),
        matrices=script_json(matrices), advice=escape(advice),
        unadvised="" if advice else " hidden",
        skipped=f"<dl>{''.join(reasons)}</dl>" if reasons else "<p>Nothing was left out.</p>",
        css=asset("sgdyson.figures", "page.css"), sorting=asset("sgdyson.figures", "table.js"),
        runs=script_json(runs), csv=script_json(csv),
        columns=min(len(runs), _MOST_COLUMNS) if len(runs) > 1 else 2,
        panels=_panels(len(runs)), file=escape(re.sub(r"[^\w.-]+", "-", title), quote=True),
        refresh=f'<meta http-equiv="refresh" content="{refresh:g}">\n' if refresh else "",
        panel_script=asset(__package__, "run_panels.js"), script=asset(__package__, "run.js"),
        plotly=plotly_source(), false_alarm=f"{100 * false_alarm:g} %", version=escape(version),
    )  # fmt: skip
    write_text(path, page)


def _panels(runs: int) -> str:
    """Places of the pictures of one matrix, of several runs beside each other."""
    return "".join(
        f'<div class="panel{"" if run or runs == 1 else " first"}" id="{kind}{_ending(run)}"></div>'
        for kind in _KINDS
        for run in range(runs)
    )


def _ending(run: int) -> str:
    return f"-{run}" if run else ""


def _cell(heading: str, value: Any) -> str:
    if heading == "matrix":
        return f'<td><a class="matrix" href="#{quote(value)}">{escape(value)}</a></td>'
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    if isinstance(value, tuple):
        return number_cell(*value)
    if isinstance(value, Estimate):
        return number_cell(value.value, str(value))
    return number_cell(value, "" if value is None else f"{value:.4g}")
