"""The paper, and other questions answered by runs, a measurement and a figure."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .._files import user_path
from .._terminal import tell
from ._app import Command, app
from ._outputs import Seed, out_folder

if TYPE_CHECKING:
    from ..analysis import Check

_PANEL = "The paper, and studies"
_MOST_FAILURES = 20


@app.command(cls=Command, rich_help_panel=_PANEL)
def reproduce(
    preset: Annotated[
        str, typer.Option(help="quick (minutes), paper (its statistics), literal (its protocol).")
    ] = "quick",
    only: Annotated[
        list[str] | None, typer.Option(help="A figure's name; repeat for more. Default: all.")
    ] = None,
    out: Annotated[Path, out_folder()] = Path("reproduction"),
    seed: Seed = 0,
) -> None:
    """Regenerate every figure of arXiv:2407.16427, each number beside its prediction.

    Writes results.json, report.html, figures and campaigns. Stopped and called again, it goes on
    from what is finished. Exit status: 0 when all checks hold, 1 when one fails, 2 for misuse.

    Example: sgdyson reproduce --preset paper --out paper --only wigner --only scaling
    """
    from ..studies.paper import reproduce as run

    checks = run(preset, only=only or (), out=out, seed=seed, say=tell)
    _tell_checks(checks, user_path(out) / "report.html")


@app.command(cls=Command, rich_help_panel=_PANEL)
def study(
    name: Annotated[
        str,
        typer.Argument(
            help="One of "
            "accuracy, dyson-test, emergence, linear-scaling, many-species, paper, phase-diagram,"
            " structure."
        ),
    ],
    out: Annotated[Path, out_folder()],
    seed: Seed = 0,
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
    from ..errors import require
    from ..studies import study as find
    from ..studies import study_structure

    run = find(name)
    if text is not None:
        require(name == "structure", f"--text is for the study structure, not for {name}.")
        run = partial(study_structure, text=text)
    checks = run(out, seed, tell, quick=quick)
    _tell_checks(checks, user_path(out) / "results.json")


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
