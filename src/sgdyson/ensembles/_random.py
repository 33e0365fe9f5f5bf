"""What all ensembles share: random numbers and their arguments."""

from typing import Any

import numpy as np
from jaxtyping import Float

from .._checks import positive, shown, whole
from ..errors import InvalidInputError

RandomState = Any  # a seed, a NumPy generator, a JAX key, or None
Levels = Float[np.ndarray, "sample level"]


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
