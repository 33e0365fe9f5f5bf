"""The journal of a tracked run: a file that takes each record in one write.

A frame is its length, a checksum, its kind and its content; what a kill or a full disk has torn
off at the end is not read. The frames: how the run is laid out, its columns as they come, its
attributes when they change, and a record each: the step, and one number a place of all columns,
fewer where columns came later.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .._attributes import json_text
from .._types import Floats

_HEAD = struct.Struct("<IIc")  # length of the content, its CRC-32, kind
_STEP = struct.Struct("<q")


@dataclass(frozen=True)
class Column:
    """Where an array of the run lies in a record.

    Attributes:
        start: place of its first number.
        size: how many; None of an array without a second axis, which has one.
        attributes: plain values.
    """

    start: int
    size: int | None
    attributes: dict[str, Any]

    @property
    def stop(self) -> int:
        return self.start + (1 if self.size is None else self.size)


@dataclass
class Journal:
    """What a journal holds.

    Attributes:
        block: records that it holds at most.
        first: records that lie in the Zarr arrays alone, before those of this file.
        columns: by name.
        attributes: of the run.
        steps: of the records of this file.
        rows: their numbers, each at most as long as all columns together.
    """

    block: int
    first: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    steps: list[int] = field(default_factory=list)
    rows: list[Floats] = field(default_factory=list)
    width: int = 0  # numbers in a record with all columns

    def add(self, name: str, size: int | None, attributes: dict[str, Any]) -> Column:
        """A column behind the others."""
        self.columns[name] = column = Column(self.width, size, attributes)
        self.width = column.stop
        return column

    def table(self) -> Floats:
        """(record, place); NaN where a record ends early."""
        table = np.full((len(self.rows), self.width), np.nan)
        for line, row in zip(table, self.rows, strict=True):
            line[: len(row)] = row
        return table

    def write(self, path: Path) -> None:
        """The whole file anew, or none of it."""
        layout = {"block": self.block, "first": self.first}
        content = [
            frame(b"L", json.dumps(layout).encode()),
            columns_frame(self.columns),
            attributes_frame(self.attributes),
            *(record_frame(s, r) for s, r in zip(self.steps, self.rows, strict=True)),
        ]
        replace_file(path, b"".join(content))


def read_journal(path: Path) -> Journal | None:
    """What the journal at a path holds; None where there is none."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    whole = frames(content)
    kind, layout = next(whole, (b"", b""))
    if kind != b"L":
        return None
    journal = Journal(**json.loads(layout))
    for kind, inside in whole:
        if kind == b"C":
            for name, size, attributes in json.loads(inside):
                journal.add(name, size, attributes)
        elif kind == b"A":
            journal.attributes = json.loads(inside)
        elif kind != b"R":
            break  # damaged: the checksum is that of the content alone
        else:
            journal.steps += _STEP.unpack_from(inside)
            journal.rows.append(np.frombuffer(inside, "<f8", offset=_STEP.size))
    return journal


def append_frames(path: Path, news: Iterable[bytes]) -> None:
    """Append to a journal that is there; raises `OSError` where somebody has removed it."""
    left = memoryview(b"".join(news))
    # no buffer of Python's: a process forked meanwhile would write it once more
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        while left:
            # a system may take a part. No fsync: what it has taken outlives the process that is
            # killed
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """A file of the store, whole or not at all; readers find the old one, or the new."""
    # a name that a kill leaves behind is taken again; no fsync, which a record would wait for
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def columns_frame(columns: Mapping[str, Column]) -> bytes:
    """A frame that names the columns which begin with the records after it."""
    listed = [[name, column.size, column.attributes] for name, column in columns.items()]
    return frame(b"C", json_text(listed).encode())


def attributes_frame(attributes: Mapping[str, Any]) -> bytes:
    """All attributes of the run, in place of those before."""
    return frame(b"A", json_text(attributes).encode())


def record_frame(step: int, row: Floats) -> bytes:
    """One record."""
    return frame(b"R", _STEP.pack(step) + row.astype("<f8").tobytes())


def frame(kind: bytes, content: bytes) -> bytes:
    """Length, checksum, kind and content."""
    return _HEAD.pack(len(content), zlib.crc32(content), kind) + content


def frames(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each, up to one that is torn."""
    place = 0
    while place + _HEAD.size <= len(content):
        length, checksum, kind = _HEAD.unpack_from(content, place)
        place += _HEAD.size
        inside = content[place : place + length]
        if len(inside) < length or zlib.crc32(inside) != checksum:
            return
        yield kind, inside
        place += length
