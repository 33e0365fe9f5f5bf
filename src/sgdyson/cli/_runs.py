"""Training runs that were tracked."""

from pathlib import Path
from typing import Annotated

import typer

from .._attributes import csv_text, json_text
from .._terminal import tell, visible
from ._app import Command, app
from ._outputs import (
    CsvFile,
    Force,
    HtmlFile,
    JsonFile,
    check_outputs,
    emit,
    out_file,
    to_standard_output,
)  # fmt: skip
from ._spectrum import PANEL, BaseModel, FalseAlarm


@app.command(cls=Command, rich_help_panel=PANEL)
def report(
    path: Annotated[list[Path], typer.Argument(help="The store of a tracked run, or of several.")],
    out: Annotated[Path | None, out_file("the page; NAME.html here if none")] = None,
    json_file: JsonFile = None,
    csv_file: CsvFile = None,
    force: Force = False,
) -> None:
    """A page of a tracked run: spectra over time, outliers, noise, Dyson index, scaling rule.

    Several runs stand side by side. Works on a run that is still going, or that crashed. With
    --json or --csv a row for each matrix is written, and a page only where --out asks for it.

    Example: sgdyson report run.zarr --out run.html --csv run.csv
    """
    from ..tracking import open_run, report_rows, write_run_report

    names = run_names(path)
    title = " and ".join(names)
    page = out or (None if json_file or csv_file else Path(_file_name(names)))
    check_outputs(force=force, source=path, out=page, json=json_file, csv=csv_file)
    runs = {name: open_run(store) for name, store in zip(names, path, strict=True)}
    if page is not None:
        write_run_report(page, runs[title] if len(runs) == 1 else runs, title)
        tell(f"page: {page}")
    if json_file or csv_file:
        rows = [
            row if len(runs) == 1 else {"run": name, **row}
            for name, run in runs.items()
            for row in report_rows(run)
        ]
        emit(json_file, json_text(rows, indent=2) + "\n")
        emit(csv_file, csv_text(rows))


def _file_name(names: list[str]) -> str:
    return "-".join(names).replace("/", "_")[:200] + ".html"


def run_names(paths: list[Path]) -> list[str]:
    """Names of stores, those of their folders where two are equal, or numbered."""
    stems = [path.resolve().stem for path in paths]
    if len(set(stems)) < len(stems):
        stems = [f"{path.resolve().parent.name}/{path.resolve().stem}" for path in paths]
    again = [stems[:place].count(stem) for place, stem in enumerate(stems)]
    return [f"{stem} ({n + 1})" if n else stem for stem, n in zip(stems, again, strict=True)]


@app.command(cls=Command, rich_help_panel=PANEL)
def watch(
    path: Annotated[Path, typer.Argument(help="The store of a tracked run; it may yet begin.")],
    html_file: HtmlFile = None,
    force: Force = False,
    every: Annotated[float, typer.Option(help="Seconds between two looks.")] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
) -> None:
    """A run while it goes on: the last spectrum of each matrix, the losses; until Ctrl-C.

    With --html its page is written whenever there are new records, and a
    browser that shows it loads it anew.

    Example: sgdyson watch run.zarr --html run.html
    """
    from ..tracking import watch as look

    check_outputs(force=force, source=path, html=html_file)
    look(path, page=html_file, every=every, once=once)


@app.command(cls=Command, rich_help_panel=PANEL)
def emergence(
    path: Annotated[
        Path, typer.Argument(help="The store of a tracked run, or a folder of checkpoints.")
    ],
    json_file: JsonFile = None,
    csv_file: CsvFile = None,
    force: Force = False,
    false_alarm: FalseAlarm = 0.01,
    vectors: Annotated[
        int, typer.Option(help="Of checkpoints: leading levels whose vectors are compared.")
    ] = 8,
    split: Annotated[int, typer.Option(help="Parts of fused query-key-value matrices.")] = 1,
    base: BaseModel = None,
) -> None:
    """When each outlier of each matrix stepped out of the noise, and what its vectors did since.

    Of checkpoints also the step from which on it is half of what it is in the last. Matrices
    without a bulk of noise are left out.

    Example: sgdyson emergence run.zarr --csv modes.csv
    """
    from ..tracking import emergence_at, emergence_rows

    check_outputs(force=force, source=[path, base], json=json_file, csv=csv_file)
    results = emergence_at(path, false_alarm=false_alarm, vectors=vectors, split=split, base=base)
    if not to_standard_output(json_file, csv_file):
        for matrix in results.values():
            print("\n".join(visible(line) for line in str(matrix).splitlines()))
    rows = emergence_rows(results)
    emit(json_file, json_text(rows, indent=2) + "\n")
    emit(csv_file, csv_text(rows, ["name", *next(iter(results.values())).to_dict()]))
