"""JAX on a device, for singular values: loaded where it is asked for, and not before."""

from __future__ import annotations

from typing import Any

import numpy as np


class JaxDevice:
    """JAX there, in float64 whatever its settings are.

    Args:
        name: of the device, with a number behind it or without.

    Raises:
        ImportError: no JAX.
        RuntimeError: it has no such device.
        ValueError: or not so many.
    """

    def __init__(self, name: str) -> None:
        import jax

        kind, _, number = name.partition(":")
        devices = jax.devices(kind)
        if (not number.isdigit() and number) or int(number or 0) >= len(devices):
            raise ValueError(f"it has {len(devices)} of {kind}, counted from 0")
        self._jax, self._device = jax, devices[int(number or 0)]

    def added(self, gram: Any, rows: np.ndarray) -> Any:
        """The Gram matrix with more rows; of None the first."""
        with self._jax.enable_x64(True):
            there = self._jax.device_put(rows, self._device)
            more = self._jax.numpy.matmul(there.T, there, precision="highest")
            return more if gram is None else gram + more

    def levels(self, gram: Any) -> np.ndarray:
        """Its eigenvalues, ascending."""
        with self._jax.enable_x64(True):
            return np.asarray(self._jax.numpy.linalg.eigvalsh(gram))

    def decomposed(self, matrix: np.ndarray) -> np.ndarray:
        """Singular values of a matrix, descending."""
        with self._jax.enable_x64(True):
            there = self._jax.device_put(matrix, self._device)
            return np.asarray(self._jax.numpy.linalg.svd(there, compute_uv=False))
