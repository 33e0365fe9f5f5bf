"""Singular values through PyTorch or JAX, on a GPU or on the processor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .._checks import first_line
from .._types import Floats
from ..errors import InvalidInputError, require
from ..spectra import gram_suffices
from ._jax_device import JaxDevice

DEVICES = ("cpu", "cuda")
_BLOCK = 2**22  # entries in float64 that are sent together
_one_at_a_time = threading.Lock()  # a matrix on the device, while others are read


def values_on(device: str) -> Callable[[np.ndarray], Floats]:
    """What finds all singular values of a matrix there, descending, in float64.

    As `sgdyson.spectra.singular_values` does here: through the smaller Gram matrix, or, where a
    value is below 1e-5 of the largest, by the matrix itself. With PyTorch where it is installed and
    sees the device, or else with JAX.

    Args:
        device: "cpu" or "cuda", with a number behind it or without.

    Raises:
        InvalidInputError: no such device, for either of them.
    """
    require(
        device.partition(":")[0] in DEVICES,
        f"device = {device!r} must be one of {', '.join(DEVICES)}.",
    )
    reasons = []
    for library, kind in (("PyTorch", TorchDevice), ("JAX", JaxDevice)):
        try:
            return partial(_values, kind(device))
        except (ImportError, RuntimeError, AssertionError, ValueError) as error:
            reasons.append(f"{library}: {first_line(error).rstrip('.')}")
    raise InvalidInputError(
        f"device = {device!r} is found neither by PyTorch nor by JAX ({'; '.join(reasons)}); choose"
        " cpu, or leave it out for NumPy."
    )


class TorchDevice:
    """PyTorch there.

    Args:
        name: of the device.

    Raises:
        ImportError: no PyTorch.
        RuntimeError: it has no such device.
        AssertionError: or was built without.
    """

    def __init__(self, name: str) -> None:
        import torch

        self._torch, self._name = torch, name
        torch.zeros(1, dtype=torch.float64, device=name)

    def added(self, gram: Any, rows: np.ndarray) -> Any:
        """The Gram matrix with more rows; of None the first."""
        there = self._sent(rows)
        return there.T @ there if gram is None else gram.addmm_(there.T, there)

    def levels(self, gram: Any) -> np.ndarray:
        """Its eigenvalues, ascending."""
        return np.asarray(self._torch.linalg.eigvalsh(gram).cpu().numpy())

    def decomposed(self, matrix: np.ndarray) -> np.ndarray:
        """Singular values of a matrix, descending."""
        return np.asarray(self._torch.linalg.svdvals(self._sent(matrix)).cpu().numpy())

    def _sent(self, matrix: np.ndarray) -> Any:
        return self._torch.from_numpy(matrix).to(self._name)


def _values(device: TorchDevice | JaxDevice, matrix: np.ndarray) -> Floats:
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    step = max(1, _BLOCK // tall.shape[1])
    gram = None
    with _one_at_a_time:
        for first in range(0, len(tall), step):
            gram = device.added(gram, tall[first : first + step].astype(np.float64))
        s = np.sqrt(np.maximum(device.levels(gram)[::-1], 0.0))
        return s if gram_suffices(s) else device.decomposed(tall.astype(np.float64))
