"""Where in (alpha/|B|, initial sigma_W) does a network learn, and where does it not?"""

import json
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ..._files import write_text
from ..._version import __version__
from ...analysis import (
    Check,
    CheckTable,
    PhaseDiagram,
    StabilityLimit,
    growth_crossing,
    level_motion,
    phase_diagram,
    threshold,
)
from ...campaign import Campaign, Spec, parse_spec, specs
from ...engine import simulate
from ...models import TwoLayerTeacher
from ...models.stability import mean_square_weights, typical_limit
from ...stats import Estimate
from .._study import claim_study, save_figures, write_results
from ._figures import order_parameters, phases, stability

MEAN_SQUARE, TYPICAL = "mean square", "typical replica"
BATCH_SIZES = (1, 2, 4, 16, 64)
_BARRIER = 15.5  # the logarithm of how much a student grows before it is flagged


def study_phase_diagram(
    out: Path, seed: int, say: Callable[[str], None], *, quick: bool = False
) -> CheckTable:
    """The phase diagram of `TwoLayerTeacher`, told by the motion of levels.

    Runs the campaign `phase_diagram` in `out/campaign`, measures the boundary of stability of
    the identity network, and writes `results.json` and `figures`. The order parameters are those
    of `sgdyson.analysis.level_motion`.

    Args:
        out: folder, new or of the same study.
        seed: of the random numbers of all runs.
        say: told what is going on, a line at a time.
        quick: 5 x 5 points, shorter runs, two batch sizes.

    Returns:
        A check of every measured boundary.

    Raises:
        InvalidInputError: a folder of another seed or version, or one that cannot be written.
    """
    out = claim_study(out, "phase-diagram", seed, quick)
    spec = _spec(seed, quick)
    campaign = Campaign(spec, out / "campaign")
    say(f"{len(spec.settings)} settings of {spec.first.replicas} replicas in {out / 'campaign'}")
    data = campaign.run()
    say("boundary of stability of the identity network")
    limits = _limits(out / "stability.json", seed, quick)
    say("order parameters and figures")
    diagrams = _diagrams(spec, data, limits)
    save_figures(
        [phases(diagrams), order_parameters(diagrams), stability(limits)],
        out,
    )
    checks = [_check(limit) for limit in limits]
    write_results(out, "phase-diagram", seed, checks, spec=spec.raw,
                  diagrams=[_plain(diagram) for diagram in diagrams])  # fmt: skip
    return CheckTable(checks)


def _spec(seed: int, quick: bool) -> Spec:
    raw = tomllib.loads(specs.text("phase_diagram")) | {"seed": seed}
    if quick:
        raw |= {"replicas": 64, "updates": 504}
        for table, key in (("model", "initial_width"), ("learning", "learning_rate")):
            # every fourth: 5 of each axis, with neither end
            raw[table][key] = raw[table][key][2::4]
    return parse_spec(raw, "phase_diagram")


def _diagrams(spec: Spec, data: xr.Dataset, limits: list[StabilityLimit]) -> list[PhaseDiagram]:
    """A phase diagram for every activation."""
    first = spec.first
    batch_size = int(first.learning.batch_size)
    diagrams = []
    for place, name in enumerate(spec.varied["model.activation"]):
        # the activation is the first axis, and varies slowest
        model = spec.settings[place * int(np.prod(spec.shape[1:]))].build()
        assert isinstance(model, TwoLayerTeacher)
        target = model.levels(model.teacher)
        motions = [
            [
                level_motion(
                    data.levels[place, row, column].values,
                    data.diverged[place, row, column].values, target, first.record_every,
                )
                for column in range(spec.shape[2])
            ]
            for row in range(spec.shape[1])
        ]  # fmt: skip
        predicted = {
            limit.kind: limit.predicted / batch_size
            for limit in limits
            if name == "identity" and limit.batch_size == batch_size
        }
        diagrams.append(
            phase_diagram(
                name,
                np.array(spec.varied["learning.learning_rate"]) / batch_size,
                np.array(spec.varied["model.initial_width"]),
                motions,
                predicted,
            )
        )
    return diagrams


