"""What all ensembles share: random numbers and their arguments."""

from typing import Any

import numpy as np
from jaxtyping import Complex, Float

from .._checks import positive, shown, whole
from ..errors import InvalidInputError, require

RandomState = Any  # a seed, a NumPy generator, a JAX key, or None
Levels = Float[np.ndarray, "sample level"]
Matrices = Float[np.ndarray, "sample row column"] | Complex[np.ndarray, "sample row column"]


def generator(random_state: RandomState) -> np.random.Generator:
    """A NumPy generator; one and the same JAX key always gives one and the same generator."""
    if hasattr(random_state, "dtype") and str(random_state.dtype).startswith("key"):
        from jax.random import key_data

        return np.random.default_rng(np.asarray(key_data(random_state)).ravel())
    if random_state is None or isinstance(random_state, np.random.Generator):
        return np.random.default_rng(random_state)
    if np.ndim(random_state) == 0 and not isinstance(random_state, np.random.SeedSequence):
        return np.random.default_rng(whole("random_state", random_state, 0, 2**128 - 1))
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"random_state = {shown(random_state)} must be a whole number that is not negative, or"
            " several, a NumPy generator or a JAX key."
        ) from error


def repulsion_of(beta: float) -> float:
    """A positive beta as a plain number, whole where it was given so."""
    number = positive("beta", beta)
    return int(number) if number.is_integer() else number


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
