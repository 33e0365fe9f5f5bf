"""A tensor as a pickle of PyTorch has it: the call that rebuilds it from numbers in an archive."""

import math
import sys
import zipfile
from functools import partial
from typing import Any

import ml_dtypes  # noqa: F401 # which tells NumPy of its types
import numpy as np

from .._stored import Stored
from .._zip_files import member_fault
from ..errors import InvalidInputError, require
from ._plain_pickle import Named, Persistent, read_plain

_TYPES = frozenset((  # as NumPy calls them too, which ml_dtypes tells of the last ones
    "float32", "float64", "float16", "complex64", "complex128", "int64", "int32", "int16", "int8",
    "uint8", "uint16", "uint32", "uint64", "bool", "bfloat16", "float8_e4m3fn", "float8_e5m2",
    "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu",
))  # fmt: skip
_STORAGES = {
    "Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16",
    "ComplexFloat": "complex64", "ComplexDouble": "complex128", "Long": "int64", "Int": "int32",
    "Short": "int16", "Char": "int8", "Byte": "uint8", "Bool": "bool",
}  # fmt: skip
_MOST = 2**27  # bytes of a pickle, which holds no numbers


class Numbers:
    """The storages of an archive."""

    def __init__(self, archive: zipfile.ZipFile, size: int, folder: str) -> None:
        self.members = {info.filename.partition("/")[2]: info for info in archive.infolist()}
        self.archive, self.folder, self._size = archive, folder, size
        order = self.member("byteorder", 16) if "byteorder" in self.members else b"little"
        self.swapped = order.strip() == b"big" and sys.byteorder == "little"

    def pickle(self, name: str, what: str) -> Any:
        """A pickle of the archive, as data.

        Raises:
            InvalidInputError: not there, or damaged.
        """
        require(name in self.members, f"{what} holds no {name}: no file of PyTorch.")
        return read_plain(self.member(name, _MOST), f"{what}: {name}")

    def member(self, name: str, most: int | None = None) -> bytes:
        """Bytes of a member of the archive.

        Raises:
            InvalidInputError: not there, damaged, or larger than it may be.
        """
        info = self.members.get(name)
        if info is None:
            raise InvalidInputError(f"its numbers, {name}, are not in the archive")
        fault = member_fault(info, self._size)
        require(fault is None, f"{name} is {fault}")
        require(most is None or info.file_size <= most, f"{name} has {info.file_size} bytes")
        try:
            return self.archive.read(info)
        except Exception as error:  # of many kinds, by what is damaged
            raise InvalidInputError(f"{name} cannot be unpacked ({error})") from error

    def storage(self, key: str) -> bytes:
        return self.member(f"{self.folder}{key}")


def described(name: str, call: Named, numbers: Numbers) -> Stored:
    """A tensor from the call that rebuilds it; what does not fit is its reason."""
    try:
        storage, offset, shape, strides = call.arguments[:4]
        later = call.arguments[6:]  # the type, in the third version, and bits that are set
        kind = later[0] if call.called.endswith("v3") else None
        require(
            not any(bits for bits in later if isinstance(bits, dict)),
            "of a conjugate or negative view",
        )
        dtype, key, stored = _storage(storage, kind)
        shape, strides, offset = whole_numbers(shape), whole_numbers(strides), int(offset)
        require(len(shape) == len(strides) and offset >= 0, f"of strides {strides} for {shape}")
    except InvalidInputError as error:
        return Stored(name, "", (), reason=str(error))
    except (TypeError, ValueError, IndexError):
        return Stored(name, "", (), reason="of no readable header")
    entries = math.prod(shape)
    if entries > stored:
        return Stored(name, dtype.name, (), reason=f"{entries} entries of {stored} stored")
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if entries and last >= stored:
        return Stored(name, dtype.name, shape, reason=f"beyond the {stored} numbers of its storage")
    read = partial(_read, numbers, key, dtype, (offset, shape, strides))
    axes = sorted(zip(shape, strides, strict=True))
    share = (numbers.folder, key, offset, dtype.name, *axes) if entries > 1 else None
    return Stored(name, dtype.name, shape, read, share=share)


def whole_numbers(value: Any) -> tuple[int, ...]:
    """A shape, strides, or a place in an array.

    Raises:
        InvalidInputError: not of whole numbers from 0 up.
    """
    if isinstance(value, Named) and value.arguments:  # torch.Size
        (value,) = value.arguments
    numbers = tuple(value)
    require(
        len(numbers) <= 64 and all(type(n) is int and 0 <= n < 2**62 for n in numbers),
        f"of a shape that is not of whole numbers: {str(numbers)[:60]}",
    )
    return numbers


def _storage(storage: Any, kind: Any) -> tuple[np.dtype, str, int]:
    """Type, key and number of the entries of a storage."""
    if not isinstance(storage, Persistent) or not isinstance(storage.key, tuple):
        raise InvalidInputError("of no readable storage")
    _, of, key, _, size = storage.key[:5]
    name = str(getattr(of, "called", of)).rpartition(".")[2]
    called = _STORAGES.get(name.removesuffix("Storage"), name)
    if kind is not None:
        called = str(getattr(kind, "called", kind)).rpartition(".")[2]
    require(called in _TYPES, f"of the type {called}, which is not read")
    dtype = np.dtype(called)
    entries = int(size) // (dtype.itemsize if name == "UntypedStorage" else 1)
    return dtype, str(key), entries


def _read(
    numbers: Numbers,
    key: str,
    dtype: np.dtype,
    place: tuple[int, tuple[int, ...], tuple[int, ...]],
) -> np.ndarray:
    offset, shape, strides = place
    steps = tuple(stride * dtype.itemsize for stride in strides)
    data = numbers.storage(key)
    try:  # NumPy holds the view against the bytes that are there
        view = np.ndarray(shape, dtype, data, offset * dtype.itemsize if data else 0, steps)
    except (TypeError, ValueError) as error:
        reason = f"beyond the {len(data)} bytes of its storage"
        raise InvalidInputError(reason) from error
    return view.byteswap() if numbers.swapped else view
