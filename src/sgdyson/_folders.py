"""Folders that are ours to write into: those that were empty, and say ever since whose they are."""

import json
from pathlib import Path
from typing import Any

from ._attributes import json_text
from ._failures import reason_of
from ._files import is_scratch, user_path, write_text
from .errors import InvalidInputError, require


def claim_folder(out: Path | str, marker: str, claim: dict[str, Any], what: str) -> Path:
    """Take an empty or a new folder, or recognise it as taken for the same purpose.

    Args:
        out: the folder, made if need be; `~` is the user's home.
        marker: file in it that holds the claim.
        claim: plain values; a folder of another claim is refused.
        what: it is for, "a reproduction".

    Returns:
        The folder.

    Raises:
        InvalidInputError: a folder with other contents, or one that cannot be written.
    """
    folder = user_path(out)
    try:
        if (folder / marker).is_file():
            held = _read(folder / marker)
            require(
                held == claim,
                f"--out {folder} holds {what} with {held}, not {claim}; choose another folder, or"
                " remove this one.",
            )
        else:
            require_empty(folder, what)
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / marker, json_text(claim, indent=2) + "\n")
    except OSError as error:
        raise cannot_be_used(folder, error) from error
    return folder


def require_empty(folder: Path, what: str) -> None:
    """Refuse a folder with contents, which are not ours to touch."""
    inside = folder.iterdir() if folder.is_dir() else iter(())
    foreign = min((path.name for path in inside if not is_scratch(path.name)), default=None)
    require(
        foreign is None,
        f"--out {folder} is not empty (it holds {foreign}) and not {what}; choose another folder.",
    )


def cannot_be_used(folder: Path, error: OSError) -> InvalidInputError:
    """What the system says against a folder, as one sentence."""
    return InvalidInputError(
        f"--out {folder} cannot be used ({reason_of(error)}); choose a folder that can be written."
    )


def _read(marker: Path) -> Any:
    try:
        return json.loads(marker.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return "an unreadable claim"
