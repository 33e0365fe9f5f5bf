"""Zarr arrays that grow along their first axis, written as the files they are.

Version 3 of the format, little-endian numbers without compression. Through the zarr package an
array costs eight milliseconds a write, sixty times its two files, and a run has hundreds; nor does
it leave a thread that a forked process would miss.
"""

from pathlib import Path
from typing import Any

import numpy as np

from .._attributes import json_text
from ._journal import Column


def write_group(folder: Path, attributes: dict[str, Any]) -> None:
    """The root of the store."""
    _replace(folder / "zarr.json", _json(
        {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    ))  # fmt: skip


def write_rows(
    folder: Path, name: str, column: Column, rows: np.ndarray, *, first: int, block: int
) -> None:
    """Put rows at `first`, a multiple of `block`, and end the array after them.

    Args:
        folder: of the store.
        name: of the array.
        column: its second axis and its attributes.
        rows: shape (record, number).
        first: record of the first row.
        block: records in a chunk.
    """
    array = folder / name
    array.mkdir(exist_ok=True)
    for begin in range(0, len(rows), block):
        lines = rows[begin : begin + block].astype(rows.dtype.newbyteorder("<"))
        chunk = array / _chunk((first + begin) // block, column)
        _replace(chunk, lines.tobytes(), block * rows.shape[1] * rows.itemsize)
    meta = array / "zarr.json"
    _replace(meta, _json(_array(name, column, len(rows) + first, block, rows.dtype)))


def read_rows(
    folder: Path, name: str, column: Column, *, stop: int, block: int, start: int = 0,
    dtype: str = "<f8",
) -> np.ndarray:  # fmt: skip
    """Rows from `start`, a multiple of `block`, to `stop`; NaN where a chunk is not there."""
    size = column.stop - column.start
    rows = np.full((stop - start, size), np.nan if dtype == "<f8" else 0, dtype)
    for begin in range(start, stop, block):
        lines = rows[begin - start : begin - start + block]
        chunk = folder / name / _chunk(begin // block, column)
        try:
            numbers = np.fromfile(chunk, dtype, count=lines.size)
        except OSError:
            continue
        lines.flat[: len(numbers)] = numbers
    return rows


def _chunk(number: int, column: Column) -> str:
    """Name of a chunk beside its array: of hundreds, a folder each costs as much as a file."""
    return f"c.{number}" if column.size is None else f"c.{number}.0"


def _array(
    name: str, column: Column, records: int, block: int, dtype: np.dtype[Any]
) -> dict[str, Any]:
    inner = [] if column.size is None else [column.size]
    return {
        "zarr_format": 3, "node_type": "array", "shape": [records, *inner],
        "data_type": dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [block, *inner]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
        "fill_value": 0 if dtype.kind == "i" else "NaN",
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": column.attributes,
        "dimension_names": ["time", f"{name}_level"][: 1 + len(inner)],
        "storage_transformers": [],
    }  # fmt: skip


def _json(content: dict[str, Any]) -> bytes:
    return json_text(content).encode()


def _replace(path: Path, content: bytes, length: int = 0) -> None:
    """Write whole or not at all; a chunk whose end holds no record yet is a hole up to there."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        if length > len(content):
            file.truncate(length)
    partial.replace(path)
