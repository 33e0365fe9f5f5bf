"""The few numbers of a record that go to a logger."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

import numpy as np

from ..spectra import FEWEST_LEVELS, fit_bulk


def scalars_of(
    spectra: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], step: int
) -> Iterable[tuple[str, float, int]]:
    """Name, value and step, of each matrix."""
    for name, s in spectra.items():
        scalars = {"spectral": float(s[0]), "stable_rank": float(np.sum((s / s[0]) ** 2))}
        with suppress(Exception):  # a spectrum that has no bulk must not cost the run its record
            if s.size >= FEWEST_LEVELS:
                bulk = fit_bulk(s, (shapes[name][0], shapes[name][1]))
                if bulk.is_noise:
                    scalars |= {"sigma": bulk.sigma.value, "outliers": float(bulk.outliers)}
        for quantity, value in scalars.items():
            yield f"sgdyson/{name}/{quantity}", value, step
