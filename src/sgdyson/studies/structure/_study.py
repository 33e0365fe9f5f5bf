"""How do the weight matrices of a transformer turn from noise into structure?"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ...analysis import CheckTable
from ...models import CharacterTransformer
from ...models.network import Network
from ...optimizers import Adam
from .._study import claim_study, save_figures, write_results
from ._departure import Departure, levels_of, measure
from ._figure import structure_figure
from ._noise import noise_checks
from ._runs import trained

Say = Callable[[str], None]
_SHOWN = "block1.mlp_in"


def study_structure(
    out: Path, seed: int, say: Say, *, quick: bool = False, text: Path | None = None
) -> CheckTable:
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
        for check in noise_checks(name, levels_of(run, name)[:, 0], shape)
    ]
    say("their departure")
    departure = measure(run, shapes)
    first_last = levels_of(run, _SHOWN)[:, [0, -1]]
    save_figures([structure_figure(departure, _SHOWN, first_last, shapes[_SHOWN])], out)
    write_results(
        out, "structure", seed, checks, quick=quick, settings=run.attrs, **_plain(departure)
    )
    return CheckTable(checks)


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
        matrices = model.matrices(model.weight_shapes())
    return {name: matrix.shape for name, matrix in matrices.items()}


def _plain(departure: Departure) -> dict[str, Any]:
    """Plain values for `results.json`."""
    measured = {
        quantity: {kind: [e.to_dict() for e in line] for kind, line in kinds.items()}
        for quantity, kinds in departure.measured.items()
    }
    return {"updates": departure.updates.tolist(), "loss": [e.to_dict() for e in departure.loss],
            "measured": measured}  # fmt: skip
