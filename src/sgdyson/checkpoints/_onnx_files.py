"""Weights of an ONNX model: initialisers and constants of its graphs.

Read with onnx. Numbers beside the model are read from plain files of its own folder alone.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._input_files import open_regular, size_of
from .._stored import Contents, Stored
from ..errors import InvalidInputError, require
from ._libraries import library, says

_DEEPEST = 20
_MOST = 2**31  # bytes of a message of protocol buffers


@contextmanager
def open_onnx(path: Path) -> Iterator[Contents]:
    """The initialisers and constants, in the order of the graph; a fault of one is its reason.

    Raises:
        InvalidInputError: onnx is not installed, or does not read the file.
    """
    onnx = library("onnx", path, "an ONNX model")
    with open_regular(path) as handle:
        size = size_of(handle)
        require(size < _MOST, f"{path} has {size} bytes, above the 2 GiB of its format.")
        data = handle.read()
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # of many kinds, by what is damaged
        raise InvalidInputError(f"{path} was not loaded: {says('onnx', error)}.") from error
    yield Contents(list(_named_once(_tensors(model.graph, 0), path.parent)))


def _tensors(graph: Any, depth: int) -> Iterator[tuple[str, Any]]:
    yield from ((tensor.name, tensor) for tensor in graph.initializer)
    for tensor in graph.sparse_initializer:
        yield tensor.values.name, None
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.HasField("t"):
                yield node.output[0] if node.output else node.name, attribute.t
            if depth < _DEEPEST and attribute.HasField("g"):
                yield from _tensors(attribute.g, depth + 1)


def _named_once(tensors: Iterator[tuple[str, Any]], folder: Path) -> Iterator[Stored]:
    known = set[str]()
    for number, (name, tensor) in enumerate(tensors):
        label = name or f"tensor {number}"
        if label in known:
            yield Stored(label, "", (), reason="a second array of this name in one file")
            continue
        known.add(label)
        yield _described(label, tensor, folder)


def _described(name: str, tensor: Any, folder: Path) -> Stored:
    from onnx import TensorProto, helper

    if tensor is None:
        return Stored(name, "", (), reason="a sparse tensor, which is not read")
    try:
        kind = TensorProto.DataType.Name(tensor.data_type)
        shape = tuple(map(int, tensor.dims))
        require(all(n >= 0 for n in shape), f"of the shape {shape}")
        require(kind not in ("UNDEFINED", "STRING"), f"of the type {kind}, which is not read")
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except InvalidInputError as error:
        return Stored(name, "", (), reason=str(error))
    except Exception:  # a type that this version of onnx does not know
        return Stored(name, "", (), reason=f"of the type {tensor.data_type}, which is not read")
    read = partial(_read, tensor, dtype, shape, folder)
    place = _location(tensor) if tensor.data_location == TensorProto.EXTERNAL else ""
    beside = (folder / place,) if _is_inside(place) else ()
    return Stored(name, dtype.name, shape, read, beside=beside)


def _read(tensor: Any, dtype: np.dtype, shape: tuple[int, ...], folder: Path) -> np.ndarray:
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL:
        return _beside(tensor, dtype, shape, folder)
    try:
        return np.asarray(numpy_helper.to_array(tensor)).reshape(shape)
    except Exception as error:
        raise InvalidInputError(says("onnx", error)) from error


def _beside(tensor: Any, dtype: np.dtype, shape: tuple[int, ...], folder: Path) -> np.ndarray:
    """Numbers in a file beside the model, of which a name and no path is believed."""
    place = {entry.key: entry.value for entry in tensor.external_data}
    name = _location(tensor)
    require(
        _is_inside(name),
        f"in the file {name!r}, which is not opened: it is none of the model's own folder",
    )
    start, size = _whole(place.get("offset", "0")), dtype.itemsize * math.prod(shape)
    length = _whole(place.get("length", str(size)))
    require(
        start is not None and length == size,
        f"of shape {shape} does not fill the {place.get('length')} bytes of its place in {name}",
    )
    with open_regular(folder / name) as handle:
        handle.seek(start or 0)
        data = handle.read(size)
    require(len(data) == size, f"beyond the end of {name}")
    # bfloat16 and its like, of kind V to NumPy, know no byte order
    return np.frombuffer(data, dtype.newbyteorder("<") if dtype.kind in "iufc" else dtype).reshape(
        shape
    )


def _location(tensor: Any) -> str:
    return next((str(e.value) for e in tensor.external_data if e.key == "location"), "")


def _is_inside(name: str) -> bool:
    """Whether it is the name of a file in the model's own folder, and no path."""
    return bool(name) and Path(name).name == name


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
