"""Which learning rates and batch sizes keep the noise of a run."""

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

from .._tabular import Table, Tabular
from .._types import Floats
from ..errors import InvalidInputError, require
from ..stats import Estimate
from ._dynamics import matrix_dynamics
from ._matrix_noise import measured, moments
from ._optimizer import ScalingRule, scaling_rule
from ._pairs import OFF, Pair, holds, largest_rate, pair_of
from ._run import Run

_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_VARIED = 0.01
_INDENT = "  "


_HEADS = {"learning_rate": "alpha", "batch_size": "|B|", "weight_decay": "weight decay",
          "width": "width / today's", "of_noise_scale": "|B| / noise scale"}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Advice(Tabular):
    """The scaling rule of one run, that of its optimiser.

    Attributes:
        learning_rate: of the run, the largest where it varied.
        batch_size: of the run.
        friction: fastest of a matrix, per update; None where records do not tell.
        noise_scale: B_simple of all matrices together.
        pairs: same noise, from a quarter to sixteen times this batch.
        largest_rate: alpha at which discrete steps make the width of levels 5 % other than the rule
            says.
        optimizer: name; None where the run was not told.
        kept: what pairs have in common, "alpha/|B|" or "alpha/sqrt|B|".
        evidence: where the rule was seen.
        remarks: what else belongs to it, sentences.
    """

    learning_rate: float
    batch_size: float
    friction: Estimate | None
    noise_scale: Estimate | None
    pairs: list[Pair]
    largest_rate: Estimate | None
    optimizer: str | None = None
    kept: str = "alpha/|B|"
    evidence: str = ""
    remarks: tuple[str, ...] = ()

    def _table(self) -> Table:
        heads = {key: head for key, head in _HEADS.items()
                 if any(getattr(pair, key) is not None for pair in self.pairs)}  # fmt: skip
        columns = {key: [getattr(pair, key) for pair in self.pairs] for key in _HEADS}
        first, *lines = str(self).splitlines()
        notes = [line for line in lines if not line.startswith(_INDENT)]
        return Table(first, columns, heads, notes)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        root = self.kept != "alpha/|B|"
        value = self.learning_rate / (math.sqrt(self.batch_size) if root else self.batch_size)
        optimizer = self.optimizer or "plain SGD, which is assumed since no optimizer= was told"
        lines = [f"Under {optimizer}, {self.kept} = {value:.3g} is kept by"]
        lines += [_line(pair) for pair in self.pairs]
        if self.evidence:
            lines.append(f"Evidence: {self.evidence}.")
        lines += self.remarks
        if self.largest_rate:
            lines.append(
                f"Above alpha = {self.largest_rate} discrete steps change the width of levels by"
                f" more than {OFF:.0%}."
            )
        else:
            lines.append(
                "Where discrete steps end the rule is not known: that takes 100 records of a steady"
                " state at equal intervals, so close that levels move less than their gaps."
            )
        if self.noise_scale:
            lines.append(
                f"Above |B| = {self.noise_scale} (the noise scale) little noise is left to keep."
            )
        return "\n".join(lines)


def _line(pair: Pair) -> str:
    decay = "" if pair.weight_decay is None else f" weight decay = {pair.weight_decay:<9.4g}"
    width = f" width {pair.width} of today's" if pair.width else ""
    return f"{_INDENT}alpha = {pair.learning_rate:<9.4g} |B| = {pair.batch_size:<8g}{decay}{width}"


