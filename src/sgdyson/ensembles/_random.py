"""What all ensembles share: random numbers and their arguments."""

from typing import Any

import numpy as np
from jaxtyping import Complex, Float

from ..errors import require

RandomState = Any  # a seed, a NumPy generator, a JAX key, or None
Levels = Float[np.ndarray, "sample level"]
Matrices = Float[np.ndarray, "sample row column"] | Complex[np.ndarray, "sample row column"]


def generator(random_state: RandomState) -> np.random.Generator:
    """A NumPy generator; one and the same JAX key always gives one and the same generator."""
    if hasattr(random_state, "dtype") and str(random_state.dtype).startswith("key"):
        from jax.random import key_data

        return np.random.default_rng(np.asarray(key_data(random_state)).ravel())
    return np.random.default_rng(random_state)


def check_size(**counts: int) -> None:
    """Refuse numbers of levels, rows or draws that are not whole and positive."""
    for name, value in counts.items():
        require(
            isinstance(value, int | np.integer) and value >= 1,
            f"{name} = {value!r} must be a whole number of at least 1.",
        )


def check_beta(beta: float) -> None:
    """Refuse a repulsion that is not positive."""
    require(
        bool(np.isfinite(beta)) and beta > 0,
        f"beta = {beta!r} must be a positive number.",
    )


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
