"""Arrays of an HDF5 file, and of the Keras archive that holds one.

Read with h5py. A link to another file, and numbers that lie in another file, are not followed.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._capacity import require_memory
from .._input_files import open_regular, size_of
from .._stored import Contents, Stored
from .._zip_files import member_fault, open_zip
from ..errors import InvalidInputError, require
from ._keras_names import named_variables
from ._libraries import library, says

_WEIGHTS = "model.weights.h5"
_DEEPEST = 50


@contextmanager
def open_hdf5(path: Path) -> Iterator[Contents]:
    """The datasets of all groups, by their paths; a fault of one is its reason.

    Raises:
        InvalidInputError: h5py is not installed, or does not open the file.
    """
    with open_regular(path) as handle, _file(path, handle) as root:
        yield Contents(named_variables(_datasets(root)))


@contextmanager
def open_keras(path: Path) -> Iterator[Contents]:
    """The weights in a `.keras` archive; its configuration, which can hold code, is left alone.

    Raises:
        InvalidInputError: no such archive, or no weights in it.
    """
    with open_regular(path) as handle:
        if handle.read(4) != b"PK\x03\x04":  # of Keras 2, which saved HDF5 under any name
            handle.seek(0)
            with _file(path, handle) as root:
                yield Contents(named_variables(_datasets(root)))
            return
        with open_zip(path, handle) as archive:
            members = {info.filename: info for info in archive.infolist()}
            require(_WEIGHTS in members, f"{path} holds no {_WEIGHTS}: no model of Keras 3.")
            fault = member_fault(members[_WEIGHTS], size_of(handle))
            require(fault is None, f"{path} was not loaded: {_WEIGHTS} is {fault}.")
            require_memory(members[_WEIGHTS].file_size, str(path), "read it on a larger machine")
            try:
                weights = io.BytesIO(archive.read(_WEIGHTS))
            except Exception as error:  # of many kinds, by what is damaged
                raise InvalidInputError(f"{path} was not loaded: {error}.") from error
    with _file(path, weights) as root:
        yield Contents(named_variables(_datasets(root)))


@contextmanager
def _file(path: Path, handle: Any) -> Iterator[Any]:
    h5py = library("h5py", path, "an HDF5 file")
    try:
        root = h5py.File(handle, "r")
    except Exception as error:  # h5py turns faults of its library into many kinds
        raise InvalidInputError(f"{path} was not loaded: {says('h5py', error)}.") from error
    with root:
        yield root


def _datasets(root: Any) -> Iterator[Stored]:
    """Datasets of all groups, each once, in the order of their paths."""
    import h5py

    waiting, known = [("", root)], set[int]()
    while waiting:
        place, group = waiting.pop()
        inner = []
        for name, item in _entries(place, group, known):
            if isinstance(item, str):
                yield Stored(name, "", (), reason=item)
            elif isinstance(item, h5py.Dataset):
                yield _described(name, item)
            elif isinstance(item, h5py.Group) and name.count("/") < _DEEPEST:
                inner.append((name, item))
        waiting += reversed(inner)


def _entries(place: str, group: Any, known: set[int]) -> Iterator[tuple[str, Any]]:
    """What a group holds and was not met before, or the reason why it is not opened."""
    try:
        known.add(_address(group))
        keys = list(group)
    except Exception as error:  # h5py turns faults of its library into many kinds
        yield place or "its groups", _words(error)
        return
    for key in keys:
        name = f"{place}/{key}".lstrip("/")
        try:
            item = _followed(group, key)
            address = _address(item)
        except Exception as error:
            yield name, _words(error)
            continue
        # two names of one object, and groups that hold each other, are met once
        if address not in known:
            known.add(address)
            yield name, item


def _address(item: Any) -> int:
    import h5py

    return int(h5py.h5o.get_info(item.id).addr)


def _followed(group: Any, key: str) -> Any:
    import h5py

    link = group.get(key, getlink=True)
    require(
        isinstance(link, h5py.HardLink | h5py.SoftLink),
        "a link to another file, which is not followed",
    )
    return group[key]


def _described(name: str, dataset: Any) -> Stored:
    try:
        dtype, shape = dataset.dtype, dataset.shape
        require(shape is not None, "without numbers")
        require(dtype.kind in "biufcV", f"of the type {dtype}, which is not read")
        require(
            not dataset.external and not dataset.is_virtual,
            "of numbers that lie in another file, which is not opened",
        )
    except Exception as error:
        return Stored(name, "", (), reason=_words(error))
    # two bytes without a name are how h5py writes bfloat16, which HDF5 does not know
    kind = "bfloat16" if dtype.str == "|V2" else dtype.name
    return Stored(name, kind, tuple(map(int, shape)), partial(_read, dataset, kind))


def _read(dataset: Any, kind: str) -> np.ndarray:
    try:
        numbers = np.asarray(dataset[()])
    except Exception as error:
        raise InvalidInputError(_words(error)) from error
    if kind != "bfloat16":
        return numbers
    import ml_dtypes

    return numbers.view(ml_dtypes.bfloat16)


def _words(error: Exception) -> str:
    if isinstance(error, InvalidInputError):
        return str(error)
    return says("h5py", error)
