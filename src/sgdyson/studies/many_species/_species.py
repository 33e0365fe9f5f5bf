"""The levels of one matrix of a network, measured."""

from dataclasses import dataclass

from ..._types import Floats
from ...models import Prediction
from ...stats import Estimate, mean_over_replicas


@dataclass(frozen=True)
class Species:
    """The levels of one matrix in one setting, beside their prediction.

    Attributes:
        name: of the matrix.
        ratio: alpha/|B|.
        levels: shape (replica, time, level), about the fixed point.
        width2: sigma^2, measured.
        prediction: of the matrix.
    """

    name: str
    ratio: float
    levels: Floats
    width2: Estimate
    prediction: Prediction


def species(name: str, levels: Floats, prediction: Prediction) -> Species:
    """Measure the levels of one matrix."""
    n = levels.shape[-1]
    # <sum (x - c)^2> = sigma^2 n (n + 1)/2 of the Gaussian orthogonal ensemble: n on the diagonal
    # of variance sigma^2, and n (n - 1)/2 off it, of half the variance, each counted twice
    square = ((levels - levels.mean()) ** 2).sum(axis=-1) / (n + n * (n - 1) / 2)
    ratio = prediction.learning_rate / prediction.batch_size
    width2 = mean_over_replicas(square)
    return Species(name, ratio, levels - prediction.levels[0], width2, prediction)
