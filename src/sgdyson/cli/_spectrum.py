"""Spectra of checkpoints."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .._attributes import csv_text, json_text, with_errors
from .._files import user_path
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
    to_standard_output,
)  # fmt: skip

PANEL = "Checkpoints and training runs"
FalseAlarm = Annotated[
    float, typer.Option(help="Chance of an outlier in a matrix of pure noise, at each record.")
]

BaseModel = Annotated[
    Path | None, typer.Option(help="Model of an adapter: W_0 + s B A in place of s B A.")
]


@app.command(cls=Command, rich_help_panel=PANEL)
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
    read = [path, against, base, resume]
    check_outputs(force=force, source=read, json=json_file, csv=csv_file, html=html_file)
    require(workers is None or workers >= 1, f"--workers {workers} must be at least 1.")
    require(
        resume is None or not any(_same(resume, file) for file in (json_file, csv_file, html_file)),
        f"--resume {resume} is a file of its own; choose another name.",
    )
    require(
        method == "exact" or (html_file is None and not tail),
        f"--method {method} has no single levels; leave out --html and --tail.",
    )
    for place in (path, against, base) if download else ():
        fetch(place or "")
    chosen: dict[str, Any] = {
        "layout": layout, "names": names or (), "roles": roles or (), "smallest": smallest,
        "false_alarm": false_alarm, "base": base,
    }  # fmt: skip
    if against is not None:
        _alone({
            "--html": html_file, "--tail": tail, "--randomise": randomise, "--workers": workers,
            "--scheduler": scheduler, "--resume": resume, "--device": device,
            "--method": method != "exact", "--summary": summary,
        })  # fmt: skip
        compared = compare(path, against, split, **chosen)
        _emit_rows(compared.rows(), compared.sentences(), json_file, csv_file)
        return
    seed = 0 if randomise else None
    spectra = survey(
        path, split, tail=tail, randomise=seed, workers=workers, scheduler=scheduler,
        resume=resume, method=method, device=device, **chosen,
    )  # fmt: skip
    means = [with_errors(row) for row in spectra.summary()]
    rows = means if summary else spectra.rows()
    _emit_rows(rows, spectra.sentences(), json_file, csv_file, spectra.summary(), summary)
    if html_file is not None:
        run, measured = run_of_spectra(spectra.series())
        write_run_report(html_file, run, path.name, measured)
        tell(f"page: {html_file}")


def _same(path: Path, other: Path | None) -> bool:
    return other is not None and user_path(path).resolve() == user_path(other).resolve()


def _alone(others: dict[str, Any]) -> None:
    """Refuse what `--against` has no use for."""
    from ..errors import require

    given = [option for option, value in others.items() if value]
    require(not given, f"--against gives a table of distances, without {', '.join(given)}.")


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
