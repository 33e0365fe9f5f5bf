"""Quasi-random normal numbers: points that fill the space evenly, and their mirror images."""

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri
from scipy.stats import qmc

from .._capacity import require_memory

_LEAST = 256  # points behind even a single one that is asked for
_DIMENSIONS = 21201  # of the direction numbers that there are


def quasi_normal(size: int, dimensions: int, seed: int) -> Float[np.ndarray, "sample dimension"]:
    """Normal numbers of scrambled Sobol points, each followed by its negative.

    Odd moments vanish and every coordinate has unit variance, both exactly, if `size` is a power
    of two from 512 on. Any run of 2^k of them from a multiple of 2^k on fills the space evenly by
    itself. Put what matters most first: the first dimensions are filled best.

    Args:
        size: how many.
        dimensions: numbers in each; those beyond the 21201 that Sobol points have are random.
        seed: of the scrambling.
    """
    bits = int(np.ceil(np.log2(max((size + 1) // 2, _LEAST))))
    require_memory(8.0 * 5 * 2**bits * dimensions, f"{size} samples of {dimensions} numbers")
    random = np.random.default_rng(seed)
    points = qmc.Sobol(min(dimensions, _DIMENSIONS), rng=random).random_base2(bits)
    # a point of the net may be zero, and its normal number infinite
    half = ndtri(np.clip(points, 1e-12, 1 - 1e-12))
    if dimensions > _DIMENSIONS:
        rest = random.standard_normal((len(half), dimensions - _DIMENSIONS))
        half = np.concatenate([half, rest], axis=1)
    half /= np.sqrt((half**2).mean(axis=0))
    return np.stack([half, -half], axis=1).reshape(-1, dimensions)[:size]
