"""What a Gaussian RBM may be asked for, and the weights that it may begin with."""

import numpy as np

from .._types import ArrayLike
from ..errors import require
from ._samplers import SAMPLERS

POSITIVE_PHASES = ("exact", "minibatch")
CHAINS = ("persistent", "data")


def check_options(sampler: str, positive_phase: str, chains: str) -> None:
    """Refuse what is no option, or does not go together.

    Raises:
        InvalidInputError: the message names the value.
    """
    for name, value, options in (
        ("sampler", sampler, SAMPLERS),
        ("positive_phase", positive_phase, POSITIVE_PHASES),
        ("chains", chains, CHAINS),
    ):
        require(
            value in options,
            f"{name} = {value!r} is unknown; choose one of {', '.join(options)}.",
        )
    require(
        chains == "persistent" or sampler != "independent",
        'chains = "data" needs a chain; take sampler = "collapsed" or "gibbs".',
    )


def checked_weights(
    weights: ArrayLike | None, shape: tuple[int, int], beta: int
) -> np.ndarray | None:
    """Weights of one's own, complex for beta = 2; None where the model draws them.

    Raises:
        InvalidInputError: another shape, NaN or infinity.
    """
    if weights is None:
        return None
    given = np.asarray(weights, dtype=complex if beta == 2 else float)
    require(
        given.shape == shape,
        f"initial_weights of shape {given.shape} must be (n_hidden, n_visible) = {shape}.",
    )
    require(
        bool(np.isfinite(given).all()),
        "initial_weights contain NaN or infinite values; give finite ones.",
    )
    return given
