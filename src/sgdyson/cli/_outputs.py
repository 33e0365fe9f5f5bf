"""Options that mean the same in every command, and files looked at before any work is done."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .._files import check_target, user_path, write_text
from .._streams import is_stream
from ..errors import require

_STANDARD_OUTPUT = Path("-")

JsonFile = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="[FILE]",
        help="Write JSON to FILE; if none, to standard output in place of the table.",
    ),
]
CsvFile = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="[FILE]",
        help="Write CSV to FILE; if none, to standard output in place of the table.",
    ),
]
HtmlFile = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a page with pictures to FILE."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
Workers = Annotated[int | None, typer.Option(help="Threads here; all cores if none.")]
Scheduler = Annotated[
    str | None, typer.Option(help="A Dask scheduler, tcp://HOST:PORT, instead of this machine.")
]
Seed = Annotated[int, typer.Option(help="Of all random numbers, a whole number from 0 up.")]

DYSON_INDEX = typer.Option(
    "--beta", help="Dyson index: 1, 2, 4 for real, complex, quaternion matrices."
)


def out_file(what: str) -> Any:
    """The option `--out` of a command that writes one file."""
    return typer.Option("--out", metavar="FILE", help=f"File to write: {what}.")


def out_folder(default: str = "") -> Any:
    """The option `--out` of a command that fills a folder, which it may find half done."""
    words = "Folder for the results: a new one, or one that holds the same work, which goes on."
    return typer.Option(
        "--out", metavar="FOLDER", help=words + (default and f" Default: {default}.")
    )


def check_outputs(
    *, force: bool, source: Path | Sequence[Path] | None = None, **files: Path | None
) -> None:
    """Refuse, before any work is done, what could not be written, or would be lost.

    Args:
        force: whether files that exist may be replaced.
        source: what the command reads, one path or several, which no output may replace.
        files: by the name of their option; None where the option is not given, `-` for standard
            output.

    Raises:
        InvalidInputError: a file that exists, without force; the same file, or standard output,
            twice; a place where no file can be written.
    """
    sources = [source] if isinstance(source, Path) else list(source or ())
    taken: dict[Path, str] = {}
    for name, path in files.items():
        if path is None:
            continue
        where = path if path == _STANDARD_OUTPUT else _checked(f"--{name}", path, force, sources)
        target = "standard output" if where == _STANDARD_OUTPUT else str(path)
        require(
            where not in taken,
            f"--{name} and {taken.get(where)} both go to {target}; give one of them another file.",
        )
        taken[where] = f"--{name}"


def to_standard_output(*files: Path | None) -> bool:
    """Whether one of them takes the place of the table."""
    return _STANDARD_OUTPUT in files


def emit(path: Path | None, text: str) -> None:
    """Write to a file that was checked, or to standard output, or nowhere where None."""
    if path == _STANDARD_OUTPUT:
        sys.stdout.write(text)
    elif path is not None:
        write_text(path, text)


def _checked(option: str, path: Path, force: bool, sources: Sequence[Path]) -> Path:
    """The file that is meant, links followed."""
    check_target(path)
    path = user_path(path)
    exists = path.exists() and not is_stream(path)
    require(
        not (exists and any(source.exists() and path.samefile(source) for source in sources)),
        f"{option} {path} is what is read; choose another name.",
    )
    require(force or not exists, f"{option} {path} exists; choose another name, or add --force.")
    return path.resolve()
