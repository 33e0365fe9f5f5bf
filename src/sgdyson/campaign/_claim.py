"""`spec.json`: whose a campaign's folder is, and what made its numbers."""

import json
import math
from pathlib import Path
from typing import Any

from .._files import create_text, sync_folder
from .._folders import cannot_be_used, require_empty
from ..errors import InvalidInputError, require
from ._spec import Spec, parse_spec
from ._versions import versions

_FORMAT = 2  # of the folder: 2 since files are hashed one by one


def claim(folder: Path, spec: Spec) -> None:
    """Take an empty or a new folder for a campaign, or recognise it; nothing else is touched.

    Raises:
        InvalidInputError: a folder with other contents, of another spec, of other versions, or
            one that cannot be written.
    """
    path = folder / "spec.json"
    try:
        if not path.is_file():
            require_empty(folder, "a campaign")
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
            create_text(path, json.dumps(_plain(_claim(spec)), indent=2, allow_nan=False) + "\n")
    except OSError as error:
        raise cannot_be_used(folder, error) from error
    _compare(folder, _read(folder), spec)


def read_claimed(folder: Path) -> Spec:
    """The spec of the campaign in a folder.

    Raises:
        InvalidInputError: a folder that holds none, or whose claim is not as it was written.
    """
    claimed = _read(folder)
    path = folder / "spec.json"
    require(
        claimed.get("format") == _FORMAT and isinstance(claimed.get("spec"), dict),
        f"{path} is no claim of this version of sgdyson; give a folder that `sgdyson run` wrote.",
    )
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
    return spec


def _claim(spec: Spec) -> dict[str, Any]:
    return {"format": _FORMAT, "digest": spec.digest, "versions": versions(), "data": spec.data,
            "spec": spec.raw}  # fmt: skip


def _read(folder: Path) -> dict[str, Any]:
    try:
        claimed = json.loads(
            (folder / "spec.json").read_text(encoding="utf-8"), object_hook=_from_plain
        )
        if not isinstance(claimed, dict):
            raise TypeError
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInputError(
            f"{folder} holds no campaign (no readable spec.json); give the folder that"
            " `sgdyson run` wrote."
        ) from error
    return claimed


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


def _compare(folder: Path, claimed: dict[str, Any], spec: Spec) -> None:
    _compare_versions(folder, claimed, "choose another --out")
    same = (claimed.get("digest"), claimed.get("format")) == (spec.digest, _FORMAT)
    require(
        same,
        f"{folder} holds a campaign of another spec, of other data, or of another version"
        f" ({str(claimed.get('digest'))[:12]}, not {spec.digest[:12]}); choose another --out, with"
        " --from for what is in this one already, or go back to its spec.",
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
