r"""Does the width of the levels follow $\alpha/|B|$, in which network, under which optimiser?

For each architecture and optimiser $\alpha$ and $|B|$ are varied, each alone.
"""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..._files import write_text
from ...analysis import Check, CheckTable
from ...campaign import Campaign, parse_spec, replaced, specs
from ...optimizers import OPTIMIZERS, optimizers_with
from ...stats import Estimate
from .._study import claim_study, plain_estimate, save_figures, write_results
from ._figure import scaling_rule
from ._scan import BREAKS, Scan, measure

Say = Callable[[str], None]

# Architecture -> size of its gradient's noise in the spec's middle: adaptive optimisers take
# learning rates smaller by it, so that they move at about the pace of plain descent.
ARCHITECTURES = {
    "teacher_student": 1.0,
    "gaussian_rbm": 0.05,
    "linear_network": 0.125,
    "two_layer_teacher": 0.1,
    "mlp": 0.02,
    "character_transformer": 0.02,
}
_MOMENTUM = 0.8
# without weight decay these have directions in which nothing holds the weights
_NEED_DECAY = ("linear_network", "two_layer_teacher", "mlp", "character_transformer")
# layer norm leaves a scale to noise and decay: the rule is one of alpha/|B|, but no proportion
_SCALE_FREE = ("character_transformer",)
# whose levels are measured, where it is not the first matrix
_FOLLOWED = {"character_transformer": "unembedding"}
_HAVE_DECAY = optimizers_with("weight_decay")
_FORGOTTEN = 10_000  # updates, ten memories of Adam's mean square: large first gradients are gone


def study_linear_scaling(out: Path, seed: int, say: Say, *, quick: bool = False) -> CheckTable:
    """Vary alpha and |B|, each alone, in every architecture under every optimiser.

    Writes a figure for each optimiser, `results.json`, `table.md` and the campaigns' stores.

    Args:
        out: folder, made if need be; finished campaigns in it are not run again.
        seed: of all campaigns.
        say: is told what goes on.
        quick: two architectures and two optimisers with few replicas, to look at.

    Returns:
        For every linear optimiser a check of both exponents, or, of the transformer, that they are
        the same; for normalising ones in the teacher-student model, whose theory is exact, of
        theirs.
    """
    out = claim_study(out, "linear-scaling", seed, quick)
    wanted = [
        (architecture, optimizer)
        for optimizer in (OPTIMIZERS if not quick else ("sgd", "adam"))
        for architecture in (ARCHITECTURES if not quick else ("teacher_student", "gaussian_rbm"))
        if optimizer in _HAVE_DECAY or architecture not in _NEED_DECAY
    ]
    scans = []
    for number, (architecture, optimizer) in enumerate(wanted, 1):
        say(f"{number} of {len(wanted)}: {architecture} under {optimizer}")
        raw = spec(architecture, optimizer, seed, quick=quick)
        campaign = Campaign(parse_spec(raw, architecture), out / "campaigns" / raw["name"])
        campaign.run()
        scans.append(measure(campaign, architecture, optimizer, _FOLLOWED.get(architecture)))
    optimizers = dict.fromkeys(scan.optimizer for scan in scans)
    save_figures([scaling_rule([s for s in scans if s.optimizer == o]) for o in optimizers], out)
    checks = [check for scan in scans for check in _checks(scan)]
    write_text(out / "table.md", table(scans))
    write_results(out, "linear-scaling", seed, checks, scans=[_plain(scan) for scan in scans])
    return CheckTable(checks)


