r"""Does the width of the levels follow $\alpha/|B|$, in which network, under which optimiser?

For each architecture and optimiser $\alpha$ and $|B|$ are varied, each alone. The width of a
setting is the root mean square distance of a level from its own mean in time,

$$\sigma^2 = \langle (x_i(t) - \bar x_i)^2 \rangle_{i, t, \mathrm{replicas}} ,$$

which needs no theory of the levels. The exponents of $\sigma^2 \propto \alpha^a |B|^{-b}$ are
slopes of lines through logarithms; the linear rule is a = b = 1.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .. import experiments
from ..analysis import Check
from ..campaign import Campaign, parse_spec, replaced
from ..errors import NoPredictionError
from ..figures.scaling_rules import scaling_rule
from ..spectra import multiplets, spacings
from ..stats import Estimate, LineFit, fit_line, mean_over_replicas
from ._files import save_figures, write_results, write_text

Floats = NDArray[np.float64]
Say = Callable[[str], None]

# Architecture -> size of its gradient's noise in the spec's middle: adaptive optimisers take
# learning rates smaller by it, so that they move at about the pace of plain descent.
ARCHITECTURES = {
    "teacher_student": 1.0,
    "gaussian_rbm": 0.05,
    "linear_network": 0.125,
    "two_layer_teacher": 0.1,
    "mlp": 0.02,
}
_MOMENTUM = 0.8
OPTIMIZERS = ("sgd", "heavy_ball", "nesterov", "rmsprop", "adam", "adamw", "muon")
_LINEAR = {"sgd": 1.0, "heavy_ball": 1 - _MOMENTUM, "nesterov": 1 - _MOMENTUM}
# without weight decay these have directions in which nothing holds the weights
_NEED_DECAY = ("linear_network", "two_layer_teacher", "mlp")
_HAVE_DECAY = ("sgd", "heavy_ball", "nesterov", "adamw")
_FORGOTTEN = 10_000  # updates, ten memories of Adam's mean square: large first gradients are gone
_BREAKS = 0.1  # relative departure from the rule at which it is said to end


@dataclass(frozen=True)
class Scan:
    r"""One architecture under one optimiser.

    Attributes:
        architecture: name of its spec file.
        optimizer: name in a spec.
        learning_rate: alpha of each setting.
        batch_size: |B| of each setting.
        varied: "learning_rate" or "batch_size", which one a setting belongs to; "both" where it
            stands in the middle of the two scans.
        width2: $\sigma^2$ of each setting; None where every replica diverged.
        spacing: <S> of the first degenerate pair, or None.
        predicted: $\langle S \rangle$ by theory, where there is one.
        diverged: share of the replicas.
    """

    architecture: str
    optimizer: str
    learning_rate: Floats
    batch_size: Floats
    varied: list[str]
    width2: list[Estimate | None]
    spacing: list[Estimate | None]
    predicted: list[float | None]
    diverged: Floats

    def chosen(self, varied: str, *, up_to_middle: bool = True) -> NDArray[np.bool_]:
        """Settings of one scan; of rates only those up to the middle, where the rule may hold."""
        middle = self.learning_rate[self.varied.index("both")]
        fits = np.array([part in (varied, "both") for part in self.varied])
        held = (self.learning_rate <= middle) | (not up_to_middle)
        return fits & held & np.array([w is not None for w in self.width2])

    def exponent(self, varied: str) -> LineFit:
        """Slope of ln sigma^2 against ln alpha, or against ln |B|."""
        chosen = self.chosen(varied)
        x = getattr(self, varied)[chosen]
        found = [w for w, c in zip(self.width2, chosen, strict=True) if c and w]
        return fit_line(np.log(x), np.log([w.value for w in found]),
                        [w.error / w.value for w in found])  # fmt: skip

    def rule(self, power: float) -> LineFit:
        r"""$\sigma^2$ = slope $\alpha/|B|^{power}$ through the origin, over both scans."""
        chosen = self.chosen("learning_rate") | self.chosen("batch_size")
        found = [w for w, c in zip(self.width2, chosen, strict=True) if c and w]
        x = self.learning_rate[chosen] / self.batch_size[chosen] ** power
        return fit_line(x, [w.value for w in found], [w.error for w in found], through_origin=True)

    def breaks_at(self, power: float) -> float | None:
        """The lowest alpha at which sigma^2 is a tenth, and four errors, off the rule."""
        slope = self.rule(power).slope.value
        scan = [i for i, part in enumerate(self.varied) if part != "batch_size"]
        for i in sorted(scan, key=lambda i: self.learning_rate[i]):
            width2 = self.width2[i]
            if width2 is None or self.diverged[i] > 0.5:
                return float(self.learning_rate[i])
            off = width2.value * self.batch_size[i] ** power / (slope * self.learning_rate[i]) - 1
            if abs(off) > max(_BREAKS, 4 * width2.error / width2.value):
                return float(self.learning_rate[i])
        return None


def study_linear_scaling(out: Path, seed: int, say: Say, *, quick: bool = False) -> list[Check]:
    """Vary alpha and |B|, each alone, in every architecture under every optimiser.

    Writes a figure for each optimiser, `results.json`, `table.md` and the campaigns' stores.

    Args:
        out: folder, made if need be; finished campaigns in it are not run again.
        seed: of all campaigns.
        say: is told what goes on.
        quick: two architectures and two optimisers with few replicas, to look at.

    Returns:
        For every linear optimiser a check of both exponents; for normalising ones in the
        teacher-student model, whose theory is exact, of theirs.
    """
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
        scans.append(measure(campaign, architecture, optimizer))
    optimizers = dict.fromkeys(scan.optimizer for scan in scans)
    save_figures([scaling_rule([s for s in scans if s.optimizer == o]) for o in optimizers], out)
    checks = [check for scan in scans for check in _checks(scan)]
    write_text(out / "table.md", table(scans))
    write_results(out, "linear-scaling", seed, checks, scans=[_plain(scan) for scan in scans])
    return checks


def spec(architecture: str, optimizer: str, seed: int, *, quick: bool = False) -> dict[str, Any]:
    """The spec file of an architecture, at the pace of an optimiser."""
    raw = tomllib.loads(experiments.text(f"linear_scaling/{architecture}"))
    pace = _LINEAR.get(optimizer, ARCHITECTURES[architecture])
    rates = [float(f"{rate * pace:.6g}") for rate in raw["learning"]["learning_rate"]]
    every = max(round(raw["record_every"] * pace), 1)
    least = 0 if optimizer in _LINEAR else _FORGOTTEN
    burn_in = [max(round(raw["burn_in"] * pace), round(least * rate), 1) for rate in rates]
    values: dict[str, Any] = {
        "name": f"{architecture}-{optimizer}", "seed": seed, "record_every": every,
        "updates": every * (raw["updates"] // raw["record_every"]), "burn_in": burn_in,
        "learning.learning_rate": rates, "learning.optimizer": optimizer,
        "replicas": raw["replicas"] if not quick else 32,
    }  # fmt: skip
    if optimizer in ("heavy_ball", "nesterov"):
        values["learning.momentum"] = _MOMENTUM
    chosen = replaced(raw, values)
    decay = chosen["learning"].pop("weight_decay", None)
    if decay and optimizer in _HAVE_DECAY:
        # AdamW's is not divided by the noise as the gradient is
        chosen["learning"]["weight_decay"] = decay / pace if optimizer == "adamw" else decay
    return chosen


def measure(campaign: Campaign, architecture: str, optimizer: str) -> Scan:
    """Widths and spacings of a finished campaign."""
    data, settings = campaign.open(), campaign.spec.settings
    rates = np.array([s.learning.learning_rate for s in settings])
    batches = np.array([s.learning.batch_size for s in settings])
    found = [_setting(data.isel(setting=i), s) for i, s in enumerate(settings)]
    middle = next(
        i for i in range(len(settings))
        if (rates == rates[i]).sum() > 1 and (batches == batches[i]).sum() > 1
    )  # fmt: skip
    varied = ["batch_size" if batches[i] != batches[middle] else "learning_rate"
              for i in range(len(settings))]  # fmt: skip
    varied[middle] = "both"
    width2, spacing, predicted, diverged = (list(part) for part in zip(*found, strict=True))
    return Scan(architecture, optimizer, rates, batches, varied, width2, spacing, predicted,
                np.array(diverged))  # fmt: skip


def _setting(
    data: xr.Dataset, setting: Any
) -> tuple[Estimate | None, Estimate | None, float | None, float]:
    """sigma^2, <S>, <S> predicted, and the share of replicas that diverged."""
    diverged = data.diverged.values[: setting.replicas]
    levels = data.levels.values[: setting.replicas][~diverged]
    if "matrix" in data.coords:  # the first of them
        names = data.matrix.values
        levels = levels[..., names == names[0]]
    share = float(diverged.mean())
    if len(levels) < 2:
        return None, None, None, share
    width2 = mean_over_replicas(levels.var(axis=1, ddof=1).mean(axis=1, keepdims=True))
    learning = setting.learning
    model = setting.build()
    try:
        theory = model.predict(learning.learning_rate, learning.batch_size, learning.rule())
    except NoPredictionError:
        predicted, pairs = None, _pairs(model, learning)
    else:
        pairs = [g for g in multiplets(theory.levels) if g.is_pair and theory.learnt[g.indices[0]]]
        predicted = float(theory.mean_spacing[pairs[0].indices[0]]) if pairs else None
    spacing = mean_over_replicas(spacings(levels, pairs[0])) if pairs else None
    return width2, spacing, predicted, share


def _pairs(model: Any, learning: Any) -> list[Any]:
    """Degenerate pairs of a model that has a theory under plain descent."""
    try:
        theory = model.predict(learning.learning_rate, learning.batch_size)
    except NoPredictionError:
        return []
    return [g for g in multiplets(theory.levels) if g.is_pair and theory.learnt[g.indices[0]]]


def _checks(scan: Scan) -> list[Check]:
    """Exponents where theory has them, within what it neglects at the largest rate in the fit."""
    known = scan.optimizer in _LINEAR or (
        scan.optimizer in ("rmsprop", "adam") and scan.architecture == "teacher_student"
    )
    if not known:
        return []
    power = 1.0 if scan.optimizer in _LINEAR else 0.5
    return [
        Check(
            name=f"{scan.architecture}/{scan.optimizer}/{varied}",
            figure=f"scaling_{scan.optimizer}",
            quantity=f"exponent of sigma^2 in {varied}",
            setting={"architecture": scan.architecture, "optimizer": scan.optimizer},
            measured=scan.exponent(varied).slope,
            predicted=exponent,
            theory_error=_BREAKS / np.log(_span(scan, varied)),
        )
        for varied, exponent in (("learning_rate", 1.0), ("batch_size", -power))
    ]


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
        power = 1.0 if scan.optimizer in _LINEAR else 0.5
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
    def plain(part: Estimate | None) -> dict[str, float] | None:
        return part.to_dict() if part else None

    return {
        "architecture": scan.architecture,
        "optimizer": scan.optimizer,
        "exponent_learning_rate": scan.exponent("learning_rate").slope.to_dict(),
        "exponent_batch_size": scan.exponent("batch_size").slope.to_dict(),
        "settings": [
            {"learning_rate": rate, "batch_size": batch, "varied": varied, "width2": plain(width2),
             "mean_spacing": plain(spacing), "predicted_mean_spacing": predicted,
             "diverged": diverged}
            for rate, batch, varied, width2, spacing, predicted, diverged in zip(
                scan.learning_rate.tolist(), scan.batch_size.tolist(), scan.varied, scan.width2,
                scan.spacing, scan.predicted, scan.diverged.tolist(), strict=True)
        ],
    }  # fmt: skip
