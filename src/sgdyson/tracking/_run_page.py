"""The page of a tracked run: spectra over time, a matrix at a time; opens offline."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

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

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="$policy">
<title>$title</title>
<style>$css</style>
</head>
<body>
<header>
<h1>$title</h1>
<p class="soft">$subtitle</p>
</header>
<main>
<section>
<h2>Every weight matrix at the last record</h2>
<p class="soft">Click a heading to sort. Outliers stand above what pure noise would exceed with a
chance of $false_alarm a matrix; where noise would have such a bulk with a smaller chance than that
(bulk p), there is none, and nothing is told of it. Below a tail p of 0.1 the tail is no power law.
The noise scale, in samples, is told where the mean gradient stands above its error. A Dyson index
of 1 is that of levels which repel as in Dyson Brownian motion, 0 of levels that do not.</p>
<div class="scroll wide">$table</div>
</section>
<section>
<h2>One matrix over time</h2>
<p><label>Matrix <select id="matrix"></select></label></p>
<p><label>Record <input type="range" id="time" min="0" value="0"></label>
<span id="shown" class="soft"></span></p>
<div class="panels" style="--columns:2">
<div class="panel" id="spectrum"></div><div class="panel" id="levels"></div>
<div class="panel" id="emergence"></div><div class="panel" id="persistence"></div>
<div class="panel" id="outliers"></div><div class="panel" id="ratio"></div>
<div class="panel" id="sigma"></div><div class="panel" id="noise"></div>
</div>
<p class="soft">An outlier is out from halfway between two of the records shown here, with that
distance as its error, on; in the band lies the largest level of noise, in nine of ten records.</p>
<ul id="detachments" class="soft"></ul>
</section>
<section>
<h2>Which learning rates and batch sizes keep the noise</h2>
<pre>$advice</pre>
</section>
<section>
<h2>Not recorded, or not measured</h2>
$skipped
</section>
<footer>Made by sgdyson $version.</footer>
</main>
<script type="application/json" id="matrices">$matrices</script>
<script>$plotly</script>
<script>$sorting</script>
<script>$script</script>
</body>
</html>
""")


def write_run_page(
    path: Path,
    *,
    title: str,
    subtitle: str,
    rows: Sequence[Mapping[str, Any]],
    matrices: Sequence[Mapping[str, Any]],
    advice: str,
    skipped: Mapping[str, Sequence[str]],
    false_alarm: float,
    version: str,
) -> None:
    """Write the page, whole or not at all.

    Args:
        path: of the HTML file.
        title: of the page.
        subtitle: one sentence below it.
        rows: one mapping of plain values, estimates, or pairs of a number to sort by and its text
            a matrix, all with the same keys.
        matrices: what `run.js` draws, one a matrix.
        advice: plain text.
        skipped: names, by the reason.
        false_alarm: chance of an outlier in a matrix of noise, as it was measured.
        version: of the software.
    """
    heads = {name: "" if isinstance(value, str) else "number" for name, value in rows[0].items()}
    cells = ["".join(_cell(value) for value in row.values()) for row in rows]
    reasons = [
        f"<dt>{escape(reason)}</dt><dd>{escape(', '.join(names))}</dd>"
        for reason, names in skipped.items()
    ]
    page = _PAGE.substitute(
        title=escape(title), subtitle=escape(subtitle), policy=CONTENT_POLICY,
        table=sortable_table("matrices-table", "Weight matrices", heads, cells),
        matrices=script_json(matrices), advice=escape(advice),
        skipped=f"<dl>{''.join(reasons)}</dl>" if reasons else "<p>Nothing was left out.</p>",
        css=asset("sgdyson.figures", "page.css"), sorting=asset("sgdyson.figures", "table.js"),
        script=asset(__package__, "run.js"),
        plotly=plotly_source(), false_alarm=f"{100 * false_alarm:g} %", version=escape(version),
    )  # fmt: skip
    write_text(path, page)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    if isinstance(value, tuple):
        return number_cell(*value)
    if isinstance(value, Estimate):
        return number_cell(value.value, str(value))
    return number_cell(value, "" if value is None else f"{value:.4g}")