def spec(architecture: str, optimizer: str, seed: int, *, quick: bool = False) -> dict[str, Any]:
    """The spec file of an architecture, at the pace of an optimiser.

    Examples:
        >>> spec("mlp", "heavy_ball", seed=0)["learning"]["learning_rate"]
        [0.01, 0.02, 0.04, 0.08, 0.16, 0.04, 0.04, 0.04]
    """
    raw = tomllib.loads(specs.text(f"linear_scaling/{architecture}"))
    linear = OPTIMIZERS[optimizer].linear
    given = {"momentum": _MOMENTUM} if linear and optimizer in optimizers_with("momentum") else {}
    # with momentum m weights move by alpha/(1 - m) in the long run
    pace = 1 - given.get("momentum", 0.0) if linear else ARCHITECTURES[architecture]
    # 0.05 times 1 - 0.8 is 0.009999999999999998
    rates = [float(f"{rate * pace:.6g}") for rate in raw["learning"]["learning_rate"]]
    every = max(round(raw["record_every"] * pace), 1)
    least = 0 if linear else _FORGOTTEN
    burn_in = [max(round(raw["burn_in"] * pace), round(least * rate), 1) for rate in rates]
    values: dict[str, Any] = {
        "name": f"{architecture}-{optimizer}", "seed": seed, "record_every": every,
        "updates": every * (raw["updates"] // raw["record_every"]), "burn_in": burn_in,
        "learning.learning_rate": rates, "learning.optimizer": optimizer,
        "replicas": raw["replicas"] if not quick else 32,
        **{f"learning.{name}": value for name, value in given.items()},
    }  # fmt: skip
    chosen = replaced(raw, values)
    decay = chosen["learning"].pop("weight_decay", None)
    if decay and optimizer in _HAVE_DECAY:
        # AdamW's is not divided by the noise as the gradient is
        chosen["learning"]["weight_decay"] = decay / pace if optimizer == "adamw" else decay
    return chosen


def _checks(scan: Scan) -> list[Check]:
    """Exponents where theory has them, within what it neglects at the largest rate in the fit."""
    if not (_linear(scan) or any(scan.predicted)):
        return []
    power = _power(scan)
    exponents = {varied: scan.exponent(varied).slope for varied in ("learning_rate", "batch_size")}
    neglected = {varied: BREAKS / float(np.log(_span(scan, varied))) for varied in exponents}
    predicted = {"learning_rate": 1.0, "batch_size": -power}
    if scan.architecture in _SCALE_FREE:
        exponents = {"both": _sum(*exponents.values())}
        neglected, predicted = {"both": sum(neglected.values())}, {"both": 0.0}
    return [
        Check(
            name=f"{scan.architecture}/{scan.optimizer}/{varied}",
            figure=f"scaling_{scan.optimizer}",
            quantity=f"exponent of sigma^2 in {varied.replace('both', 'both, their sum')}",
            setting={"architecture": scan.architecture, "optimizer": scan.optimizer},
            measured=exponent,
            predicted=predicted[varied],
            theory_error=neglected[varied],
        )
        for varied, exponent in exponents.items()
    ]


def _linear(scan: Scan) -> bool:
    return OPTIMIZERS[scan.optimizer].linear


def _power(scan: Scan) -> float:
    r"""Power of |B| in $\sigma^2 \propto \alpha/|B|^p$: normalised steps know the noise's root."""
    return 1.0 if _linear(scan) else 0.5


def _sum(a: Estimate, b: Estimate) -> Estimate:
    """Sum of two exponents that share one setting of several: taken as independent."""
    return Estimate(a.value + b.value, float(np.hypot(a.error, b.error)),
                    min(a.effective_size, b.effective_size))  # fmt: skip


def _span(scan: Scan, varied: str) -> float:
    """Largest over smallest value of a scan: a departure of a tenth tilts its line by 0.1/ln."""
    values = getattr(scan, varied)[scan.chosen(varied)]
    return float(values.max() / values.min())


def table(scans: list[Scan]) -> str:
    """All scans, as a table in Markdown."""
    lines = [
        r"| optimiser | architecture | $a$: $\sigma^2 \propto \alpha^a$ |"
        r" $b$: $\propto \lvert B \rvert^{-b}$ | slope |"
        r" $\chi^2$/dof of $\alpha/\lvert B \rvert$ | of $\alpha/\sqrt{\lvert B \rvert}$ |"
        r" rule ends at $\alpha$ | $\langle S \rangle$ / predicted |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for scan in scans:
        power = _power(scan)
        linear, root = scan.rule(1.0), scan.rule(0.5)
        ends = scan.breaks_at(power)
        middle = scan.varied.index("both")
        spacing, predicted = scan.spacing[middle], scan.predicted[middle]
        ratio = f"{spacing * (1 / predicted)}" if spacing and predicted else "–"
        lines.append(
            f"| {scan.optimizer} | {scan.architecture} | {scan.exponent('learning_rate').slope}"
            f" | {-1 * scan.exponent('batch_size').slope} | {scan.rule(power).slope}"
            f" | {linear.chi2 / linear.dof:.1f} | {root.chi2 / root.dof:.1f}"
            f" | {'none seen' if ends is None else f'{ends:.3g}'} | {ratio} |"
        )
    return "\n".join(lines) + "\n"


def _plain(scan: Scan) -> dict[str, Any]:
    return {
        "architecture": scan.architecture,
        "optimizer": scan.optimizer,
        "exponent_learning_rate": scan.exponent("learning_rate").slope.to_dict(),
        "exponent_batch_size": scan.exponent("batch_size").slope.to_dict(),
        "settings": [
            {"learning_rate": rate, "batch_size": batch, "varied": varied,
             "width2": plain_estimate(width2), "mean_spacing": plain_estimate(spacing),
             "predicted_mean_spacing": predicted,
             "diverged": diverged}
            for rate, batch, varied, width2, spacing, predicted, diverged in zip(
                scan.learning_rate.tolist(), scan.batch_size.tolist(), scan.varied, scan.width2,
                scan.spacing, scan.predicted, scan.diverged.tolist(), strict=True)
        ],
    }  # fmt: skip
