r"""When does a mode step out of the noise, and which noise keeps it there?

A student begins as noise and learns a teacher of low rank. Measured, beside predictions without a
free parameter (docs/theory.md):

* levels and overlaps of every mode against time, and the time at which each is half seen;
* the overlap at rest against alpha/|B|, each of the two varied alone: what can be learnt at all;
* a mode that noise of the labels drowns again, since the student learns that too: early stopping;
* phases in (learning rate, initial width) and in (alpha/|B|, strength), and their boundaries.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis import Check, CheckTable
from ...models import LowRankTeacher
from ...stats import mean_over_replicas
from .._study import claim_study, save_figures, write_results
from ._figures import paths, phases, what_is_learnt
from ._phases import PHASES, Diagram, diagram, planes
from ._runs import SIDES, Learning, Rest, crossings, learn
from ._transient import Transient, transient_checks, transient_figure

LARGE = LowRankTeacher([6.0, 3.0, 1.5], (160, 80), label_noise=1.0, initial_width=0.05)
SMALL = LowRankTeacher([1.0], (64, 48), label_noise=1.9, initial_width=0.05)
RATIOS = (0.00125, 0.0025, 0.00375, 0.005, 0.0075, 0.01)  # alpha/|B|; SMALL drowns at 0.01
_FAR = 1.15  # times the edge, from where on a level is out of the transition


def study_emergence(
    out: Path, seed: int, say: Callable[[str], None], *, quick: bool = False
) -> CheckTable:
    """Hold the emergence of modes against its prediction.

    Args:
        out: folder, made if need be; what is finished in it is not run again.
        seed: of all runs.
        say: is told what goes on.
        quick: 5 x 5 points, few replicas, to look at.

    Returns:
        Checks of levels, overlaps, times, and boundaries.

    Raises:
        InvalidInputError: a folder of another seed or version, or one that cannot be written.
    """
    out = claim_study(out, "emergence", seed, quick)
    say("a student of 160 x 80 that learns three modes")
    path = learn(LARGE, 0.02, 64, 6 if quick else 32, 160 if quick else 320, 5, seed)
    say("a mode of a data set that is seen for a while")
    transient = Transient.run(16 if quick else 32, seed)
    say("what is learnt at rest, by alpha/|B|")
    series = _at_rest(seed, quick)
    diagrams = []
    for plane in planes(5 if quick else 20):
        say(f"phases by {plane.name}: {len(plane.y)} x {len(plane.rates)} points")
        file = out / f"phases-{plane.name}.json"
        diagrams.append(diagram(plane, 16 if quick else 64, seed, file))
    checks = [
        *path_checks(path), *time_checks(path), *transient_checks(transient),
        *(check for label, points in series for check in rest_checks(label, points)),
        *(check for each in diagrams for check in boundary_checks(each)),
    ]  # fmt: skip
    figures = [paths(path), transient_figure(transient), what_is_learnt(series), phases(diagrams)]
    save_figures(figures, out)
    write_results(out, "emergence", seed, checks, diagrams=[_plain(each) for each in diagrams])
    return CheckTable(checks)


def path_checks(learning: Learning) -> list[Check]:
    """Level and overlaps of each mode, halfway out and at the end.

    What is neglected is of relative order 1/N, N the smaller side: so much of the edge for a level,
    twice as much for an overlap.
    """
    path, small = learning.path, min(learning.model.shape)
    seen = path.levels > _FAR * path.edge[:, None]
    checks = []
    for mode in range(seen.shape[1]):
        for at in (int(seen[:, mode].argmax()), len(path.times) - 1):
            if not seen[at, mode]:
                continue
            numbers = [
                ("level", learning.levels[:, at, mode], path.levels, path.edge[at] / small),
                ("left overlap", learning.overlaps[:, at, mode, 0], path.left_overlaps, 2 / small),
                ("right overlap", learning.overlaps[:, at, mode, 1], path.right_overlaps,
                 2 / small),
            ]  # fmt: skip
            checks += [
                Check(
                    name=f"{quantity}/mode{mode + 1}/update{path.times[at]:g}", figure="paths",
                    quantity=quantity, setting={"mode": mode + 1, "update": float(path.times[at])},
                    measured=mean_over_replicas(values), predicted=float(theory[at, mode]),
                    theory_error=float(error),
                )
                for quantity, values, theory, error in numbers
            ]  # fmt: skip
    return checks


def time_checks(learning: Learning) -> list[Check]:
    """The update at which each mode is half seen: its mean left overlap passes 1/2.

    Both curves by the same straight lines between the same records; what is neglected is that of
    an overlap, 2/N, by the slope.
    """
    checks = []
    for mode, overlap in enumerate(learning.path.left_overlaps.T):
        times, after = learning.path.times, int((overlap >= 0.5).argmax())
        # an error of an overlap is one of time, by the slope at which it rises
        slope = (overlap[after] - overlap[after - 1]) / (times[after] - times[after - 1])
        checks.append(
            Check(
                name=f"time/mode{mode + 1}", figure="paths", quantity="update of half the overlap",
                setting={"detached": float(learning.path.detachment_times[mode])},
                measured=learning.crossing(mode),
                predicted=float(crossings(times, overlap, 0.5)),
                theory_error=float(2 / min(learning.model.shape) / slope),
            )
        )  # fmt: skip
    return checks


def boundary_checks(diagram: Diagram) -> list[Check]:
    """Where half of the replicas learn for good, column by column, far from divergence.

    Allowed are the width of the transition, N^(-1/3)/4 of the strength, and half a cell of the
    grid, within which nothing is known.
    """
    checks = []
    for column, (predicted, weaker) in enumerate(diagram.boundaries):
        measured = diagram.boundary(column)
        x = float(diagram.plane.x[column])
        if measured is None or np.isnan(predicted + weaker) or 2 * x > diagram.plane.stability:
            continue
        checks.append(
            Check(
                name=f"boundary/{diagram.plane.name}/x={x:.3g}", figure="phases",
                quantity="boundary of what is learnt", setting={"x": x},
                measured=measured, predicted=float(predicted),
                theory_error=float(abs(weaker - predicted) + diagram.plane.half_cell * predicted),
            )
        )  # fmt: skip
    return checks


def rest_checks(label: str, points: list[Rest]) -> list[Check]:
    """Overlaps at rest, of modes that are not next to the threshold."""
    small = min(SMALL.shape)
    return [
        Check(
            name=f"{side} overlap at rest/{label}/{point.ratio:.3g}", figure="what_is_learnt",
            quantity=f"{side} overlap", setting={"alpha/|B|": point.ratio},
            measured=measured, predicted=predicted, theory_error=2 / small,
        )
        for point in points
        if not point.critical
        for side, measured, predicted in zip(SIDES, point.measured, point.predicted, strict=True)
    ]  # fmt: skip


def _plain(diagram: Diagram) -> dict[str, Any]:
    return {
        "name": diagram.plane.name, "x": diagram.plane.x.tolist(), "y": diagram.plane.y.tolist(),
        "shares": dict(zip(PHASES, diagram.shares.tolist(), strict=True)),
        "predicted": [[PHASES[phase] for phase in row] for row in diagram.predicted],
    }  # fmt: skip


def _at_rest(seed: int, quick: bool) -> list[tuple[str, list[Rest]]]:
    """Overlaps of `SMALL`, measured and predicted, with alpha and with |B| varied alone."""
    settings = {
        "alpha varied": [(8 * ratio, 8) for ratio in RATIOS],
        "|B| varied": [(0.08, round(0.08 / ratio)) for ratio in RATIOS],
    }
    series = []
    for label, pairs in settings.items():
        points = []
        for rate, batch in pairs:
            run = learn(
                SMALL, rate, batch, 16 if quick else 64, int(12 / rate), int(1 / rate), seed
            )
            points.append(Rest.of(run, last=5))
        series.append((label, points))
    return series
