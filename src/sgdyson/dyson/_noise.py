"""Amplitudes g of the noise: one number, one a level, or a function of time."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._checks import first_line, real_array, shown
from .._devices import devices
from .._jax_settings import own_settings
from ..errors import InvalidInputError, require

Noise = float | tuple[float, ...] | Callable[[Array], Array]

_LOOKED_AT = 10_000  # times of a run at which a function of time must be positive


def settled_noise(noise: Noise) -> Noise:
    """Plain positive numbers, one or several; a function as it is.

    Raises:
        InvalidInputError: other things, or an amplitude that is not positive.
    """
    if callable(noise):
        return noise
    values = real_array("noise", noise)
    require(
        values.ndim <= 1 and values.size > 0 and bool((np.isfinite(values) & (values > 0)).all()),
        f"noise = {shown(noise)} must be a positive number, one for each level, or a function of"
        " time: levels without noise do not repel each other.",
    )
    return float(values) if values.ndim == 0 else tuple(values.tolist())


def check_noise(noise: Noise, n: int, step: float, steps: int) -> None:
    """Refuse amplitudes for another number of levels, or that vanish at some time of a run.

    Raises:
        InvalidInputError: the message names the value.
    """
    if not callable(noise):
        require(
            np.shape(noise) in ((), (n,)),
            f"noise = {shown(noise)} must be one number, or one for each of {n} levels.",
        )
        return
    times = step * (np.linspace(0, steps - 1, min(steps, _LOOKED_AT)) + 0.5)
    words = f"noise = {shown(noise)}"
    with own_settings(), jax.default_device(devices(1)[0]):
        try:
            values = np.asarray(jax.vmap(noise)(jnp.asarray(times)))
        except Exception as error:  # whatever a user's function raises
            raise InvalidInputError(
                f"{words} failed on a time ({first_line(error)}); write it with jax.numpy, without"
                " `if` on the time."
            ) from error
    require(
        values.shape[1:] in ((), (n,)) and values.dtype == np.float64,
        f"{words} must return one number of float64, or one for each of {n} levels, not"
        f" {values.dtype} of shape {values.shape[1:]}.",
    )
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)).reshape(len(times), -1).all(axis=1))
    require(
        len(bad) == 0,
        f"{words} must be positive at every time, and at {times[bad[:1]].sum():.4g} it is not:"
        " levels without noise do not repel each other.",
    )
