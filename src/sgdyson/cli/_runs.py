"""Checkpoints, and training runs that were tracked."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .._attributes import csv_text, json_text, with_errors
from .._terminal import tell, visible
from ._app import Command, app
from ._outputs import (
    CsvFile,
    Force,
    HtmlFile,
    JsonFile,
    Scheduler,
    Workers,
    check_outputs,
    emit,
    out_file,
    to_standard_output,
)  # fmt: skip

_PANEL = "Checkpoints and training runs"

FalseAlarm = Annotated[
    float, typer.Option(help="Chance of an outlier in a matrix of pure noise, at each record.")
]

BaseModel = Annotated[
    Path | None, typer.Option(help="Model of an adapter: W_0 + s B A in place of s B A.")
]


@app.command(cls=Command, rich_help_panel=_PANEL)
def spectrum(
    path: Annotated[
        Path, typer.Argument(help="A checkpoint, its folder, a folder of several, or hf:ORG/NAME.")
    ],
    json_file: JsonFile = None,
    csv_file: CsvFile = None,
    html_file: HtmlFile = None,
    force: Force = False,
    false_alarm: FalseAlarm = 0.01,
    tail: Annotated[
        bool, typer.Option("--tail", help="Fit power laws to the tail, with p-values.")
    ] = False,
    split: Annotated[int, typer.Option(help="Parts of fused query-key-value matrices.")] = 1,
    randomise: Annotated[
        bool, typer.Option("--randomise", help="Singular values of shuffled entries too: traps.")
    ] = False,
    layout: Annotated[
        str,
        typer.Option(help="Of three axes or more: auto (by name), torch, channels_last or stack."),
    ] = "auto",
    names: Annotated[
        list[str] | None, typer.Option(help="Names to take, with * and ?; several may be given.")
    ] = None,
    smallest: Annotated[int, typer.Option(help="Least number of rows and of columns.")] = 1,
    roles: Annotated[
        list[str] | None,
        typer.Option(
            help="Of attention, mlp, embedding, convolution, recurrent, head, other; several may be"
            " given."
        ),
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="A row for each checkpoint, of means over matrices.")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(help="Hold each matrix against that of another checkpoint.")
    ] = None,
    base: BaseModel = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    method: Annotated[
        str, typer.Option(help="exact; or lanczos: large ones faster, with errors.")
    ] = "exact",
    device: Annotated[
        str | None, typer.Option(help="cuda or cpu, by PyTorch or JAX; NumPy on all cores if none.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep what is found in FILE, and go on from it."),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch hf:ORG/NAME; else nothing is fetched.")
    ] = False,
) -> None:
    """Spectra of the weight matrices of a checkpoint: noise, outliers, ranks; a row for each.

    Reads files of safetensors, NumPy and PyTorch, and with the extra "formats"
    those of Keras, HDF5, ONNX, Flax, Orbax and GGUF; nothing in them is run.
    What has no spectrum is listed on stderr with the reason, and so is what
    was assumed in reading.

    Example: sgdyson spectrum model.safetensors --json table.json --html page.html
    """
    from ..checkpoints import compare, fetch, survey
    from ..errors import require
    from ..tracking import write_run_report
    from ..tracking.page import run_of_spectra

    require(split >= 1, f"--split {split} must be at least 1: the parts of a matrix.")
    require(0 < false_alarm < 1, f"--false-alarm {false_alarm} must be between 0 and 1.")
    check_outputs(force=force, source=path, json=json_file, csv=csv_file, html=html_file)
    require(workers is None or workers >= 1, f"--workers {workers} must be at least 1.")
    require(
        resume is None or resume not in (path, json_file, csv_file, html_file),
        f"--resume {resume} is a file of its own; choose another name.",
    )
    require(
        method == "exact" or (html_file is None and not tail),
        f"--method {method} has no single levels; leave out --html and --tail.",
    )
    for place in (path, against, base) if download else ():
        fetch(place or "")
    if against is not None:
        others = {
            "--html": html_file, "--tail": tail, "--randomise": randomise, "--workers": workers,
            "--scheduler": scheduler, "--resume": resume, "--device": device,
            "--method": method != "exact", "--summary": summary,
        }  # fmt: skip
        given = [option for option, value in others.items() if value]
        require(not given, f"--against gives a table of distances, without {', '.join(given)}.")
        compared = compare(
            path, against, split, layout=layout, false_alarm=false_alarm, base=base,
            names=names or (), roles=roles or (), smallest=smallest,
        )  # fmt: skip
        _emit_rows(compared.rows(), compared.sentences(), json_file, csv_file)
        return
    seed = 0 if randomise else None
    spectra = survey(
        path, split, layout=layout, names=names or (), roles=roles or (), smallest=smallest,
        false_alarm=false_alarm, tail=tail, randomise=seed, base=base, workers=workers,
        scheduler=scheduler, resume=resume, method=method, device=device,
    )  # fmt: skip
    means = [with_errors(row) for row in spectra.summary()]
    rows = means if summary else spectra.rows()
    _emit_rows(rows, spectra.sentences(), json_file, csv_file, spectra.summary(), summary)
    if html_file is not None:
        run, measured = run_of_spectra(spectra.series())
        write_run_report(html_file, run, path.name, measured)
        tell(f"page: {html_file}")


def _emit_rows(
    rows: list[dict[str, Any]],
    sentences: Iterable[str],
    json_file: Path | None,
    csv_file: Path | None,
    means: Sequence[dict[str, Any]] = (),
    only_means: bool = False,
) -> None:
    """Tables on the terminal, unless a file takes their place; what was left out on stderr."""
    from ..checkpoints import print_summary, print_table

    for sentence in sentences:
        tell(visible(sentence))
    if not to_standard_output(json_file, csv_file):
        if not only_means:
            print_table(rows)
        if only_means or any(row["matrices"] > 1 for row in means):
            print_summary(means)
    emit(json_file, json_text(rows, indent=2) + "\n")
    emit(csv_file, csv_text(rows))


@app.command(cls=Command, rich_help_panel=_PANEL)
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


@app.command(cls=Command, rich_help_panel=_PANEL)
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


@app.command(cls=Command, rich_help_panel=_PANEL)
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

    check_outputs(force=force, source=path, json=json_file, csv=csv_file)
    results = emergence_at(path, false_alarm=false_alarm, vectors=vectors, split=split, base=base)
    if not to_standard_output(json_file, csv_file):
        for matrix in results.values():
            print("\n".join(visible(line) for line in str(matrix).splitlines()))
    rows = emergence_rows(results)
    emit(json_file, json_text(rows, indent=2) + "\n")
    emit(csv_file, csv_text(rows))
