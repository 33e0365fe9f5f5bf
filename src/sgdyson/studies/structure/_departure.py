"""How the spectra of an ensemble depart from noise: edge, outliers, <r>, tail."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from ..._types import Floats
from ...spectra import fit_bulk, fit_tail, spacing_ratios
from ...stats import Estimate, mean_over_replicas

KINDS = {
    "embeddings": ("embedding", "position", "unembedding"),
    "query, key": ("query", "key"),
    "value, output": ("value", "output"),
    "perceptron": ("mlp_in", "mlp_out"),
}
QUANTITIES = ("edge", "outliers", "ratio", "tail")


@dataclass(frozen=True)
class Departure:
    """What is measured of an ensemble, each with its error over replicas.

    Attributes:
        updates: of the records.
        loss: at each record.
        measured: by quantity ("edge" in units of its first value, "outliers" a matrix, "ratio" <r>
            of the bulk, "tail" exponent of the levels' density) and by kind of matrix.
    """

    updates: Floats
    loss: list[Estimate]
    measured: dict[str, dict[str, list[Estimate]]]


def measure(run: xr.Dataset, shapes: dict[str, tuple[int, int]]) -> Departure:
    """Every quantity at every record."""
    series = {name: _of_matrix(levels_of(run, name), shape) for name, shape in shapes.items()}
    measured: dict[str, dict[str, list[Estimate]]] = {quantity: {} for quantity in QUANTITIES}
    for kind, members in KINDS.items():
        names = [name for name in shapes if name.rpartition(".")[2] in members]
        for quantity in QUANTITIES:
            # matrices of one replica are not independent: their mean is one sample
            values = np.mean([series[name][quantity] for name in names], axis=0)
            measured[quantity][kind] = [mean_over_replicas(column) for column in values.T]
    loss = [mean_over_replicas(column) for column in run.loss.values.T]
    return Departure(np.asarray(run.time.values, float), loss, measured)


def levels_of(run: xr.Dataset, name: str) -> Float[np.ndarray, "replica time level"]:
    """Singular values of one matrix, (replica, time, level)."""
    return np.asarray(run.levels.values[:, :, run.matrix.values == name])


def _of_matrix(
    levels: Float[np.ndarray, "replica time level"], shape: tuple[int, int]
) -> dict[str, Float[np.ndarray, "replica time"]]:
    values = np.array([[_numbers(s, shape) for s in replica] for replica in levels])
    # a copy, for the first value is itself divided
    values[..., 0] /= values[:, :1, 0].copy()
    return dict(zip(QUANTITIES, np.moveaxis(values, -1, 0), strict=True))


def _numbers(s: Floats, shape: tuple[int, int]) -> tuple[float, int, float, float]:
    """Edge of the bulk, outliers, <r> without them, exponent of the tail."""
    bulk = fit_bulk(s, shape)
    ratio = float(spacing_ratios(s[bulk.outliers :]).mean())  # its error comes from the replicas
    return bulk.edge.value, bulk.outliers, ratio, fit_tail(s**2, draws=0).exponent.value
