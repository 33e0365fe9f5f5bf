"""`spec.json`: whose a campaign's folder is, and what made its numbers."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any, TypeAlias

from .._files import create_text, sync_folder
from .._folders import cannot_be_used, require_empty
from ..errors import InvalidInputError, require
from ._generations import CLAIM, current
from ._spec import Spec, parse_spec
from ._versions import versions

Part: TypeAlias = tuple[int, int]  # its number, from 1, and how many there are
_FORMAT = 2  # of the folder: 2 since files are hashed one by one


def take(folder: Path, spec: Spec, part: Part | None = None) -> None:
    """Take an empty or a new folder for a campaign, or see that it holds one; touch nothing else.

    Raises:
        InvalidInputError: a folder with other contents, of other versions, or one that cannot be
            written.
    """
    path = folder / CLAIM
    try:
        if not path.is_file():
            require_empty(folder, "a campaign")
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
            claim = json.dumps(_plain(_claim(spec, part)), indent=2, allow_nan=False)
            create_text(path, claim + "\n")
    except OSError as error:
        raise cannot_be_used(folder, error) from error
    claimed = _read(folder)
    _require_claim(folder, claimed)
    _compare_versions(folder, claimed, "choose another --out")


def recognise(folder: Path, spec: Spec, part: Part | None = None) -> None:
    """See that a folder is of this spec, and of this part of it.

    Raises:
        InvalidInputError: of another.
    """
    claimed = _read(folder)
    require(
        claimed.get("digest") == spec.digest,
        f"{folder} holds a campaign of another spec, or of other data to learn"
        f" ({str(claimed.get('digest'))[:12]}, not {spec.digest[:12]}); choose another --out.",
    )
    held = claimed_part(folder)
    require(
        held == part,
        f"{folder} holds {in_words(held)}, not {in_words(part)}; choose another --out.",
    )


def holds_campaign(folder: Path) -> bool:
    """Whether a folder was taken for a campaign, or says so."""
    return current(folder, CLAIM).is_file()


def is_of(folder: Path, spec: Spec) -> bool:
    """Whether a folder still holds the campaign of a spec: it may have grown meanwhile."""
    return bool(_read(folder).get("digest") == spec.digest)


def in_words(part: Part | None) -> str:
    """A part of a campaign, or all of it."""
    return "a whole campaign" if part is None else f"part {part[0]} of {part[1]} of a campaign"


def claimed_part(folder: Path) -> Part | None:
    """Which part of its campaign a folder is for, and of how many; None for all of it."""
    part = _read(folder).get("part")
    if part is None:
        return None
    number, of = part
    return int(number), int(of)


def read_claimed(folder: Path) -> Spec:
    """The spec of the campaign in a folder.

    Raises:
        InvalidInputError: a folder that holds none, or whose claim is not as it was written.
    """
    claimed = _read(folder)
    path = folder / CLAIM
    _require_claim(folder, claimed)
    spec = parse_spec(claimed["spec"], str(path))
    made = claimed.get("versions")
    begun = made.get("sgdyson") if isinstance(made, dict) else None
    same = spec.data == claimed.get("data")
    require(
        same or claimed.get("digest") != spec.digest_of(str(begun), claimed.get("data")),
        f"{folder} was begun with other data to learn than {path} now leads to; put back the file"
        " as it was.",
    )
    require(
        same and claimed.get("digest") == spec.digest_of(str(begun)),
        f"{path} is not as sgdyson wrote it; put it back as it was.",
    )
    return dataclasses.replace(spec, version=str(begun))


def _claim(spec: Spec, part: Part | None) -> dict[str, Any]:
    claim = {"format": _FORMAT, "digest": spec.digest, "versions": versions(), "data": spec.data,
             "spec": spec.raw}  # fmt: skip
    return claim if part is None else claim | {"part": list(part)}


def _require_claim(folder: Path, claimed: dict[str, Any]) -> None:
    part = claimed.get("part", [1, 1])
    whole = isinstance(part, list) and len(part) == 2 and all(type(n) is int for n in part)
    require(
        claimed.get("format") == _FORMAT and isinstance(claimed.get("spec"), dict) and whole,
        f"{folder / CLAIM} is no claim of this version of sgdyson; give a folder that"
        " `sgdyson run` wrote.",
    )


def _read(folder: Path) -> dict[str, Any]:
    try:
        claimed = json.loads(
            current(folder, CLAIM).read_text(encoding="utf-8"), object_hook=_from_plain
        )
        if not isinstance(claimed, dict):
            raise TypeError
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInputError(
            f"{folder} holds no campaign (no readable spec.json); give the folder that"
            " `sgdyson run` wrote."
        ) from error
    return claimed


def is_of_this_version(folder: Path) -> bool:
    """Whether what computes is of the versions that began a folder."""
    return bool(_read(folder).get("versions") == versions())


def require_versions(folder: Path, remedy: str) -> None:
    """Refuse a folder that other versions of what computes have begun.

    Raises:
        InvalidInputError: the first of them that differs.
    """
    _compare_versions(folder, _read(folder), remedy)


def _compare_versions(folder: Path, claimed: dict[str, Any], remedy: str) -> None:
    made, here = claimed.get("versions"), versions()
    if isinstance(made, dict):
        for name, own in here.items():
            require(
                made.get(name) == own,
                f"{folder} was begun with {name} {made.get(name)}, and this is {own}, whose"
                f" numbers may differ; install {name}=={made.get(name)}, or {remedy}.",
            )


def _plain(value: Any) -> Any:
    """JSON has no infinity: told as a table of its own."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def _from_plain(table: dict[str, Any]) -> Any:
    if table.keys() == {"float"} and table["float"] in ("inf", "-inf", "nan"):
        return float(table["float"])
    return table
