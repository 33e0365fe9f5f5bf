"""One self-contained page: checks, figures, runs; opens offline, asks nothing of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from .._files import write_text
from ..stats import Estimate
from ._figure import Figure
from ._plotly import to_html, to_plotly
from .page import (
    CONTENT_POLICY,
    asset,
    number_cell,
    plotly_source,
    script_json,
    sortable_table,
)

_SYMBOLS = {"learning_rate": "α", "batch_size": "|B|", "kappa": "κ"}

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
<p class="verdict $mood">$verdict</p>
<nav aria-label="Contents"><a href="#checks">Checks</a>$links <a href="#runs">Runs</a>
<a href="#again">Run it again</a></nav>
</header>
<main>
<section id="checks">
<h2>Every number beside its prediction</h2>
<p class="soft">A check holds when measurement and theory differ by at most four standard errors
and the stated size of the first term that theory neglects. Click a heading to sort.</p>
<input id="search" type="search" placeholder="Filter, e.g. wigner 4.38" aria-label="Filter checks">
<div class="scroll">$checks</div>
</section>
<section>
<h2>Figures</h2>
$figures
</section>
<section id="runs">
<h2>What was run</h2>
<div class="scroll">$runs</div>
$notes
</section>
<section id="again">
<h2>Run it again</h2>
<pre>$command</pre>
<p class="soft">The same seed gives the same numbers on the same kind of machine. Versions:
$versions.</p>
</section>
<footer>Made by sgdyson $elapsed.</footer>
</main>
<script type="application/json" id="panels">$panels</script>
<script>$plotly</script>
<script>$sorting</script>
<script>$script</script>
</body>
</html>
""")


def write_report(
    path: Path,
    *,
    title: str,
    subtitle: str,
    checks: Sequence[Mapping[str, Any]],
    figures: Sequence[Figure],
    runs: Sequence[Mapping[str, Any]],
    command: str,
    elapsed: str,
    versions: Mapping[str, str],
    notes: Sequence[str] = (),
) -> None:
    """Write the page, whole or not at all.

    Args:
        path: path of the HTML file.
        title: title of the page.
        subtitle: one sentence below it.
        checks: as in `results.json`.
        figures: in order.
        runs: one mapping of plain values a run, all with the same keys.
        command: that makes the page again.
        elapsed: "in 3 minutes", say.
        versions: name and version of the software behind it.
        notes: sentences below the table of runs.
    """
    held = sum(bool(check["passed"]) for check in checks)
    page = _PAGE.substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        mood="" if held == len(checks) else "bad",
        verdict=f"{held} of {len(checks)} checks hold",
        links="".join(f' <a href="#{escape(f.name)}">{escape(_short(f))}</a>' for f in figures),
        checks=_checks_table(checks),
        figures="\n".join(_figure(figure) for figure in figures),
        runs=_runs_table(runs),
        notes=_notes(notes),
        command=escape(command),
        versions=escape(", ".join(f"{name} {version}" for name, version in versions.items())),
        elapsed=escape(elapsed),
        panels=script_json(
            {
                _panel_id(figure, number): to_plotly(panel)
                for figure in figures
                for number, panel in enumerate(figure.panels)
            }
        ),
        policy=CONTENT_POLICY,
        css=asset(__package__, "page.css"),
        sorting=asset(__package__, "table.js"),
        script=asset(__package__, "page.js"),
        plotly=plotly_source(),
    )
    write_text(path, page)


def _notes(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _short(figure: Figure) -> str:
    return figure.name.replace("_", " ")


def _figure(figure: Figure) -> str:
    columns = min(figure.columns, len(figure.panels))
    panels = "".join(
        f'<div class="panel" id="{_panel_id(figure, number)}"></div>'
        for number in range(len(figure.panels))
    )
    single = " single" if columns == 1 else ""
    return (
        f'<figure id="{escape(figure.name)}"><h3>{escape(figure.title)}</h3>'
        f'<div class="panels{single}" style="--columns:{columns}">{panels}</div>'
        f"<figcaption>{to_html(figure.caption)}</figcaption></figure>"
    )


def _panel_id(figure: Figure, number: int) -> str:
    return f"panel-{figure.name}-{number}"


def _checks_table(checks: Sequence[Mapping[str, Any]]) -> str:
    heads = {
        "holds": "", "quantity": "", "setting": "", "measured": "number", "predicted": "number",
        "ratio": "number", "allowed": "number", "figure": "", "name": "",
    }  # fmt: skip
    rows = [_check_row(check) for check in sorted(checks, key=lambda check: check["passed"])]
    return sortable_table("checks-table", "Checks of the reproduction", heads, rows)


def _check_row(check: Mapping[str, Any]) -> str:
    setting = ", ".join(
        f"{_SYMBOLS.get(name, name)} = {value}" for name, value in check["setting"].items()
    )
    measured = Estimate(check["measured"], check["error"], 1.0)
    ratio = check["ratio"]
    good = bool(check["passed"])
    return (
        f'<td class="{"yes" if good else "no"}">{"yes" if good else "no"}</td>'
        f"<td>{escape(check['quantity'])}</td>"
        f"<td>{escape(setting)}</td>{number_cell(check['measured'], str(measured))}"
        f"{number_cell(check['predicted'], format(check['predicted'], '.5g'))}"
        f"{number_cell(ratio, '' if ratio is None else format(ratio, '.4f'))}"
        f"{number_cell(check['tolerance'], '± ' + format(check['tolerance'], '.2g'))}"
        f'<td><a href="#{escape(check["figure"])}">{escape(check["figure"])}</a></td>'
        f"<td>{escape(check['name'])}</td>"
    )


def _runs_table(runs: Sequence[Mapping[str, Any]]) -> str:
    heads = {name: "" if isinstance(value, str) else "number" for name, value in runs[0].items()}
    rows = []
    for run in runs:
        cells = (
            f"<td>{escape(value)}</td>"
            if isinstance(value, str)
            else number_cell(value, f"{value:g}")
            for value in run.values()
        )
        rows.append("".join(cells))
    return sortable_table("runs-table", "Runs of the reproduction", heads, rows)
