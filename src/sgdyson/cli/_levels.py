"""Levels that repel each other, and levels that were recorded."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from .._attributes import csv_text, json_text
from .._terminal import tell
from ._app import Command, app
from ._outputs import (
    DYSON_INDEX,
    CsvFile,
    Force,
    HtmlFile,
    JsonFile,
    Seed,
    check_outputs,
    emit,
    out_file,
    to_standard_output,
)  # fmt: skip

_PANEL = "Levels"


@app.command(cls=Command, rich_help_panel=_PANEL)
def dyson(
    out: Annotated[Path, out_file("a film (.gif, .mp4) or a picture (.png, .pdf, .svg)")],
    levels: Annotated[int, typer.Option(help="How many, from 2 up.")] = 8,
    beta: Annotated[float, DYSON_INDEX] = 1.0,
    duration: Annotated[float, typer.Option(help="Units of time; levels settle in about 1.")] = 3.0,
    process: Annotated[
        str,
        typer.Option(
            help="gas, in a harmonic potential; circle; jacobi, between two walls; bridge, back to"
            " the point (beta 1, 2 or 4)."
        ),
    ] = "gas",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Levels that repel each other: Dyson Brownian motion from one point to the Coulomb gas.

    Example: sgdyson dyson --levels 8 --out film.gif
    """
    from ..dyson.film import film_from_one_point

    check_outputs(force=force, out=out)
    film_from_one_point(out, levels, beta, duration, seed, process)
    tell(f"{out}: {levels} levels, beta = {beta:g}")


@app.command(cls=Command, rich_help_panel=_PANEL)
def analyze(
    path: Annotated[
        list[Path],
        typer.Argument(
            help="A campaign, a Zarr run, .npz, .npy, or a folder of any depth; or many."
        ),
    ],
    json_file: JsonFile = None,
    csv_file: CsvFile = None,
    html_file: HtmlFile = None,
    force: Force = False,
    array: Annotated[str | None, typer.Option(help="Name of the array in an .npz.")] = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Axes of the array: replica, time, and row,column or level or singular."),
    ] = None,
    burn_in: Annotated[
        int | None, typer.Option(help="Records to leave out; the first half if none is given.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate, where the files do not tell.")
    ] = None,
    batch_size: Annotated[
        float | None, typer.Option(help="Batch size, where the files do not tell.")
    ] = None,
    label_noise: Annotated[
        float | None, typer.Option(help="Noise of the labels, where the files do not tell.")
    ] = None,
    beta: Annotated[int | None, DYSON_INDEX] = None,
) -> None:
    """Spacings, widths, the Wigner surmise and the scaling line of recorded histories.

    Files with the same content count once, and are named. Exit status 1 when one of several could
    not be read, 2 when none could, or for misuse. Nothing is unpickled.

    Example: sgdyson analyze weights.npz --axes replica,time,row,column --json result.json
    """
    from ..analysis import analyze as measure
    from ..analysis import show, write_summary_report

    check_outputs(force=force, source=path, json=json_file, csv=csv_file, html=html_file)
    named = tuple(axis.strip() for axis in axes.split(",")) if axes else None
    analysis = measure(path, burn_in=burn_in, array=array, axes=named, learning_rate=learning_rate,
                       batch_size=batch_size, label_noise=label_noise, beta=beta)  # fmt: skip
    if not to_standard_output(json_file, csv_file):
        show(analysis.summaries, analysis.lines)
    for failure in analysis.failures:
        tell(f"sgdyson: {failure}")
    if not analysis.summaries:
        raise typer.Exit(2)
    emit(json_file, json_text(analysis.entries(), indent=2) + "\n")
    emit(csv_file, csv_text(analysis.rows()))
    if html_file is not None:
        command = shlex.join(["sgdyson", *sys.argv[1:]])
        write_summary_report(html_file, analysis.summaries, analysis.lines, command=command)
        tell(f"page: {html_file}")
    raise typer.Exit(1 if analysis.failures else 0)
