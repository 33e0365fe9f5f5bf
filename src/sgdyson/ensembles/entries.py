"""Entries of dense random matrices, real, complex or quaternion."""

from typing import Any

import numpy as np
from jaxtyping import Complex, Float

from ..errors import require

Matrices = Float[np.ndarray, "sample row column"] | Complex[np.ndarray, "sample row column"]


def check_dense(beta: float) -> None:
    """Dense matrices have real, complex or quaternion entries."""
    require(
        beta in (1, 2, 4),
        f"beta = {beta!r} must be 1, 2 or 4 for dense matrices; `eigenvalues` takes any.",
    )


def normal_entries(
    random: np.random.Generator, shape: tuple[int, ...], beta: float
) -> tuple[Any, Any]:
    """The two complex parts a, b of quaternions a + b j of unit normal components.

    For beta = 1 and 2 the second part is None, and the first real or complex.
    """
    if beta == 1:
        return random.standard_normal(shape), None
    first = random.standard_normal(shape) + 1j * random.standard_normal(shape)
    if beta == 2:
        return first, None
    return first, random.standard_normal(shape) + 1j * random.standard_normal(shape)


def complex_form(first: Any, second: Any) -> Matrices:
    """Matrices of quaternions as complex ones of twice the size; others as they are."""
    if second is None:
        return np.asarray(first)
    return np.block([[first, second], [-second.conj(), first.conj()]])
