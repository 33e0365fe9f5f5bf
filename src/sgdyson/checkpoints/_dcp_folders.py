"""Tensors in a folder of PyTorch's distributed checkpoints, put together of their chunks.

Its `.metadata`, a pickle, is read as data, and so are the chunks: nothing in them is run, and
PyTorch need not be there.
"""

import io
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._input_files import open_regular, read_bounded, size_of, whole
from .._stored import FACTS, Contents, Stored
from ..errors import InvalidInputError, require
from ._plain_pickle import Named, read_plain
from ._torch_archives import archive_contents, archive_pickle
from ._torch_calls import whole_numbers

METADATA = ".metadata"
_Chunk = tuple[tuple[int, ...], tuple[int, ...], Named]  # where it begins, its shape, its place
_Places = Mapping[str, list[tuple[Any, Named]]]


@contextmanager
def open_dcp(folder: Path) -> Iterator[Contents]:
    """The tensors, in the order of the description; a fault of one is its reason.

    Raises:
        InvalidInputError: no readable description.
    """
    what = str(folder / METADATA)
    with open_regular(folder / METADATA) as handle:
        described = read_plain(read_bounded(handle, size_of(handle), what), what)
    fields = described.fields if isinstance(described, Named) else {}
    tensors, places = fields.get("state_dict_metadata"), fields.get("storage_data")
    require(
        isinstance(tensors, dict) and isinstance(places, dict),
        f"{what} describes no distributed checkpoint.",
    )
    chunks = _by_name(places or {})
    arrays = [
        _described(folder, str(name), value, chunks.get(name, []))
        for name, value in (tensors or {}).items()
        if isinstance(value, Named) and value.called.endswith("TensorStorageMetadata")
    ]
    yield Contents(arrays, dict(_facts(folder, chunks)))


def _by_name(places: Mapping[Any, Any]) -> _Places:
    """Places of the chunks of each name, by where they begin."""
    chunks: dict[str, list[tuple[Any, Named]]] = {}
    for index, place in places.items():
        if isinstance(index, Named) and isinstance(place, Named):
            fields = index.fields
            chunks.setdefault(str(fields.get("fqn")), []).append((fields.get("offset"), place))
    return chunks


def _described(folder: Path, name: str, value: Named, places: list[tuple[Any, Named]]) -> Stored:
    try:
        shape = whole_numbers(value.fields.get("size"))
        kind = getattr(value.fields.get("properties"), "fields", {}).get("dtype")
        dtype = str(getattr(kind, "called", "")).rpartition(".")[2]
        by_start = {whole_numbers(start): place for start, place in places}
        chunks = list(_chunks(value.fields.get("chunks"), by_start))
    except InvalidInputError as error:
        return Stored(name, "", (), reason=str(error))
    except (TypeError, ValueError):
        return Stored(name, "", (), reason="of no readable description")
    covered = sum(math.prod(size) for _, size, _ in chunks)
    inside = all(
        len(start) == len(size) == len(shape)
        and all(a + n <= m for a, n, m in zip(start, size, shape, strict=True))
        for start, size, _ in chunks
    )
    if covered != math.prod(shape) or not inside:
        reason = f"of shape {shape}, of which the chunks cover {covered} entries"
        return Stored(name, dtype, shape, reason=reason)
    return Stored(name, dtype, shape, partial(_read, folder, shape, chunks))


def _chunks(chunks: Any, places: Mapping[tuple[int, ...], Named]) -> Iterator[_Chunk]:
    for chunk in chunks:
        start, size = (whole_numbers(chunk.fields.get(key)) for key in ("offsets", "sizes"))
        require(start in places, f"its chunk at {start} lies nowhere")
        yield start, size, places[start]


def _read(folder: Path, shape: tuple[int, ...], chunks: Iterable[_Chunk]) -> np.ndarray:
    array: np.ndarray | None = None
    for start, size, place in chunks:
        values = _tensor(folder, place)
        require(values.shape == size, f"a chunk of shape {values.shape} in place of {size}")
        array = np.zeros(shape, values.dtype) if array is None else array
        array[tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))] = values
    if array is None:
        raise InvalidInputError("without chunks")
    return array


def _tensor(folder: Path, place: Named) -> np.ndarray:
    """The one tensor of a chunk, which is a file of `torch.save` in a larger file."""
    with _archive(folder, place) as (archive, size):
        arrays = archive_contents(archive, size, "a chunk").arrays
        require(len(arrays) == 1, f"a chunk of {len(arrays)} tensors")
        return arrays[0].load()


@contextmanager
def _archive(folder: Path, place: Named) -> Iterator[tuple[zipfile.ZipFile, int]]:
    """A piece of a file, which is a zip archive, and its size."""
    fields = place.fields
    name, start, length = fields.get("relative_path"), fields.get("offset"), fields.get("length")
    require(
        isinstance(name, str) and Path(name).name == name,
        f"in {name!r}, which is not opened: it is no file of the folder",
    )
    require(not fields.get("transform_descriptors"), "compressed by an extension, which is not run")
    if not (isinstance(start, int) and isinstance(length, int) and whole(start) and whole(length)):
        raise InvalidInputError(f"at bytes {start} and on, {length} of them")
    with open_regular(folder / str(name)) as handle:
        size = size_of(handle)
        require(start + length <= size, f"beyond the {size} bytes of {name}")
        handle.seek(start)
        data = io.BytesIO(handle.read(length))
    try:
        archive = zipfile.ZipFile(data)
    except Exception as error:  # of many kinds, by what is damaged
        raise InvalidInputError(f"its bytes in {name} are no file of PyTorch") from error
    with archive:
        yield archive, length


def _facts(
    folder: Path, chunks: Mapping[str, list[tuple[Any, Named]]]
) -> Iterator[tuple[str, int]]:
    """Whole numbers that stand alone under the name of a step."""
    for name in FACTS:
        for _, place in chunks.get(name, [])[:1]:
            with suppress(InvalidInputError), _archive(folder, place) as (archive, size):
                number = archive_pickle(archive, size, name)
                if type(number) is int:
                    yield name, number
