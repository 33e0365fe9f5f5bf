"""Files of a campaign's Zarr group: put on the disk, known again, swept."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from .._files import is_scratch, sync_file, sync_folder
from ..errors import require
from ._frame import KINDS
from ._generations import DATA, current
from ._manifest import FileRecord

_HALF = re.compile(r"\d+\.[0-9a-f]{16,32}\.partial")  # Zarr's, after a kill


class GroupFiles:
    """The files of a store, by their names in its group.

    Args:
        folder: of the campaign.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._named: set[tuple[Path, int]] = set()  # folders whose own names are on the disk

    @property
    def data(self) -> Path:
        """The Zarr group."""
        return current(self.folder, DATA)

    def record(self, names: list[str]) -> dict[str, FileRecord]:
        """Files as they are, once they are on the disk."""
        self.sync(names)
        return {name: FileRecord.of(self.data / name) for name in names}

    def sync(self, names: list[str]) -> None:
        """Files, and their folders, outlive a power cut from now on.

        A folder above is put on the disk when a name in it is new, and not for every file: of
        sixteen calls for a chunk, each of milliseconds on a busy disk, nine are left.
        """
        paths, data = [self.data / name for name in names], self.data
        for path in paths:
            sync_file(path)
        changed, new = {path.parent for path in paths}, set()
        for folder in {parent for path in paths for parent in path.parents}:
            known = (folder, folder.stat().st_ino)
            if folder != data and folder.is_relative_to(data) and known not in self._named:
                changed.add(folder.parent)
                new.add(known)
        for folder in sorted(changed, reverse=True):
            sync_folder(folder)
        self._named |= new

    def faults(
        self, files: Mapping[str, FileRecord], thorough: bool = False
    ) -> Iterator[tuple[str, str]]:
        """Names of files that are not as they were, and why; hashed again if thorough."""
        for name, record in files.items():
            difference = record.difference(self.data / name, thorough=thorough)
            if difference:
                yield name, difference

    def refuse(self, faults: Iterator[tuple[str, str]], what: str) -> None:
        """The first fault as a sentence.

        Raises:
            InvalidInputError: if there is one.
        """
        name, difference = next(faults, ("", ""))
        require(
            not name,
            f"{self.data / name} ({what}) {difference}; `sgdyson verify {self.folder}`, then"
            " `sgdyson run`, put it right.",
        )

    def sweep(self) -> None:
        """Remove what a kill in the middle of a write has left beside the files of the data."""
        for name in KINDS:
            for path in (self.data / name).rglob("*.partial"):
                if _HALF.fullmatch(path.name):
                    path.unlink(missing_ok=True)
        for folder in (self.folder, self.data):
            for path in folder.glob(".sgdyson-*"):
                if is_scratch(path.name):
                    path.unlink(missing_ok=True)
