"""Tensors of a GGUF file, read with gguf: quantised ones come dequantised."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._input_files import open_regular
from .._stored import Contents, Stored
from ..errors import InvalidInputError, require
from ._libraries import library, says

_MAGIC = b"GGUF"


@contextmanager
def open_gguf(path: Path) -> Iterator[Contents]:
    """The tensors, in the order of the file, by their shapes (rows, columns).

    Raises:
        InvalidInputError: gguf is not installed, or does not read the file.
    """
    gguf = library("gguf", path, "a GGUF file")
    with open_regular(path) as handle:
        require(handle.read(4) == _MAGIC, f"{path} is no GGUF file: it does not begin with GGUF.")
    try:
        with np.errstate(all="ignore"):  # sums of damaged sizes overflow
            reader = gguf.GGUFReader(path)
    except Exception as error:  # of many kinds, by what is damaged
        raise InvalidInputError(f"{path} was not loaded: {says('gguf', error)}.") from error
    yield Contents([_described(tensor) for tensor in reader.tensors])


def _described(tensor: Any) -> Stored:
    shape = tuple(int(n) for n in reversed(tensor.shape.tolist()))
    return Stored(tensor.name, tensor.tensor_type.name, shape, partial(_read, tensor, shape))


def _read(tensor: Any, shape: tuple[int, ...]) -> np.ndarray:
    from gguf.quants import dequantize

    kind = tensor.tensor_type.name
    try:
        numbers = tensor.data
        if numbers.dtype.kind not in "f":
            with np.errstate(all="ignore"):  # codes of no finite scale
                numbers = dequantize(numbers, tensor.tensor_type)
        return np.array(numbers).reshape(shape)
    except NotImplementedError as error:
        raise InvalidInputError(f"codes of {kind}, which gguf does not dequantise") from error
    except Exception as error:
        raise InvalidInputError(says("gguf", error)) from error
