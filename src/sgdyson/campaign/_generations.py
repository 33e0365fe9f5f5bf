"""A folder whose contents are replaced by larger ones: a kill at any moment leaves either whole.

What is new is built in a folder of its own, beside the old. One rename makes it what counts, and
its files then move to their places one after the other: whoever reads looks for each of them first
where it comes from. The next process that writes ends what a kill has interrupted.
"""

import json
import shutil
from pathlib import Path

from .._files import sync_folder, write_text

GROWING, _GROWN = ".sgdyson-growing", ".sgdyson-grown"
DATA, MANIFEST, CLAIM = "data.zarr", "manifest.jsonl", "spec.json"
_OLD, _OURS = "old.zarr", "ours.json"


def current(folder: Path, name: str) -> Path:
    """Where a file of the folder, or its Zarr group, is now."""
    coming = folder / _GROWN / name
    return coming if coming.exists() else folder / name


def replace(folder: Path, ours: set[str]) -> None:
    """Let what stands in `GROWING`, whole and on the disk, take the place of what is there.

    Args:
        folder: of both.
        ours: names in the Zarr group that is replaced; what else is in it moves to the new one.
    """
    # on the disk, and so are all names beside it: an empty one after a power cut could not be read
    write_text(folder / GROWING / _OURS, json.dumps(sorted(ours)))
    # the one step that counts: before it the old campaign holds, after it the new one
    (folder / GROWING).rename(folder / _GROWN)
    sync_folder(folder)
    settle(folder)


def settle(folder: Path) -> None:
    """End a replacement that was interrupted, or take away one that never came to count."""
    if (folder / GROWING).exists():
        shutil.rmtree(folder / GROWING)
    grown = folder / _GROWN
    if not grown.exists():
        return
    # each step leaves behind what tells where to go on, should a kill come in between
    if (grown / DATA).exists():
        if (folder / DATA).exists():
            (folder / DATA).rename(grown / _OLD)
        (grown / DATA).rename(folder / DATA)
    for name in (MANIFEST, CLAIM):
        if (grown / name).exists():
            (grown / name).replace(folder / name)
    sync_folder(folder)
    if (grown / _OLD).exists():
        _move_foreign(grown, folder / DATA)
        shutil.rmtree(grown / _OLD)  # before the rest, which says what in it was ours
    shutil.rmtree(grown)
    sync_folder(folder)


def _move_foreign(grown: Path, data: Path) -> None:
    """What a user keeps in the Zarr group stays there."""
    ours = set(json.loads((grown / _OURS).read_text(encoding="utf-8")))
    for path in (grown / _OLD).iterdir():
        if path.name not in ours and not (data / path.name).exists():
            path.rename(data / path.name)
