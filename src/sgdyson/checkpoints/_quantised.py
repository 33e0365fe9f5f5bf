"""Codes of quantised weights: multiplied by the scales beside them, or listed with the reason.

The spectrum of codes is not that of the weights. Codes of 8 bits with a scale for the tensor, for
each row, or for each block are plain products; packed 4-bit codes are listed, not guessed.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from .._stored import Stored
from ..errors import InvalidInputError, require

_SCALES = ("_scale_inv", "_scale", "_scales", ".scale_inv", ".scale", ".scales")
_BESIDE = ("scale_weight", "weight_scale", "scale", "scales")  # in place of `weight`
_SCALE = re.compile(  # by name alone
    r"(^|[._])(weight_scale(_inv|_2)?|scale_weight|scale_inv|input_scale|absmax|nested_absmax"
    r"|quant_map|nested_quant_map|SCB|qzeros|g_idx)$"
)
_PERHAPS = re.compile(r"(^|[._])(scales?|zeros?|zero_points?|act_scale)$")  # beside codes
_PACKED = {  # what stands beside, or at the end of the name: the format
    "qweight": "packed 4-bit codes (GPTQ or AWQ)", "weight_packed": "packed codes",
    "_blocks": "packed 4-bit blocks (MXFP4)", "W_q": "packed codes (HQQ)",
}  # fmt: skip
_CODES = ("float8", "int8", "uint8", "int32")
_BLOCK = 128
_LEVELS_INT8 = 127  # of the largest entry of a row, in bitsandbytes


@dataclass(frozen=True)
class _Scale:
    """Scales of one tensor.

    Attributes:
        stored: the scales.
        unit: what a code of one is worth, in scales.
    """

    stored: Stored
    unit: float = 1.0


def unquantised(arrays: Iterable[Stored], elsewhere: Iterable[str] = ()) -> Iterator[Stored]:
    """The arrays, codes replaced by weights where that is plain, and refused where it is not.

    Args:
        arrays: arrays of all shards of a checkpoint.
        elsewhere: names of arrays in shards that are missing.
    """
    known = {array.name: array for array in arrays}
    coded = {_home(a.name) for a in known.values() if a.dtype.startswith(_CODES)}
    missing, scaled = set(elsewhere), any(_is_scale(name, coded) for name in known)
    for name, array in known.items():
        reason = array.reason or _fault(array, known, coded)
        scale = _scale_of(name, known)
        if reason is not None:
            yield replace(array, reason=reason)
        elif not array.dtype.startswith(("float8", "int8")) or "e8m0" in array.dtype:
            yield array
        elif scale is not None:
            yield replace(array, dtype="float64", read=partial(_weights, array, scale))
        elif set(_candidates(name)) & missing:
            yield replace(array, reason=f"{array.dtype} codes, whose scale is in a missing shard")
        elif scaled and array.dtype != "int8":
            yield replace(array, reason=f"{array.dtype} codes without a scale beside them")
        else:
            yield array


def is_unscaled(array: Stored) -> bool:
    """Whether an array is of 8-bit numbers that are taken as they are."""
    return array.reason is None and array.dtype.startswith("float8") and "e8m0" not in array.dtype


def _home(name: str) -> str:
    return name.rpartition(".")[0]


def _is_scale(name: str, coded: set[str]) -> bool:
    return bool(_SCALE.search(name) or (_home(name) in coded and _PERHAPS.search(name)))


def _fault(array: Stored, known: Mapping[str, Stored], coded: set[str]) -> str | None:
    """Why an array is no weights, by its name and its neighbours."""
    if _is_scale(array.name, coded):
        return "scales of quantised weights"
    if array.name.endswith("_blocks") and f"{array.name[:-7]}_scales" not in known:
        return None
    for end, what in _PACKED.items():
        if array.name.endswith(end):
            return what
    if array.dtype == "uint8" and f"{array.name}.absmax" in known:
        return "packed 4-bit codes (bitsandbytes)"
    if array.dtype == "uint8" and _scale_of(array.name, known):
        return "packed 4-bit codes (NVFP4, or of that kind)"
    return None


def _candidates(name: str) -> Iterator[str]:
    """Names under which the scales of an array may stand."""
    yield from (name + end for end in _SCALES)
    head, weight, tail = name.rpartition("weight")
    if weight and not tail:
        yield from (head + beside for beside in _BESIDE)


def _scale_of(name: str, known: Mapping[str, Stored]) -> _Scale | None:
    for candidate in _candidates(name):
        if candidate in known:
            return _Scale(known[candidate])
    head, weight, tail = name.rpartition("weight")
    if weight and not tail and f"{head}SCB" in known:
        return _Scale(known[f"{head}SCB"], 1 / _LEVELS_INT8)
    return None


def _weights(array: Stored, scale: _Scale) -> np.ndarray:
    """Codes times scales, in float64.

    Raises:
        InvalidInputError: scales of a shape that does not fit, or that are not finite.
    """
    try:
        scales = scale.stored.load()
    except InvalidInputError as error:
        raise InvalidInputError(f"{array.dtype} codes, whose scale is not read: {error}") from error
    scales = scales.astype(np.float64) * scale.unit
    require(bool(np.isfinite(scales).all()), f"{array.dtype} codes, whose scale is not finite")
    factors = _spread(scales, array.shape)
    if factors is None:
        raise InvalidInputError(
            f"{array.dtype} codes of shape {array.shape}, to which scales of shape {scales.shape}"
            " do not fit"
        )
    return array.load().astype(np.float64) * factors


def _spread(scales: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Scales, each repeated over its block; None where they do not fit."""
    if scales.size == 1:
        return scales.reshape(())
    if scales.ndim == 1 and shape and scales.size == shape[0]:
        return scales.reshape(-1, *(1,) * (len(shape) - 1))
    if scales.ndim != len(shape):
        return None
    blocks = _blocks(scales.shape, shape)
    if blocks is None:
        return None
    for axis, (block, size) in enumerate(zip(blocks, shape, strict=True)):
        scales = np.moveaxis(np.moveaxis(scales, axis, 0).repeat(block, 0)[:size], 0, axis)
    return scales


def _blocks(numbers: tuple[int, ...], shape: tuple[int, ...]) -> list[int] | None:
    """Sizes of blocks along each axis: 128 if that fits every axis that is cut, else equal ones."""
    cut = [(n, size) for n, size in zip(numbers, shape, strict=True) if n not in (1, size)]
    if all(math.ceil(size / _BLOCK) == n for n, size in cut):
        return [
            size if n == 1 else 1 if n == size else _BLOCK
            for n, size in zip(numbers, shape, strict=True)
        ]
    if all(n > 0 and size % n == 0 for n, size in cut):
        return [size if n == 1 else size // n for n, size in zip(numbers, shape, strict=True)]
    return None
