"""What a model hands to its prediction."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._leading import Levels
from ._random_matrix import Matrices, RandomMatrix


@dataclass(frozen=True)
class Theory:
    """What a model knows of the law of its weights, each computed when it is asked for.

    Attributes:
        first: the random matrix of order 1.
        neglected: what order 1 leaves out, relative to each width, where order 2 does not tell.
        second: the random matrix of order 2; None where it is not derived.
        no_second: why not, a sentence's end.
        fourth: what both orders leave out of each width, relative: its fourth cumulants.
        distance: of weights from what they are to learn, in the target's eigenbasis; None where
            the leading order of the accuracy limit is exact.
    """

    first: Callable[[], RandomMatrix]
    neglected: Levels
    second: Callable[[], RandomMatrix] | None = None
    no_second: str = "is derived for a GaussianRBM alone"
    fourth: Levels | float = 0.0
    distance: Callable[[Matrices], Float[np.ndarray, "sample"]] | None = None


def given(matrix: RandomMatrix) -> RandomMatrix:
    """The matrix itself, where nothing is worked out; pickle knows this function, and no lambda."""
    return matrix
