"""Parameters of a PyTorch module as NumPy arrays; knows PyTorch by what it is handed only."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..spectra import Skipped
from ._torch_processes import whole


def parameters(module: Any) -> Iterator[tuple[str, Any]]:
    """Named parameters as arrays of their own, or the reason why there is none."""
    for name, parameter in module.named_parameters():
        yield name, array_of(name, parameter)


def array_of(name: str, tensor: Any) -> Any:
    """A copy of a tensor, whole where processes share it, or a `Skipped`."""
    reason = _unfit(tensor)
    return Skipped(name, reason) if reason else _copy(whole(tensor.detach()))


def tied(module: Any) -> Iterator[Skipped]:
    """Parameters that have another name already."""
    first: dict[int, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        owner = first.setdefault(id(parameter), name)
        if owner != name:
            yield Skipped(name, f"tied to {owner}")


def _unfit(parameter: Any) -> str | None:
    if hasattr(parameter, "materialize"):
        return "not initialised yet"
    if parameter.is_meta:
        return "on the meta device, which holds no numbers"
    if str(parameter.layout) != "torch.strided":
        return f"stored as {parameter.layout}"
    if getattr(parameter, "is_quantized", False):
        return f"{str(parameter.dtype).removeprefix('torch.')}, no real floating-point numbers"
    return None


def _copy(tensor: Any) -> np.ndarray:
    """NumPy knows no floating-point numbers shorter than two bytes, and none of bfloat16."""
    short = tensor.is_floating_point() and tensor.element_size() < 4
    return np.array((tensor.float() if short else tensor).cpu().numpy())
