"""The Dyson index of each matrix of one architecture under one optimiser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._types import Floats
from ...errors import InvalidInputError
from ...spectra import FEWEST_LEVELS, fit_bulk
from ...stats import Estimate
from ...tracking import DysonIndex, dyson_index


@dataclass(frozen=True)
class Row:
    """One matrix.

    Attributes:
        architecture: name of its spec file.
        optimizer: name in a spec.
        matrix: its name.
        index: of all its levels; None where every replica diverged or nothing moves.
        bulk: index of the levels inside the Marchenko-Pastur bulk, where most replicas have one.
        outliers: of the pairs with a level above it.
    """

    architecture: str
    optimizer: str
    matrix: str
    index: DysonIndex | None
    bulk: Estimate | None
    outliers: Estimate | None


def measure(
    architecture: str, optimizer: str, matrices: Mapping[str, Mapping[str, Any]]
) -> list[Row]:
    """A row for each matrix."""
    rows = []
    for name, arrays in matrices.items():
        steps, levels = arrays["steps"], arrays["levels"]
        try:
            index = dyson_index(steps, float(np.max(levels, initial=0.0)))
        except InvalidInputError:
            rows.append(Row(architecture, optimizer, name, None, None, None))
            continue
        bulk, outliers = _parts(steps, levels, arrays["shape"])
        rows.append(Row(architecture, optimizer, name, index, bulk, outliers))
    return rows


def _parts(
    steps: Floats, levels: Floats, shape: NDArray[np.int64]
) -> tuple[Estimate | None, Estimate | None]:
    if levels.shape[1] < FEWEST_LEVELS:
        return None, None
    bulks = [fit_bulk(s, (int(shape[0]), int(shape[1]))) for s in levels]
    noise = [bulk for bulk in bulks if bulk.is_noise]
    # levels are told apart by their place, which must mean the same in most replicas
    if 2 * len(noise) < len(bulks):
        return None, None
    above = np.arange(levels.shape[1]) < round(float(np.median([b.outliers for b in noise])))
    # pairs of a level with those below it: one belongs to the outliers if its upper level does
    chosen = np.repeat(above[:, None], steps.shape[3] // 2, axis=1)
    parts: list[Estimate | None] = []
    for pairs in (~chosen, chosen):
        try:
            parts.append(dyson_index(steps, pairs=pairs).index)
        except InvalidInputError:
            parts.append(None)
    return parts[0], parts[1]
