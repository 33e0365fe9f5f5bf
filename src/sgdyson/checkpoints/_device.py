"""Singular values through PyTorch, on a GPU or on the processor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from .._types import Floats
from ..errors import InvalidInputError, require
from ..spectra import gram_suffices

DEVICES = ("cpu", "cuda")
_BLOCK = 2**22  # entries in float64 that are sent together
_one_at_a_time = threading.Lock()  # a matrix on the device, while others are read


def values_on(device: str) -> Callable[[np.ndarray], Floats]:
    """What finds all singular values of a matrix there, descending, in float64.

    As `sgdyson.spectra.singular_values` does here: through the smaller Gram matrix, or, where a
    value is below 1e-5 of the largest, by the matrix itself.

    Args:
        device: "cpu" or "cuda", with a number behind it or without.

    Raises:
        InvalidInputError: no such device, or no PyTorch.
    """
    require(
        device.partition(":")[0] in DEVICES,
        f"device = {device!r} must be one of {', '.join(DEVICES)}.",
    )
    try:
        import torch
    except ImportError as error:
        raise InvalidInputError(
            f"device = {device!r} needs PyTorch: pip install torch; leave it out for NumPy."
        ) from error
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (RuntimeError, AssertionError) as error:  # of many kinds, by how it was built
        reason = (str(error) or type(error).__name__).partition("\n")[0].rstrip(".")
        raise InvalidInputError(
            f"PyTorch finds no device {device!r} here ({reason}); choose cpu, or leave it out."
        ) from error

    def find(matrix: np.ndarray) -> Floats:
        with _one_at_a_time:
            return _values(torch, matrix, device)

    return find


def _values(torch: Any, matrix: np.ndarray, device: str) -> Floats:
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    size = tall.shape[1]
    gram = torch.zeros((size, size), dtype=torch.float64, device=device)
    step = max(1, _BLOCK // size)
    for first in range(0, len(tall), step):
        rows = torch.from_numpy(tall[first : first + step].astype(np.float64)).to(device)
        gram.addmm_(rows.T, rows)
    levels = torch.linalg.eigvalsh(gram).flip(0).clamp(min=0.0)
    s = np.asarray(levels.sqrt().cpu().numpy())
    if gram_suffices(s):
        return s
    whole = torch.from_numpy(tall.astype(np.float64)).to(device)
    return np.asarray(torch.linalg.svdvals(whole).cpu().numpy())
