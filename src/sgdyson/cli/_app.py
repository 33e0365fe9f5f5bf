"""The application that commands join."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from .._version import __version__

_FILE_MAY_FOLLOW = ("--json", "--csv")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The random-matrix laboratory of stochastic gradient descent.",
)


class Command(TyperCommand):
    """A command whose `--json` and `--csv` mean standard output where no file follows."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _with_standard_output(args))


def _with_standard_output(args: list[str]) -> list[str]:
    """`--json` as `--json=-`, where it stands last or before another option."""
    end = args.index("--") if "--" in args else len(args)
    following = [*args[1:end], "--option"][:end]
    options = [
        f"{word}=-" if word in _FILE_MAY_FOLLOW and _is_option(after) else word
        for word, after in zip(args[:end], following, strict=True)
    ]
    return options + args[end:]


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"


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
