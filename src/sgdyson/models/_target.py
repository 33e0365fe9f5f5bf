"""What a Gaussian restricted Boltzmann machine learns: a kernel, or data that have one."""

from __future__ import annotations

import numpy as np

from .._capacity import require_memory
from .._checks import positive, whole
from .._types import ArrayLike
from ..errors import require
from ..spectra import numeric_matrices


def scalar_field_kernel(n_visible: int, mass: float, lattice_dim: int = 1) -> np.ndarray:
    """m^2 minus the lattice Laplacian of a periodic lattice, shape (n_visible, n_visible)."""
    lattice_dim, n_visible = whole("lattice_dim", lattice_dim), whole("n_visible", n_visible)
    mass = positive("mass", mass, "a massless field has a kernel with a zero mode")
    require_memory(8.0 * 6 * n_visible**2, f"a kernel of n_visible = {n_visible}")
    side = round(n_visible ** (1 / lattice_dim))
    require(
        side**lattice_dim == n_visible,
        f"n_visible = {n_visible} is not a whole number to the power lattice_dim ="
        f" {lattice_dim}; {side}^{lattice_dim} = {side**lattice_dim} would be.",
    )
    sites = np.arange(n_visible).reshape((side,) * lattice_dim)
    kernel: np.ndarray = (mass**2 + 2 * lattice_dim) * np.eye(n_visible)
    for axis in range(lattice_dim):
        # one by one: on a ring of two sites both neighbours are one, and count twice
        for step in (1, -1):
            kernel[sites.ravel(), np.roll(sites, step, axis).ravel()] -= 1
    return kernel


def checked_kernel(target_kernel: ArrayLike, beta: int) -> np.ndarray:
    """A kernel that can be learnt, Hermitian to the last bit.

    Raises:
        InvalidInputError: one that is not a positive matrix, real unless beta = 2.
    """
    kernel: np.ndarray = numeric_matrices("the entries of target_kernel", target_kernel)
    require(
        kernel.dtype.kind == "f" or beta == 2,
        f"the entries of target_kernel are complex, and beta = {beta}; give real ones, or take"
        " beta = 2.",
    )
    require(
        kernel.ndim == 2 and kernel.shape[0] == kernel.shape[1] > 0,
        f"target_kernel of shape {kernel.shape} must be a square matrix.",
    )
    require(bool(np.isfinite(kernel).all()), "target_kernel contains NaN or infinite values.")
    asymmetry = float(np.abs(kernel - kernel.conj().T).max())
    require(
        asymmetry <= 1e-10 * float(np.abs(kernel).max()),
        f"target_kernel is not symmetric (largest difference {asymmetry:.3g}); symmetrise it as"
        " (K + K.T)/2, or if complex (K + K.conj().T)/2.",
    )
    # to the last bit: LAPACK's symmetric routines read one triangle and believe it
    kernel = (kernel + kernel.conj().T) / 2
    lowest = float(np.linalg.eigvalsh(kernel)[0])
    require(
        lowest > 0,
        f"target_kernel has the eigenvalue {lowest:.6g}, but all must be positive for a"
        " normalisable target; add a mass term m^2 to its diagonal.",
    )
    return kernel


def data_and_moment(samples: ArrayLike, beta: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Samples of shape (sample, visible), and their second moment, which has an inverse.

    Raises:
        InvalidInputError: samples without one.
    """
    data = np.asarray(samples, dtype=complex if beta == 2 else float)
    require(
        data.ndim == 2 and data.shape[0] > data.shape[1] > 0,
        f"samples of shape {data.shape} must be (sample, visible), more samples than visible"
        " units; transpose the array or gather more.",
    )
    require(
        bool(np.isfinite(data).all()),
        "samples contain NaN or infinite values; remove or replace those rows first.",
    )
    # <phi_i phi_j^*>: the transpose of data^dagger data
    second_moment = data.T @ data.conj() / len(data)
    require(
        int(np.linalg.matrix_rank(second_moment, hermitian=True)) == data.shape[1],
        f"samples span fewer than their {data.shape[1]} dimensions, so their kernel is"
        " infinite; drop constant or repeated columns.",
    )
    return data, second_moment


def checked_data(data: ArrayLike, target_kernel: np.ndarray) -> np.ndarray:
    """Rows whose second moment is that of the target, or no prediction would be right.

    Raises:
        InvalidInputError: other rows.
    """
    rows, n = np.asarray(data, dtype=float), len(target_kernel)
    require(
        rows.ndim == 2 and rows.shape[1] == n and bool(np.isfinite(rows).all()),
        f"data of shape {rows.shape} must be (sample, {n}), without NaN; or take from_data.",
    )
    off = np.abs(rows.T @ rows / len(rows) @ target_kernel - np.eye(n)).max()
    require(
        bool(off < 1e-6),
        f"data whose second moment is not the inverse of target_kernel (off by {off:.3g}):"
        " from_data makes the kernel from the data.",
    )
    return rows
