"""Is a weight matrix noise? Its spectrum against that of Gaussian matrices of its shape."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from ..._threads import one_blas_thread
from ..._types import Floats
from ...analysis import Check
from ...spectra import fit_bulk, singular_values
from ...stats import Estimate

_DRAWS = 400
_STATISTICS = (
    "distance from Marchenko and Pastur",  # of the bulk: too large where rows differ in variance
    "largest singular value / threshold",  # too large where something stands above the noise
)


@dataclass(frozen=True)
class Null:
    """Mean and standard deviation of both statistics, of noise of one shape."""

    mean: Floats
    deviation: Floats
    draws: int


def noise_checks(
    name: str, levels: Float[np.ndarray, "replica level"], shape: tuple[int, int]
) -> list[Check]:
    """Means over replicas of both statistics, of singular values, against noise of that shape.

    Neither depends on the width of the entries. The error is that of noise, known from draws, and
    not that of the few replicas.
    """
    null = null_of(shape)
    measured = np.array([statistics(s, shape) for s in levels])
    # of a mean of few replicas, and of the mean of the draws it is held against
    errors = null.deviation * (1 / len(measured) + 1 / null.draws) ** 0.5
    return [
        Check(
            name=f"{name}: {quantity}", figure="structure", quantity=quantity,
            setting={"matrix": name, "rows": shape[0], "columns": shape[1]},
            measured=Estimate(float(value), float(error), len(measured)), predicted=float(mean),
        )
        for quantity, value, error, mean in zip(
            _STATISTICS, measured.mean(axis=0), errors, null.mean, strict=True
        )
    ]  # fmt: skip


def statistics(levels: Floats, shape: tuple[int, int]) -> tuple[float, float]:
    """Statistics of one matrix, from its singular values, descending."""
    bulk = fit_bulk(levels, shape)
    return bulk.distance, float(levels[0]) / bulk.threshold


@lru_cache
def null_of(shape: tuple[int, int], draws: int = _DRAWS) -> Null:
    """Both statistics of Gaussian matrices, from a generator seeded with the shape."""
    random = np.random.default_rng(shape)
    with one_blas_thread():
        spectra = [singular_values(random.normal(size=shape)) for _ in range(draws)]
    values = np.array([statistics(s, shape) for s in spectra])
    return Null(values.mean(axis=0), values.std(axis=0, ddof=1), draws)
