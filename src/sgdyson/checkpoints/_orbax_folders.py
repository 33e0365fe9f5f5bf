"""Arrays in a folder that Orbax wrote, found by its `_METADATA` and read with TensorStore."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._input_files import open_regular, parse_json, read_bounded, size_of
from .._numpy_files import facts_of
from .._stored import Contents, Stored
from ..errors import InvalidInputError, require
from ._libraries import library, says

METADATA = "_METADATA"
_ARRAYS = ("jax.Array", "np.ndarray", "scalar")


@contextmanager
def open_orbax(folder: Path) -> Iterator[Contents]:
    """The arrays of the tree, by their keys joined with dots; a fault of one is its reason.

    Raises:
        InvalidInputError: TensorStore is not installed, or the description cannot be read.
    """
    store = library("tensorstore", folder, "an Orbax checkpoint", "orbax-checkpoint")
    what = f"{folder / METADATA}"
    with open_regular(folder / METADATA) as handle:
        described, _ = parse_json(read_bounded(handle, size_of(handle), what), what)
    tree = described.get("tree_metadata") if isinstance(described, dict) else None
    if not isinstance(described, dict) or not isinstance(tree, dict):
        raise InvalidInputError(f"{what} describes no tree of arrays.")
    arrays = [
        _stored(store, folder, described, _name(entry))
        for entry in tree.values()
        if _kind(entry) in _ARRAYS
    ]
    yield Contents(arrays, facts_of(arrays))


def _name(entry: Any) -> str:
    """Keys of the tree, joined with dots."""
    keys = entry.get("key_metadata")
    return ".".join(str(key.get("key")) for key in keys) if isinstance(keys, list) else ""


def _kind(entry: Any) -> Any:
    value = entry.get("value_metadata") if isinstance(entry, dict) else None
    return value.get("value_type") if isinstance(value, dict) else None


def _stored(store: Any, folder: Path, described: Mapping[str, Any], name: str) -> Stored:
    try:
        array = store.open(_spec(folder, name, described), open=True, read=True).result()
    except Exception as error:  # of many kinds, by what is damaged or missing
        return Stored(name, "", (), reason=says("TensorStore", error))
    dtype = np.dtype(array.dtype.numpy_dtype)
    return Stored(name, dtype.name, tuple(array.shape), partial(_read, array))


def _spec(folder: Path, name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """Where TensorStore finds an array."""
    driver = "zarr3" if described.get("use_zarr3") else "zarr"
    if described.get("use_ocdbt", True):
        base = {"driver": "file", "path": f"{folder.resolve()}/"}
        return {"driver": driver, "kvstore": {"driver": "ocdbt", "base": base, "path": f"{name}/"}}
    require(name == Path(name).name, f"{name!r} is no name of an array in this folder")
    return {"driver": driver, "kvstore": {"driver": "file", "path": f"{folder.resolve() / name}/"}}


def _read(array: Any) -> np.ndarray:
    try:
        return np.asarray(array.read().result())
    except Exception as error:
        raise InvalidInputError(says("TensorStore", error)) from error