def _limits(file: Path, seed: int, quick: bool) -> list[StabilityLimit]:
    """The boundaries of stability, measured once, and kept in the folder."""
    claim = {"seed": seed, "quick": quick, "sgdyson_version": __version__}
    with suppress(OSError, ValueError, KeyError, TypeError):  # not there yet, or damaged
        before = json.loads(file.read_text(encoding="utf-8"))
        if before["claim"] == claim:
            return [
                StabilityLimit(**limit | {"measured": Estimate(**limit["measured"])})
                for limit in before["limits"]
            ]
    limits = []
    for batch_size in BATCH_SIZES[2:4] if quick else BATCH_SIZES:
        limits += [_mean_square(batch_size, seed, quick), _typical(batch_size, seed, quick)]
    content = {"claim": claim, "limits": [asdict(limit) for limit in limits]}
    write_text(file, json.dumps(content, allow_nan=False))
    return limits


def _mean_square(batch_size: int, seed: int, quick: bool) -> StabilityLimit:
    """Boundary by the growth of the error's mean square at rates around the prediction.

    Weighted by the left vector of the second moments, so that no mode has to die out first.
    """
    model = TwoLayerTeacher("identity")
    predicted = model.stability_limit(batch_size)
    rates = predicted * np.linspace(0.96, 1.04, 3)  # the growth is no straight line beyond
    replicas, last = (2048 if quick else 16384), 3
    _, modes = np.linalg.eigh(model.inner_weights.T @ model.inner_weights)
    weights = mean_square_weights(model.rates(), batch_size)
    before, after = np.empty((2, replicas, len(rates)))
    for place, rate in enumerate(rates):
        run = simulate(
            model, learning_rate=rate, batch_size=batch_size, replicas=replicas, updates=last,
            record_every=last, seed=seed, record_weights=True, progress=False,
        )  # fmt: skip
        error = model.teacher - run.weights.values[:, [0, -1]]
        seen = model.outer_weights @ error @ model.inner_weights @ modes[:, ::-1]
        before[:, place], after[:, place] = (seen**2 @ weights).T
    measured = growth_crossing(rates, before, after)
    mean = float(2 / model.rates()[0])
    return StabilityLimit(MEAN_SQUARE, batch_size, measured, predicted, 0.0, mean)


def _typical(batch_size: int, seed: int, quick: bool) -> StabilityLimit:
    """Boundary by the share of replicas that escape at rates around the prediction."""
    model = TwoLayerTeacher("identity")
    updates = 504 if quick else 2016
    predicted, error = typical_limit(model.rates(), batch_size, updates, _BARRIER)
    rates = predicted * np.linspace(0.6, 1.4, 17)
    runs = [
        simulate(
            model, learning_rate=rate, batch_size=batch_size, replicas=128, updates=updates,
            record_every=updates, seed=seed, progress=False,
        ).diverged.values
        for rate in rates
    ]  # fmt: skip
    measured = threshold(rates, np.stack(runs, axis=1))
    mean = float(2 / model.rates()[0])
    return StabilityLimit(TYPICAL, batch_size, measured, predicted, error, mean)


def _check(limit: StabilityLimit) -> Check:
    return Check(
        name=f"{limit.kind} |B|={limit.batch_size}",
        figure="stability",
        quantity="largest stable learning rate",
        setting={"batch_size": limit.batch_size, "mean_dynamics": limit.mean_dynamics},
        measured=limit.measured,
        predicted=limit.predicted,
        theory_error=4 * limit.prediction_error,
    )


def _plain(diagram: PhaseDiagram) -> dict[str, Any]:
    """Plain values for JSON, with None for NaN."""

    def numbers(array: np.ndarray) -> Any:
        return [[float(x) if np.isfinite(x) else None for x in row] for row in array]

    return {
        "activation": diagram.name,
        "alpha_over_batch": diagram.ratios.tolist(),
        "initial_width": diagram.widths.tolist(),
        "limits": diagram.limits,
        **{
            kind: {
                name: {"value": numbers(parameter.value), "error": numbers(parameter.error)}
                for name, parameter in parts.items()
            }
            for kind, parts in (
                ("shares", diagram.shares), ("order_parameters", diagram.parameters),
            )
        },
    }  # fmt: skip
