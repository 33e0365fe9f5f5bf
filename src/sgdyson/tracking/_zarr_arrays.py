"""Zarr arrays that grow along their first axis, written as the files they are.

Version 3 of the format, little-endian numbers without compression. Through the zarr package an
array costs eight milliseconds a write, sixty times its two files, and a run has hundreds; nor does
it leave a thread that a forked process would miss.

An array is one chunk, however long, up to 64 MiB: its file is written on at its end, before the
shape in `zarr.json` says that there is more. When it is full the array moves into a file of twice
the length, under the other of two names that Zarr has for a chunk, and `zarr.json`, replaced at
once, tells which of them counts: no moment is without a whole array.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._attributes import json_text
from ._journal import Column, replace_file

_LONGEST = 1 << 26  # bytes of a chunk
_SHORTEST = 16  # records
_CHUNK = re.compile(r"(c\.)?\d+(\.0)?(\.partial)?$")


@dataclass(frozen=True)
class Layout:
    """How an array lies in its files.

    Attributes:
        block: records in a chunk.
        plain: whether the name of a chunk begins with its number, and not with "c.".
    """

    block: int
    plain: bool

    def chunk(self, number: int, column: Column) -> str:
        """Name of a chunk, beside its array: a folder each would cost as much as a file."""
        return ("" if self.plain else "c.") + str(number) + ("" if column.size is None else ".0")


class ZarrArrays:
    """The arrays of a store, as they are written.

    Args:
        folder: of the store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._layouts: dict[str, Layout] = {}

    def write_group(self, attributes: dict[str, Any]) -> None:
        """The root of the store."""
        group = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        replace_file(self._folder / "zarr.json", json_text(group).encode())

    def write_rows(self, name: str, column: Column, rows: np.ndarray, *, first: int) -> None:
        """Put rows at `first`, and end the array after them.

        Args:
            name: of the array.
            column: its second axis and its attributes.
            rows: shape (record, number).
            first: record of the first row; those before it are there, or of an array that is new
                were not recorded.
        """
        array = self._folder / name
        layout = self._layouts.get(name) or layout_of(array)
        block = _block(first + len(rows), rows.shape[1] * rows.itemsize)
        old: set[str] = set()
        if layout is None or layout.block < block:
            early = read_rows(self._folder, name, column, stop=first, dtype=rows.dtype.str)
            rows, first = np.concatenate([early, rows]), 0
            array.mkdir(exist_ok=True)
            old = set() if layout is None else _chunks_in(array)
            layout = Layout(block, layout is not None and not layout.plain)
        _write(array, layout, column, rows, first)
        meta = _array(name, column, len(rows) + first, layout, rows.dtype)
        replace_file(array / "zarr.json", json.dumps(meta).encode())
        self._layouts[name] = layout
        for chunk in old - _names(layout, column, len(rows)):
            (array / chunk).unlink(missing_ok=True)


def _block(records: int, width: int) -> int:
    """Records in a chunk: a power of two, so that an array of n records moves log n times."""
    doubled = 1 << (max(records, _SHORTEST) - 1).bit_length()
    return min(doubled, max(1, _LONGEST // max(width, 1)))


def read_rows(
    folder: Path, name: str, column: Column, *, stop: int, dtype: str = "<f8"
) -> np.ndarray:
    """Rows up to `stop`; NaN where a chunk is not there."""
    size = column.stop - column.start
    rows = np.full((stop, size), np.nan if dtype == "<f8" else 0, dtype)
    array = folder / name
    layout = layout_of(array) if stop else None
    while layout is not None and not _read(array, layout, column, rows):
        moved = layout_of(array)  # while it was read
        layout = None if moved == layout else moved
    return rows


def layout_of(array: Path) -> Layout | None:
    """That of an array in its folder; None where there is none."""
    try:
        meta = json.loads((array / "zarr.json").read_bytes())
    except OSError:
        return None
    block = meta["chunk_grid"]["configuration"]["chunk_shape"][0]
    return Layout(block, meta["chunk_key_encoding"]["name"] == "v2")


def _read(array: Path, layout: Layout, column: Column, rows: np.ndarray) -> bool:
    """Fill the rows; whether every chunk was there."""
    complete = True
    for begin in range(0, len(rows), layout.block):
        lines = rows[begin : begin + layout.block]
        chunk = array / layout.chunk(begin // layout.block, column)
        try:
            numbers = np.fromfile(chunk, rows.dtype, count=lines.size)
        except OSError:
            complete = False
            continue
        lines.flat[: len(numbers)] = numbers
    return complete


def _write(array: Path, layout: Layout, column: Column, rows: np.ndarray, first: int) -> None:
    """Rows into the chunks they belong to; what is there before them stays as it is."""
    width = rows.shape[1] * rows.itemsize
    little = np.ascontiguousarray(rows, rows.dtype.newbyteorder("<"))
    begin = 0
    while begin < len(rows):
        number, place = divmod(first + begin, layout.block)
        lines = little[begin : begin + layout.block - place]
        _write_at(array / layout.chunk(number, column), place * width, lines, layout.block * width)
        begin += len(lines)


def _write_at(path: Path, place: int, lines: np.ndarray, length: int) -> None:
    """Write at a place of a file of this length, whose end is a hole where it holds no record."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    try:
        if os.fstat(descriptor).st_size != length:
            # the whole chunk at once, which readers of Zarr expect; its end takes no room on most
            # disks
            os.ftruncate(descriptor, length)
        os.lseek(descriptor, place, os.SEEK_SET)
        left = lines.data.cast("B")
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


def _chunks_in(array: Path) -> set[str]:
    """Names of all chunks, those of a layout that was left among them."""
    return {entry.name for entry in os.scandir(array) if _CHUNK.match(entry.name)}


def _names(layout: Layout, column: Column, records: int) -> set[str]:
    return {layout.chunk(n, column) for n in range(-(-records // layout.block))}


def _array(
    name: str, column: Column, records: int, layout: Layout, dtype: np.dtype[Any]
) -> dict[str, Any]:
    inner = [] if column.size is None else [column.size]
    return {
        "zarr_format": 3, "node_type": "array", "shape": [records, *inner],
        "data_type": dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [layout.block, *inner]}},
        "chunk_key_encoding": {
            "name": "v2" if layout.plain else "default", "configuration": {"separator": "."},
        },
        "fill_value": 0 if dtype.kind == "i" else "NaN",
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": column.attributes,
        "dimension_names": ["time", f"{name}_level"][: 1 + len(inner)],
        "storage_transformers": [],
    }  # fmt: skip
