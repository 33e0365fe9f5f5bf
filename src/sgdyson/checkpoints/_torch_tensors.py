"""From a tensor of PyTorch to an array of NumPy; what has no numbers has the reason."""

from functools import partial
from typing import Any

import ml_dtypes
import numpy as np

from .._stored import Stored
from ..errors import InvalidInputError

_VIEWS: dict[str, tuple[str, Any]] = {  # what PyTorch cannot hand to NumPy, through its bits
    "bfloat16": ("int16", ml_dtypes.bfloat16),
    "float8_e4m3fn": ("uint8", ml_dtypes.float8_e4m3fn),
    "float8_e5m2": ("uint8", ml_dtypes.float8_e5m2),
    "float8_e4m3fnuz": ("uint8", ml_dtypes.float8_e4m3fnuz),
    "float8_e5m2fnuz": ("uint8", ml_dtypes.float8_e5m2fnuz),
    "float8_e8m0fnu": ("uint8", ml_dtypes.float8_e8m0fnu),
}


def describe(name: str, tensor: Any) -> Stored:
    """A tensor, and why it is not read, where its kind tells."""
    import torch

    dtype, reason = str(tensor.dtype).removeprefix("torch."), _fault(torch, tensor)
    if reason is not None:
        return Stored(name, dtype, (), reason=reason)
    return Stored(name, dtype, tuple(tensor.shape), partial(_numbers, tensor), share=_share(tensor))


def _fault(torch: Any, tensor: Any) -> str | None:
    kinds = (torch.Tensor, torch.nn.Parameter, getattr(torch.nn, "Buffer", torch.Tensor))
    if type(tensor) not in kinds:
        return f"a {type(tensor).__name__}, no plain tensor"
    if tensor.is_nested:
        return "a nested tensor, of several shapes"
    if tensor.layout != torch.strided:
        return (
            f"a sparse tensor ({str(tensor.layout).removeprefix('torch.')}), save it as to_dense()"
        )
    if tensor.device.type == "meta":
        return "a meta tensor, without numbers"
    if tensor.is_quantized:
        return None
    stored = tensor.untyped_storage().nbytes() // tensor.element_size()
    return f"{tensor.numel()} entries of {stored} stored" if tensor.numel() > stored else None


def _share(tensor: Any) -> tuple[object, ...] | None:
    """The same for tensors that are the same numbers in memory, as tied weights are."""
    if tensor.is_quantized or tensor.numel() < 2:
        return None
    axes = sorted(zip(tensor.shape, tensor.stride(), strict=True))
    return (tensor.data_ptr(), str(tensor.dtype), *axes)


def _numbers(tensor: Any) -> np.ndarray:
    import torch

    plain = tensor.detach()
    if plain.is_quantized:
        plain = plain.dequantize()
    name = str(plain.dtype).removeprefix("torch.")
    try:
        if name not in _VIEWS:
            return np.asarray(plain.resolve_conj().resolve_neg().numpy())
        bits, dtype = _VIEWS[name]
        return np.asarray(plain.contiguous().view(getattr(torch, bits)).numpy().view(dtype))
    except (TypeError, RuntimeError) as error:
        raise InvalidInputError(f"of the type {name}, which is not read") from error
