"""Which learning rates and batch sizes keep the noise of a run."""

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..errors import InvalidInputError, require
from ..stats import Estimate, jackknife_of_means
from ._dynamics import matrix_dynamics
from ._run_store import matrices_of

_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_OFF = 0.05  # a width wrong by so much ends the rule


@dataclass(frozen=True)
class MatrixNoise:
    r"""Gradient noise of one matrix, averaged over records.

    Attributes:
        ratio: alpha/|B|; None where the run does not tell.
        strength: tr Sigma of one sample's gradient.
        signal: |G|^2.
        scale: B_simple = tr Sigma/|G|^2, in samples; None where |G|^2 is not above zero.
        diffusion: g^2 = alpha^2 tr Sigma/(|B| M N), of an entry and of a singular value, per
            update of plain SGD; None without alpha.
    """

    ratio: float | None
    strength: Estimate
    signal: Estimate
    scale: Estimate | None
    diffusion: Estimate | None


@dataclass(frozen=True)
class Pair:
    """A learning rate and batch size of the same alpha/|B|.

    Attributes:
        learning_rate: alpha.
        batch_size: |B|.
        width: of the levels, in units of that of this run: 1 as far as the rule holds; None where
            friction is not known, infinity beyond stability.
        of_noise_scale: |B|/B_simple: above 1 little noise is left beside the gradient.
    """

    learning_rate: float
    batch_size: float
    width: Estimate | None
    of_noise_scale: float | None


@dataclass(frozen=True)
class Advice:
    """The linear scaling rule for one run.

    Attributes:
        learning_rate: of the run.
        batch_size: of the run.
        friction: fastest of a matrix, per update; None where records do not tell.
        noise_scale: B_simple of all matrices together.
        pairs: same noise, from a quarter to sixteen times this batch.
        largest_rate: alpha at which discrete steps make levels 5 % wider than the rule says.
    """

    learning_rate: float
    batch_size: float
    friction: Estimate | None
    noise_scale: Estimate | None
    pairs: list[Pair]
    largest_rate: Estimate | None

    def __str__(self) -> str:
        lines = [f"alpha/|B| = {self.learning_rate / self.batch_size:.3g} is kept by"]
        for pair in self.pairs:
            lines.append(
                f"  alpha = {pair.learning_rate:<9.4g} |B| = {pair.batch_size:<8g}"
                + (f" width {pair.width} of today's" if pair.width else "")
            )
        if self.largest_rate:
            lines.append(
                f"Above alpha = {self.largest_rate} discrete steps widen levels by more than"
                f" {_OFF:.0%}."
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


def matrix_noise(run: xr.Dataset, name: str) -> MatrixNoise:
    """Gradient noise of one matrix of a run.

    Raises:
        InvalidInputError: no such matrix, or fewer than two records with gradients.
    """
    names = matrices_of(run)
    require(name in names, f"{name!r} is not among the matrices: {', '.join(names)}.")
    rows, columns = run[f"s_{names[name]}"].attrs["shape"]
    return _noise(run, [names[name]], rows * columns)


def _noise(run: xr.Dataset, keys: list[str], entries: int) -> MatrixNoise:
    require(
        all(f"noise_{key}" in run for key in keys),
        "the run holds no gradients: give the tracker batch_size=, and call step() before"
        " gradients are set to zero.",
    )
    pairs = np.sum([[run[f"signal_{key}"], run[f"noise_{key}"]] for key in keys], axis=0).T
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    require(len(pairs) >= 2, f"{len(pairs)} records with gradients; two or more are needed.")
    signal = jackknife_of_means(lambda m: m[..., 0], pairs)
    strength = jackknife_of_means(lambda m: m[..., 1], pairs)
    scale = jackknife_of_means(lambda m: m[..., 1] / m[..., 0], pairs) if signal.value > 0 else None
    rate, batch = settings_of(run)
    if rate is None or batch is None:
        return MatrixNoise(None, strength, signal, scale, None)
    ratio = rate / batch
    return MatrixNoise(ratio, strength, signal, scale, strength * (rate * ratio / entries))


def settings_of(run: xr.Dataset) -> tuple[float | None, float | None]:
    """Learning rate and batch size at the last record."""
    found = (run[name].values for name in ("learning_rate", "batch_size") if name in run)
    values = [float(x[-1]) if len(x) and math.isfinite(x[-1]) else None for x in found]
    return (values[0], values[1]) if len(values) == 2 else (None, None)


def advise(run: xr.Dataset) -> Advice:
    r"""The linear scaling rule for a run, and where it ends.

    A level that relaxes at rate gamma per update, in discrete steps, has
    $\sigma^2 = g^2/(2\gamma - \gamma^2)$, wider than $g^2/2\gamma$ by $1/(1 - \gamma/2)$; gamma
    grows with alpha, and $g^2/\gamma$ with alpha/|B| alone.

    Args:
        run: of `open_run`, with learning rate and batch size in it.

    Raises:
        InvalidInputError: learning rate or batch size are not in the run.
    """
    rate, batch = settings_of(run)
    if rate is None or batch is None:
        raise InvalidInputError(
            "learning rate and batch size are not in the run; give the tracker learning_rate= (or"
            " optimizer=) and batch_size=."
        )
    names = matrices_of(run)
    friction, scale = _fastest(run, list(names)), None
    keys = [key for key in names.values() if f"noise_{key}" in run]
    if keys:
        scale = _noise(run, keys, 1).scale
    pairs = [
        Pair(
            rate * f,
            batch * f,
            _width(friction, f) if friction else None,
            batch * f / scale.value if scale else None,
        )
        for f in _FACTORS
        if batch * f >= 1
    ]
    largest = None
    if friction:
        # (1 + 5 %)^2 = 1/(1 - gamma/2), in units of today's
        limit = 2 * (1 - (1 - friction.value / 2) / (1 + _OFF) ** 2)
        factor = rate * limit / friction.value
        largest = Estimate(
            factor, factor * friction.error / friction.value, friction.effective_size
        )
    return Advice(rate, batch, friction, scale, pairs, largest)


def _fastest(run: xr.Dataset, names: list[str]) -> Estimate | None:
    found = []
    for name in names:
        try:
            found.append(matrix_dynamics(run, name).friction)
        except InvalidInputError:
            continue
    known = [f for f in found if f.value > 2 * f.error]
    return max(known, key=lambda f: f.value) if known else None


def _width(friction: Estimate, factor: float) -> Estimate:
    def ratio(gamma: float) -> float:
        left = 1 - factor * gamma / 2
        return math.sqrt((1 - gamma / 2) / left) if left > 0 else math.inf

    value = ratio(friction.value)
    reach = ratio(friction.value + friction.error) - value if math.isfinite(value) else 0.0
    return Estimate(value, abs(reach), friction.effective_size)