def advise(run: xr.Dataset | Run) -> Advice:
    r"""The scaling rule for a run, by its optimiser, and where it ends.

    Under SGD, with momentum or without, $\alpha/|B|$ keeps the spectrum. A level that relaxes at
    rate gamma per update, in discrete steps, has $\sigma^2 = g^2/(2\gamma - \gamma^2)$, wider than
    $g^2/2\gamma$ by $1/(1 - \gamma/2)$; gamma grows with alpha, and $g^2/\gamma$ with alpha/|B|
    alone. Under Adam, AdamW and RMSProp $\alpha/\sqrt{|B|}$ does, with the decay of AdamW as
    $\sqrt{|B|}$; where the mean gradient counts beside its noise there is no such rule. Under
    another optimiser none is known.

    Args:
        run: of `open_run`, with learning rate and batch size in it.

    Raises:
        InvalidInputError: learning rate or batch size are not in the run; or its optimiser, which
            is named, has no rule.
    """
    run = Run(run)
    rates = _rates(run)
    batches = run.setting("batch_size")
    batches = batches[np.isfinite(batches)]
    require(
        rates.size > 0 and batches.size > 0,
        "learning rate and batch size are not in the run; give the tracker learning_rate= (or"
        " optimizer=) and batch_size=.",
    )
    require(rates.max() > 0, "the learning rate was 0 at every record: nothing has moved.")
    require(
        bool(np.ptp(batches) <= _VARIED * batches.max()),
        f"the batch size varied from {batches.min():g} to {batches.max():g}: no single pair stands"
        " for the run.",
    )
    rate, batch, rule = float(rates.max()), float(batches[-1]), _rule(run)
    friction, scale, late = _fastest(run), _noise_scale(run), _noise_scale(run, late=True)
    factors = [f for f in _FACTORS if batch * f >= 1 and holds(rule, late, batch, f)]
    return Advice(
        rate, batch, friction, scale,
        [pair_of(rule, f, rate, batch, friction, scale) for f in factors],
        largest_rate(rule, rate, friction), run.optimizer, rule.kept, rule.evidence,
        tuple(_remarks(run, rule, rates, factors)),
    )  # fmt: skip


def _rates(run: Run) -> Floats:
    """Learning rates of all matrices at all records, as far as they are known."""
    rates = np.concatenate([run.setting("learning_rate", name) for name in [None, *run.names]])
    return np.asarray(rates[np.isfinite(rates)])


def _rule(run: Run) -> ScalingRule:
    """The scaling rule that holds for every matrix."""
    rules = []
    for name in run.names:
        last = {q: v[np.isfinite(v)][-1:] for q, v in run.settings(name).items()}
        numbers = {quantity: float(v[0]) for quantity, v in last.items() if v.size}
        rules.append(scaling_rule(run.optimizer, numbers))
    require(bool(rules), "the run holds no weight matrix.")
    # of all groups the largest decay, which the remark is about
    return max(rules, key=lambda rule: rule.decoupled_decay)


def _remarks(run: Run, rule: ScalingRule, rates: Floats, factors: list[float]) -> list[str]:
    remarks = []
    if rates.min() < (1 - _VARIED) * rates.max():
        remarks.append(
            f"The learning rate varied from {rates.min():.4g} to {rates.max():.4g}, over time or"
            " between matrices: the pairs are of its largest value, and all of it is multiplied by"
            " one factor, over the same number of samples."
        )
    if rule.decoupled_decay:
        remarks.append(
            "Weight decay pulls beside the gradient: where it matters it must grow as sqrt|B|, as"
            " listed; left as it is, the rule holds where the loss outweighs it."
        )
    if len(factors) == 1 and rule.exponent != 1:
        remarks.append(
            f"At other batch sizes the mean gradient counts in what {run.optimizer} divides by: no"
            " rule."
        )
    return remarks


def _noise_scale(run: Run, *, late: bool = False) -> Estimate | None:
    """Over the whole run, or over its late half where the mean gradient stands above its error."""
    try:
        pairs = measured(run, run.names)[len(run.steps) // 2 if late else 0 :]
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        require(len(pairs) >= 2, f"{len(pairs)} records with gradients; two or more are needed.")
    except InvalidInputError:  # it was not measured
        return None
    signal, _, scale = moments(pairs)
    return scale if not late or signal.value > 2 * signal.error else None


def _fastest(run: Run) -> Estimate | None:
    frictions = []
    for name in run.names:
        try:
            frictions.append(matrix_dynamics(run, name).friction)
        except InvalidInputError:
            continue
    # the largest of many numbers that are all noise is no friction
    known = [f for f in frictions if f.value > 2 * f.error]
    return max(known, key=lambda f: f.value) if known else None
