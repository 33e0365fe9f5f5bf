"""Options that mean the same in every command, and files looked at before any work is done."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .._files import check_target, user_path, write_text
from .._streams import is_standard_output, is_stream
from ..errors import require

_STANDARD_OUTPUT = Path("-")
_TEXTS = ("json", "csv")  # which may go to standard output

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
    *, force: bool, source: Path | Sequence[Path | None] | None = None, **files: Path | None
) -> None:
    """Refuse, before any work is done, what could not be written, or would be lost.

    Args:
        force: whether files that exist may be replaced.
        source: what the command reads, one path or several, which no output may replace: files,
            and what is in folders but for outputs of before; None where an option is not given.
        files: by the name of their option; None where the option is not given, `-` for standard
            output.

    Raises:
        InvalidInputError: a file that exists, without force; what is read; the same file, or
            standard output, twice; a page to `-`; a place where no file can be written.
    """
    given = [source] if isinstance(source, Path) else source or ()
    sources = [user_path(path) for path in given if path is not None]
    taken: dict[Path, str] = {}
    for name, path in files.items():
        if path is None:
            continue
        require(
            name in _TEXTS or path != _STANDARD_OUTPUT,
            f"--{name} - is no file, and only --json and --csv go to standard output; give a name.",
        )
        where = path
        if to_standard_output(path):
            where = _STANDARD_OUTPUT
        else:
            where = _checked(f"--{name}", path, force, sources)
        target = "standard output" if where == _STANDARD_OUTPUT else str(path)
        require(
            where not in taken,
            f"--{name} and {taken.get(where)} both go to {target}; give one of them another file.",
        )
        taken[where] = f"--{name}"


def to_standard_output(*files: Path | None) -> bool:
    """Whether one of them takes the place of the table."""
    return any(
        path == _STANDARD_OUTPUT or (path is not None and is_standard_output(path))
        for path in files
    )


def emit(path: Path | None, text: str) -> None:
    """Write to a file that was checked, or to standard output, or nowhere where None.

    What goes to a pipe or a file of the shell has the bytes of the file, whatever a terminal takes.
    """
    if path is not None and to_standard_output(path):
        binary = getattr(sys.stdout, "buffer", None)  # a notebook's output takes text alone
        if binary is None or sys.stdout.isatty():
            sys.stdout.write(text)
        else:
            sys.stdout.flush()
            binary.write(text.encode("utf-8", errors="backslashreplace"))
    elif path is not None:
        write_text(path, text)


def _checked(option: str, path: Path, force: bool, sources: Sequence[Path]) -> Path:
    """The file that is meant, links followed."""
    check_target(path)
    path = user_path(path)
    exists = path.exists() and not is_stream(path)
    require(
        not (exists and any(_is_read(path, source) for source in sources)),
        f"{option} {path} is what is read; choose another name.",
    )
    require(force or not exists, f"{option} {path} exists; choose another name, or add --force.")
    return path.resolve()


def _is_read(path: Path, source: Path) -> bool:
    """Whether it is the source, or in its folder and not what an option wrote there before."""
    if not source.exists():
        return False
    inside = source.resolve() in path.resolve().parents
    return path.samefile(source) or (inside and not _is_output(path))


def _is_output(path: Path) -> bool:
    """By its ending; our JSON is a list, which settings and indices of a checkpoint are not."""
    if path.suffix == ".json":
        with path.open("rb") as handle:
            return handle.read(1) == b"["
    return path.suffix in (".csv", ".html", ".nc")
