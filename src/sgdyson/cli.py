"""The command line: a thin shell over the library."""

import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ._failures import in_one_sentence
from ._files import check_target, user_path
from ._interrupt import leave, was_interrupted
from ._terminal import prepare_streams, tell, visible
from ._version import __version__

if TYPE_CHECKING:
    from .analysis import Check

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The random-matrix laboratory of stochastic gradient descent.",
)
_MOST_FAILURES = 20


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sgdyson {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command()
def reproduce(
    preset: Annotated[
        str, typer.Option(help="quick (minutes), paper (its statistics), literal (its protocol).")
    ] = "quick",
    only: Annotated[
        list[str] | None, typer.Option(help="A figure's name; repeat for more. Default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("reproduction"),
    seed: Annotated[int, typer.Option(help="Of all runs, from 0 up.")] = 0,
) -> None:
    """Regenerate every figure of arXiv:2407.16427, each number beside its prediction.

    Writes results.json, report.html, figures and campaigns. Stopped and called again, it goes on
    from what is finished. Exit status: 0 when all checks hold, 1 when one fails, 2 for misuse.

    Example: sgdyson reproduce --preset paper --out paper --only wigner --only scaling
    """
    from .studies.paper import reproduce as run

    checks = run(preset, only=only or (), out=out, seed=seed, say=tell)
    _tell_checks(checks, user_path(out) / "report.html")


def _tell_checks(checks: "list[Check]", where: Path) -> None:
    """How many checks hold, and which do not; exit with 1 if there is one."""
    failed = [check for check in checks if not check.passed]
    tell(f"{len(checks) - len(failed)} of {len(checks)} checks hold; see {where}")
    for check in failed[:_MOST_FAILURES]:
        tell(
            f"  fails: {check.name}: measured {check.measured}, predicted {check.predicted:.5g},"
            f" allowed ± {check.tolerance:.2g}"
        )
    raise typer.Exit(1 if failed else 0)


@app.command()
def study(
    name: Annotated[
        str, typer.Argument(help="linear-scaling, many-species, paper, phase-diagram or structure.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    seed: Annotated[int, typer.Option(help="Of all runs, from 0 up.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A smaller version, to look at.")] = False,
    text: Annotated[
        Path | None,
        typer.Option(help="Of structure: a file to learn, instead of Python's own source."),
    ] = None,
) -> None:
    """Answer a question with runs, a measurement and a figure.

    Stopped and called again, it goes on from what is finished. Exit status: 0 when all checks
    hold, 1 when one fails, 2 for misuse.

    Example: sgdyson study phase-diagram --out phases
    """
    from .errors import require
    from .studies import study as find
    from .studies import study_structure

    run = find(name)
    if text is not None:
        require(name == "structure", f"--text is for the study structure, not for {name}.")
        run = partial(study_structure, text=text)
    checks = run(out, seed, tell, quick=quick)
    _tell_checks(checks, user_path(out) / "results.json")


@app.command()
def dyson(
    out: Annotated[Path, typer.Option(help="Film (.gif, .mp4) or picture (.png, .pdf, .svg).")],
    levels: Annotated[int, typer.Option(help="How many, from 2 up.")] = 8,
    beta: Annotated[float, typer.Option(help="Repulsion, from 1 up; 1, 2, 4 are matrices.")] = 1.0,
    duration: Annotated[float, typer.Option(help="Units of time; levels settle in about 1.")] = 3.0,
    seed: Annotated[int, typer.Option(help="From 0 up.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Levels that repel each other: Dyson Brownian motion from one point to the Coulomb gas.

    Example: sgdyson dyson --levels 8 --out film.gif
    """
    from .dyson.film import film_from_one_point

    film_from_one_point(out, levels, beta, duration, seed, replace=force)
    tell(f"{out}: {levels} levels, beta = {beta:g}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Of the campaign; the file is NAME.toml.")],
    like: Annotated[
        str | None,
        typer.Option(help="A campaign of the paper: rbm_batch, rbm_rate, teacher_online, ..."),
    ] = None,
) -> None:
    """Write a commented spec to start a campaign from.

    Example: sgdyson new scaling --like rbm_batch && sgdyson run scaling.toml --dry-run
    """
    from .campaign.starter import write_starter

    path = write_starter(name, like)
    tell(f"{path} written; next: sgdyson run {path}")


@app.command()
def run(
    spec: Annotated[Path, typer.Argument(help="A TOML file; `sgdyson new NAME` writes one.")],
    out: Annotated[Path | None, typer.Option(help="Folder; the campaign's name if none.")] = None,
    workers: Annotated[int | None, typer.Option(help="Threads here; all cores if none.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask scheduler, tcp://HOST:PORT, instead of this machine.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show settings, time, disk and memory; run nothing.")
    ] = False,
) -> None:
    """Run every setting of a campaign; stopped and called again, only what is missing.

    Example: sgdyson run scaling.toml --out results --workers 2
    """
    from .campaign import Campaign
    from .campaign.starter import describe

    campaign = Campaign.from_file(spec, out)
    if dry_run:
        tell(describe(campaign), stderr=False)
        return
    campaign.run(workers=workers, scheduler=scheduler)
    tell(f"{campaign.progress().text()} finished in {campaign.store.folder}")


@app.command()
def status(folder: Annotated[Path, typer.Argument(help="Of a campaign.")]) -> None:
    """Tell what is done.

    Example: sgdyson status results
    """
    from .campaign import Campaign

    campaign = Campaign.from_folder(folder)
    chunks, in_all = campaign.finished()
    tally = campaign.progress()
    tell(f"{tally.text()}, chunks {chunks}/{in_all} finished in {folder}", stderr=False)


@app.command()
def verify(folder: Annotated[Path, typer.Argument(help="Of a campaign.")]) -> None:
    """Hash all files again. Exit status 1 when one differs: `run` puts it right.

    Example: sgdyson verify results
    """
    from .campaign import Campaign

    campaign = Campaign.from_folder(folder)
    bad = campaign.verify()
    damaged = campaign.store.bad_frame()
    tell(f"{campaign.finished()[0]} chunks are good, {len(bad)} are not", stderr=False)
    for chunk in bad[:_MOST_FAILURES]:
        tell(f"  setting {chunk.setting}, chunk {chunk.number}: will be run again", stderr=False)
    for name in damaged[:_MOST_FAILURES]:
        tell(f"  metadata {name}: will be written again", stderr=False)
    raise typer.Exit(1 if bad or damaged else 0)


@app.command()
def analyze(
    path: Annotated[Path, typer.Argument(help="A campaign, a Zarr run, .npz, .npy, or a folder.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers to this file.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Write an HTML page, NAME-analysis.html, here.")
    ] = False,
    array: Annotated[str | None, typer.Option(help="Name of the array in an .npz.")] = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Axes of the array: replica, time, and row,column or level or singular."),
    ] = None,
    burn_in: Annotated[
        int | None, typer.Option(help="Records to leave out; the first half if none is given.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Where files do not tell.")] = None,
    batch_size: Annotated[float | None, typer.Option(help="Where files do not tell.")] = None,
    noise: Annotated[float | None, typer.Option(help="Where files do not tell.")] = None,
) -> None:
    """Spacings, widths, the Wigner surmise and the scaling line of recorded histories.

    Exit status 1 when a file of a folder could not be read, 2 for misuse. Nothing is unpickled.

    Example: sgdyson analyze weights.npz --axes replica,time,row,column --json result.json
    """
    from .analysis import analyze as measure
    from .analysis import show, write_json, write_summary_report

    page = Path(f"{path.resolve().stem}-analysis.html")
    for target in (json_file, page if report else None):
        if target is not None:
            check_target(target)
    named = tuple(part.strip() for part in axes.split(",")) if axes else None
    found = measure(path, burn_in=burn_in, array=array, axes=named, learning_rate=learning_rate,
                    batch_size=batch_size, noise=noise)  # fmt: skip
    show(found.summaries, found.lines)
    for failure in found.failures:
        tell(f"sgdyson: {failure}")
    if json_file is not None:
        write_json(json_file, found.summaries, found.lines)
    if report and found.summaries:
        command = f"sgdyson analyze {path} --report"
        write_summary_report(page, found.summaries, found.lines, command=command)
        tell(f"page: {page}")
    raise typer.Exit((1 if found.summaries else 2) if found.failures else 0)


@app.command()
def spectrum(
    path: Annotated[Path, typer.Argument(help="A checkpoint, its folder, or a folder of several.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    false_alarm: Annotated[
        float, typer.Option(help="Chance of an outlier in a matrix of pure noise.")
    ] = 0.01,
    tail: Annotated[
        bool, typer.Option("--tail", help="Fit a power law to the tail, with a p-value.")
    ] = False,
    split: Annotated[int, typer.Option(help="Parts of fused query-key-value matrices.")] = 1,
    randomise: Annotated[
        bool, typer.Option("--randomise", help="Largest singular value of shuffled entries too.")
    ] = False,
    layout: Annotated[
        str,
        typer.Option(help="Of three axes or more: auto (by name), torch, channels_last or stack."),
    ] = "auto",
    html: Annotated[Path | None, typer.Option(help="Also write a page with pictures.")] = None,
) -> None:
    """Spectra of the weight matrices of a checkpoint: noise, outliers, ranks; a row for each.

    Reads safetensors and npz, and with PyTorch installed its files, weights only. What has no
    spectrum is listed on stderr with the reason, and so is what was assumed in reading.

    Example: sgdyson spectrum model.safetensors --json > table.json
    """
    from .checkpoints import print_rows, survey
    from .errors import require
    from .tracking import write_run_report
    from .tracking.page import run_of_spectra

    require(not (as_json and as_csv), "--json and --csv are two formats; choose one.")
    require(split >= 1, f"--split {split} must be at least 1: the parts of a matrix.")
    require(0 < false_alarm < 1, f"--false-alarm {false_alarm} must be between 0 and 1.")
    seed = 0 if randomise else None
    if html is not None:
        check_target(html)
    found = survey(path, split, layout=layout, false_alarm=false_alarm, tail=tail, randomise=seed)
    for sentence in found.sentences():
        tell(visible(sentence))
    if html is not None:
        run, measured = run_of_spectra(found.series())
        write_run_report(html, run, path.name, measured)
        tell(f"page: {html}")
    print_rows(found.rows(), "json" if as_json else "csv" if as_csv else "table")


@app.command()
def report(
    path: Annotated[Path, typer.Argument(help="The store of a tracked run.")],
    out: Annotated[Path | None, typer.Option(help="The page; NAME.html here by default.")] = None,
) -> None:
    """A page of a tracked run: spectra over time, outliers, noise, the linear scaling rule.

    Works on a run that is still going, or that crashed.

    Example: sgdyson report run.zarr --out run.html
    """
    from .tracking import open_run, write_run_report

    page = out or Path(f"{path.resolve().stem}.html")
    check_target(page)
    write_run_report(page, open_run(path), path.resolve().stem)
    tell(f"page: {page}")


def main() -> None:
    """Run the command line: a mistake is one sentence and exit status 2, never a traceback."""
    prepare_streams()
    try:
        app()
    except SystemExit as end:
        if was_interrupted():
            leave()
        if not isinstance(end.__context__, BrokenPipeError):
            _end(end.code)
        _fail(end.__context__)
    except BaseException as error:
        if was_interrupted():
            leave()
        _fail(error)
    _end(0)


def _end(status: object) -> NoReturn:
    """Leave, once all that was printed has found its way out."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _fail(error)
    raise SystemExit(status)


def _fail(error: BaseException) -> NoReturn:
    """One sentence for what a user can mend; a traceback for a fault of ours."""
    sentence = in_one_sentence(error)
    if sentence is None:
        raise error
    # what is left in the stream's buffer would raise again when Python ends
    if isinstance(error, OSError) and not error.filename:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    with suppress(OSError):
        tell(f"sgdyson: {sentence}")
    raise SystemExit(2)
