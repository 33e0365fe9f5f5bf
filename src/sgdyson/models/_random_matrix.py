"""Random matrices whose singular values are the levels of a model in its stationary state."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from .._threads import one_blas_thread
from ..ensembles.entries import complex_form
from ..spectra import levels_of_gram
from ._quasi_normal import quasi_normal

Matrices = Float[np.ndarray, "sample row level"]
_AT_ONCE = 2**21  # numbers in the matrices that are taken apart at once


class RandomMatrix(ABC):
    """The law of the weights W in the eigenbasis of what they learn.

    Attributes:
        coordinates: independent normal numbers in one W.
        power: levels are singular values to this power.
        beta: of the entries of W: 1, 2 or 4, those of quaternions in their complex form.
    """

    power: int
    beta: int = 1

    @property
    @abstractmethod
    def coordinates(self) -> int:
        """How many normal numbers one matrix is made of."""

    @abstractmethod
    def weights(self, normal: Float[np.ndarray, "sample coordinate"]) -> Matrices:
        """Matrices of normal numbers."""

    def sample_levels(self, size: int, seed: int) -> Float[np.ndarray, "sample level"]:
        """Levels of `size` matrices, descending."""

        def levels(weights: Matrices) -> np.ndarray:
            squares = levels_of_gram(weights)[..., :: 2 if self.beta == 4 else 1]
            return squares if self.power == 2 else np.sqrt(squares)

        return self.apply(levels, size, seed)

    def apply(self, function: Callable[[Matrices], np.ndarray], size: int, seed: int) -> np.ndarray:
        """Values of a function of W, shape (sample, ...), a few matrices at a time."""
        normal = quasi_normal(size, self.coordinates, seed)
        step = max(_AT_ONCE // max(self.coordinates, 1), 1)
        # batches of small matrices: a second BLAS thread only waits for the first
        with one_blas_thread():
            values = [function(self.weights(normal[n : n + step])) for n in range(0, size, step)]
        return np.concatenate(values)


def of_components(parts: Float[np.ndarray, "sample beta row column"]) -> Matrices:
    """Matrices of the beta real components of their entries; of quaternions the complex form."""
    beta = parts.shape[1]
    if beta == 1:
        return parts[:, 0]
    first = parts[:, 0] + 1j * parts[:, 1]
    return complex_form(first, None if beta == 2 else parts[:, 2] + 1j * parts[:, 3])
