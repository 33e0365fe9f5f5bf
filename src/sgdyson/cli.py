"""The command line: a thin shell over the library."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from . import __version__
from .errors import InvalidInputError

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

    Writes results.json, report.html, figures and runs. Stopped and called again, it goes on from
    the finished runs. Exit status: 0 when all checks hold, 1 when one fails, 2 for misuse.

    Example: sgdyson reproduce --preset paper --out paper --only wigner --only scaling
    """
    from .reproduce import reproduce as run

    console = Console(stderr=True, highlight=False)
    checks = run(preset, only=only or (), out=out, seed=seed, say=console.print)
    failed = [check for check in checks if not check.passed]
    console.print(f"{len(checks) - len(failed)} of {len(checks)} checks hold; see", end=" ")
    console.print(str(out / "report.html"), soft_wrap=True)
    for check in failed[:_MOST_FAILURES]:
        console.print(
            f"  fails: {check.name}: measured {check.measured}, predicted {check.predicted:.5g},"
            f" allowed ± {check.tolerance:.2g}",
            soft_wrap=True,
        )
    raise typer.Exit(1 if failed else 0)


def main() -> None:
    """Entry point: a user's mistake is one sentence and exit status 2, never a traceback."""
    try:
        app()
    except InvalidInputError as error:
        Console(stderr=True).print(f"sgdyson: {error}", markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print("\nStopped; the same command goes on from the finished runs.")
        sys.exit(130)
    except OSError as error:
        Console(stderr=True).print(f"sgdyson: {error}", markup=False, soft_wrap=True)
        sys.exit(2)
