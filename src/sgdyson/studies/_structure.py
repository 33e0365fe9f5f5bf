"""How do the weight matrices of a transformer turn from noise into structure?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr
from jaxtyping import Float
from numpy.typing import NDArray

from ..analysis import Check
from ..figures.structure import structure_figure
from ..models import CharacterTransformer
from ..models._network import Network
from ..optimizers import Adam
from ..stats import Estimate, mean_over_replicas
from ..tracking import fit_bulk, fit_tail
from ._files import claim_study, save_figures, write_results
from ._noise import noise_checks
from ._structure_runs import trained

Floats = NDArray[np.float64]
Say = Callable[[str], None]
KINDS = {
    "embeddings": ("embedding", "position", "unembedding"),
    "query, key": ("query", "key"),
    "value, output": ("value", "output"),
    "perceptron": ("mlp_in", "mlp_out"),
}
QUANTITIES = ("edge", "outliers", "ratio", "tail")
_SHOWN = "block1.mlp_in"


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


def study_structure(
    out: Path, seed: int, say: Say, *, quick: bool = False, text: Path | None = None
) -> list[Check]:
    """Train transformers on text, and follow the spectra of their matrices from noise on.

    At initialisation each matrix is held against noise of its shape. `results.json`, `figures` and
    `runs` are written.

    Args:
        out: folder, made if need be; replicas that are finished in it are not run again.
        seed: of the ensemble.
        say: is told what goes on.
        quick: smaller and shorter, to see that it works.
        text: a file in UTF-8; Python's own standard library by default.

    Returns:
        The checks of the matrices at initialisation.

    Raises:
        InvalidInputError: a text that cannot be read or is too short, a folder of other runs.
    """
    model, how = _setting(quick, text)
    out = claim_study(out, "structure", seed, quick)
    replicas = how.pop("replicas")
    say(f"training {replicas} transformers for {how['updates']} updates")
    run = trained(model, Adam(), replicas, {**how, "seed": seed}, out / "runs")
    run = run.isel(replica=np.flatnonzero(~run.diverged.values))
    shapes = _shapes(model)
    say("the matrices at initialisation, against noise")
    checks = [
        check
        for name, shape in shapes.items()
        for check in noise_checks(name, _levels(run, name)[:, 0], shape)
    ]
    say("their departure")
    found = measure(run, shapes)
    first_last = _levels(run, _SHOWN)[:, [0, -1]]
    save_figures([structure_figure(found, _SHOWN, first_last, shapes[_SHOWN])], out)
    write_results(out, "structure", seed, checks, quick=quick, settings=run.attrs, **_plain(found))
    return checks


def measure(run: xr.Dataset, shapes: dict[str, tuple[int, int]]) -> Departure:
    """Every quantity at every record."""
    series = {name: _of_matrix(_levels(run, name), shape) for name, shape in shapes.items()}
    measured: dict[str, dict[str, list[Estimate]]] = {quantity: {} for quantity in QUANTITIES}
    for kind, members in KINDS.items():
        names = [name for name in shapes if name.rpartition(".")[2] in members]
        for quantity in QUANTITIES:
            # matrices of one replica are not independent: their mean is one sample
            values = np.mean([series[name][quantity] for name in names], axis=0)
            measured[quantity][kind] = [mean_over_replicas(column) for column in values.T]
    loss = [mean_over_replicas(column) for column in run.loss.values.T]
    return Departure(np.asarray(run.time.values, float), loss, measured)


def _setting(quick: bool, text: Path | None) -> tuple[CharacterTransformer, dict[str, Any]]:
    if quick:
        model = CharacterTransformer(
            text, characters=20_000, blocks=1, width=16, heads=2, context=16, symbols=32
        )
        updates, replicas, records = 60, 3, 4
    else:
        model, updates, replicas, records = CharacterTransformer(text), 1500, 6, 15
    how = {"learning_rate": 2e-3, "batch_size": 8, "replicas": replicas, "updates": updates,
           "record_every": updates // records}  # fmt: skip
    return model, how


def _shapes(model: Network) -> dict[str, tuple[int, int]]:
    with jax.enable_x64(True):
        found = model.matrices(model.weight_shapes())
    return {name: matrix.shape for name, matrix in found.items()}


def _levels(run: xr.Dataset, name: str) -> Float[np.ndarray, "replica time level"]:
    return np.asarray(run.levels.values[:, :, run.matrix.values == name])


def _of_matrix(
    levels: Float[np.ndarray, "replica time level"], shape: tuple[int, int]
) -> dict[str, Float[np.ndarray, "replica time"]]:
    found = np.array([[_numbers(s, shape) for s in replica] for replica in levels])
    found[..., 0] /= found[:, :1, 0].copy()
    return dict(zip(QUANTITIES, np.moveaxis(found, -1, 0), strict=True))


def _numbers(s: Floats, shape: tuple[int, int]) -> tuple[float, int, float, float]:
    """Edge of the bulk, outliers, <r> without them, exponent of the tail."""
    bulk = fit_bulk(s, shape)
    ratio = _mean_ratio(s[bulk.outliers :])
    return bulk.edge.value, bulk.outliers, ratio, fit_tail(s**2, draws=0).exponent.value


def _mean_ratio(levels: Floats) -> float:
    """<r> of one spectrum; its error comes from the replicas."""
    gaps = -np.diff(levels)
    larger = np.maximum(gaps[1:], gaps[:-1])
    return float(np.mean(np.minimum(gaps[1:], gaps[:-1]) / larger))


def _plain(found: Departure) -> dict[str, Any]:
    """For `results.json`."""
    measured = {
        quantity: {kind: [e.to_dict() for e in line] for kind, line in kinds.items()}
        for quantity, kinds in found.measured.items()
    }
    return {"updates": found.updates.tolist(), "loss": [e.to_dict() for e in found.loss],
            "measured": measured}  # fmt: skip
