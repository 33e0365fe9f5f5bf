"""What a campaign has finished, a line each: replicas, and the size and hash of every file.

A line carries a check over itself and the campaign's digest, so that one edited by hand, moved
from another campaign or damaged is seen. A last line without an end was cut short by a kill.
"""

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .._failures import reason_of
from .._files import sync_folder, write_text
from ..errors import InvalidInputError, require
from ._generations import MANIFEST, current

Whole = Annotated[int, Field(ge=0, lt=2**63)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FileRecord(_Record):
    """A file as it was written.

    Attributes:
        size: in bytes.
        sha256: sha256 of its contents.
        changed: when, in nanoseconds; a file of another time is hashed before it is believed.
    """

    size: Whole
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    changed: int

    @classmethod
    def of(cls, path: Path) -> "FileRecord":
        """The record of a file that is there."""
        status = path.stat()
        return cls(size=status.st_size, sha256=sha256_of(path), changed=status.st_mtime_ns)

    def bring(self, source: Path, target: Path, *, link: bool) -> "FileRecord":
        """The same file in another place.

        Args:
            source: path of the file of this record.
            target: where it is to be; what is there is replaced.
            link: give it a second name, where the disk can, instead of a copy.

        Raises:
            InvalidInputError: a copy of other contents.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        # else a copy would be written into a file that may have a second name elsewhere
        target.unlink(missing_ok=True)
        if link:
            with suppress(OSError):
                target.hardlink_to(source)
                return self
        shutil.copyfile(source, target)
        record = FileRecord.of(target)
        require(
            record.sha256 == self.sha256,
            f"{source} has other contents than were written; `sgdyson verify`, then `sgdyson run`,"
            " put it right.",
        )
        return record

    def difference(self, path: Path, *, thorough: bool = False) -> str:
        """What is wrong with the file now; empty if nothing is.

        Args:
            path: path of the file.
            thorough: hash it even if size and time are as they were.
        """
        try:
            status = path.stat()
            if status.st_size != self.size:
                return f"has {status.st_size} bytes, not {self.size}"
            known = status.st_mtime_ns == self.changed and not thorough
            return "" if known or sha256_of(path) == self.sha256 else "has other contents"
        except OSError as error:
            return "is missing" if isinstance(error, FileNotFoundError) else reason_of(error)


class Entry(_Record):
    """A finished chunk, or the replicas it begins with: more of the setting may be asked for."""

    kind: Literal["chunk"] = "chunk"
    setting: Whole
    number: Whole
    replicas: tuple[Whole, Whole]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    files: dict[str, FileRecord]


class Opened(_Record):
    """A chunk that is being written once more, with more replicas, and does not count meanwhile."""

    kind: Literal["opened"] = "opened"
    setting: Whole
    number: Whole


class Frame(_Record):
    """Metadata and coordinates of the Zarr group, for so many replicas."""

    kind: Literal["frame"] = "frame"
    replicas: Whole
    files: dict[str, FileRecord]


Content: TypeAlias = Entry | Opened | Frame


class _Line(_Record):
    check: str
    content: Annotated[Content, Field(discriminator="kind")]


_LINE = TypeAdapter(_Line)


class Manifest:
    """The file.

    Args:
        folder: of the campaign; the file need not be there yet.
        digest: digest of the campaign.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        self._folder, self._digest = folder, digest
        self._known: tuple[tuple[int, ...], list[Content]] = ((), [])

    @property
    def path(self) -> Path:
        """Where the file is now."""
        return current(self._folder, MANIFEST)

    def read(self) -> list[Content]:
        """Every line that is whole.

        Raises:
            InvalidInputError: a line that is not as it was written.
        """
        state = self._state()
        if state != self._known[0]:
            # up to the last line that has an end: one without is of a kill
            whole = self._bytes().rpartition(b"\n")[0]
            lines = whole.split(b"\n") if whole else []
            entries = [self._parse(line, number) for number, line in enumerate(lines, 1)]
            self._known = (state, entries)
        return list(self._known[1])

    def append(self, content: Content) -> None:
        """Add a line; on the disk when this returns."""
        is_new = not self.path.exists()
        with self.path.open("ab") as handle:
            handle.write(self._line(content).encode() + b"\n")
            # flush gives the line to the system, fsync to the disk
            handle.flush()
            os.fsync(handle.fileno())
        if is_new:
            # the name of a new file is in its folder, which is put on the disk apart
            sync_folder(self.path.parent)

    def mend(self) -> None:
        """Take away a last line that a kill cut short, so that the next one stands alone."""
        content = self._bytes()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            with self.path.open("r+b") as handle:
                handle.truncate(end)
                os.fsync(handle.fileno())

    def keep(self, contents: list[Content]) -> None:
        """Write anew, with these lines alone."""
        write_text(self.path, "".join(self._line(content) + "\n" for content in contents))

    def _state(self) -> tuple[int, ...]:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._unreadable(error) from error
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _bytes(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> InvalidInputError:
        return InvalidInputError(f"{self.path} cannot be read ({reason_of(error)}).")

    def _line(self, content: Content) -> str:
        return _Line(check=self._check(content), content=content).model_dump_json()

    def _check(self, content: Content) -> str:
        text = f"{self._digest} {content.model_dump_json()}"
        # 64 bits are enough against damage and mistakes, of which alone they are to tell
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _parse(self, line: bytes, number: int) -> Content:
        try:
            parsed = _LINE.validate_json(line)
        except ValidationError:
            parsed = None
        if parsed is None or parsed.check != self._check(parsed.content):
            raise InvalidInputError(
                f"line {number} of {self.path} is not as sgdyson wrote it; delete the line, and"
                " `sgdyson run` runs again what it stood for."
            )
        return parsed.content


def sha256_of(path: Path) -> str:
    """Hash of a file's contents."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
