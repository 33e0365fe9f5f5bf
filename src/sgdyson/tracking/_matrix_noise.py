"""Gradient noise of a matrix of a run, and the diffusion it makes under the run's optimiser."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from .._types import Floats
from ..errors import require
from ..stats import Estimate, jackknife_of_means
from ._optimizer import kind_of, long_run_factor
from ._run import Run

_MEAN = 0.05  # share of the mean in a squared gradient, above which Adam's law is not at hand
_EPS = 100.0  # times epsilon, below which the root of a squared gradient does not stand alone


@dataclass(frozen=True)
class MatrixNoise:
    r"""Gradient noise of one matrix, averaged over records, each with what held at it.

    Attributes:
        ratio: alpha/|B|, the mean over records; None where the run does not tell.
        strength: tr Sigma of one sample's gradient.
        signal: |G|^2.
        scale: B_simple = tr Sigma/|G|^2, in samples; None where |G|^2 is not above zero.
        diffusion: g^2 of an entry and of a singular value, per update in the long run. Under SGD
            $\alpha^2 \mathrm{tr}\,\Sigma/(|B| M N)$, with momentum beta and dampening d
            $(1-d)^2/(1-\beta)^2$ times that; under Adam $\alpha^2$, times the
            share of the noise in the squared gradient. An optimiser that was not told is taken for
            SGD. None without a law.
        without: why there is no diffusion; None where there is.
    """

    ratio: float | None
    strength: Estimate
    signal: Estimate
    scale: Estimate | None
    diffusion: Estimate | None
    without: str | None = None


def matrix_noise(run: xr.Dataset | Run, name: str) -> MatrixNoise:
    """Gradient noise of one matrix of a run.

    Args:
        run: of `open_run`.
        name: of the matrix.

    Raises:
        InvalidInputError: no such matrix, or fewer than two records with gradients.
    """
    run = Run(run)
    pairs = measured(run, [name])
    good = np.isfinite(pairs).all(axis=1)
    pairs, settings = pairs[good], {q: v[good] for q, v in run.settings(name).items()}
    signal, strength, scale = moments(pairs)
    ratios = settings.get("learning_rate", np.nan) / np.asarray(settings.get("batch_size", np.nan))
    ratio = float(np.mean(ratios)) if np.isfinite(ratios).all() else None
    rows, columns = run.shape(name)
    diffusion = _diffusion(run, pairs, settings, rows * columns)
    if isinstance(diffusion, str):
        return MatrixNoise(ratio, strength, signal, scale, None, diffusion)
    return MatrixNoise(ratio, strength, signal, scale, diffusion)


def measured(run: Run, names: Iterable[str]) -> Floats:
    """Signal and noise of these matrices together, (record, 2); NaN where not all have them.

    Matrices measured at fewer than half of the records of the others are left out.
    """
    all_pairs = [pairs for name in names if (pairs := run.gradient_noise(name)) is not None]
    counts = [int(np.isfinite(pairs).all(axis=1).sum()) for pairs in all_pairs]
    require(
        max(counts, default=0) >= 2,
        f"{max(counts, default=0)} records with gradients, and two or more are needed: give the"
        " tracker batch_size=, and call step() before gradients are set to zero."
        if all_pairs
        else "the run holds no gradients: give the tracker batch_size=, and call step() before"
        " gradients are set to zero.",
    )
    often = [pairs for pairs, n in zip(all_pairs, counts, strict=True) if 2 * n >= max(counts)]
    return np.asarray(np.sum(often, axis=0))


def moments(pairs: Floats) -> tuple[Estimate, Estimate, Estimate | None]:
    """Signal, noise and their ratio, the noise scale."""
    signal = jackknife_of_means(lambda m: m[..., 0], pairs)
    strength = jackknife_of_means(lambda m: m[..., 1], pairs)
    scale = jackknife_of_means(lambda m: m[..., 1] / m[..., 0], pairs) if signal.value > 0 else None
    return signal, strength, scale


def _diffusion(
    run: Run, pairs: Floats, settings: dict[str, Floats], entries: int
) -> Estimate | str:
    """Or the reason why there is none."""
    name = run.optimizer
    unknown = np.full(len(pairs), np.nan)
    rate, batch = settings.get("learning_rate", unknown), settings.get("batch_size", unknown)
    if not np.isfinite(rate).all():
        return "the learning rate of this matrix is not in the run"
    if not np.isfinite(batch).all():
        return "the batch size is not in the run"
    numbers = [{q: float(v[i]) for q, v in settings.items()} for i in range(len(pairs))]
    if kind_of(name) == "linear":
        factors = np.array([long_run_factor(name, record) for record in numbers])
        kicks = (rate * factors) ** 2 * pairs[:, 1] / (batch * entries)
        return jackknife_of_means(lambda m: m[..., 0], kicks[:, None])
    if kind_of(name) == "adam":
        return _of_adam(pairs, rate, batch, entries, max(r.get("eps", 0.0) for r in numbers))
    return f"the optimiser is {name}, whose diffusion has no law here"


def _of_adam(
    pairs: Floats, rate: Floats, batch: Floats, entries: int, eps: float
) -> Estimate | str:
    """Each entry is divided by the root of its squared gradient, so that no scale is left."""
    noise, signal = pairs[:, 1].mean(), max(pairs[:, 0].mean(), 0.0)
    share = float(np.mean(batch) * signal / noise) if noise > 0 else np.inf
    if share > _MEAN:
        return (
            f"Adam divides by the whole gradient, of whose square the mean is {share:.2g} times the"
            f" noise; above {_MEAN} the law depends on every entry"
        )
    if np.sqrt(noise / (np.mean(batch) * entries)) < _EPS * eps:
        return f"Adam's eps = {eps:.3g} is not small beside the gradient of an entry"
    # alpha^2 n^2/(n^2 + G^2): of a unit step the noise has its share of the squared gradient
    return jackknife_of_means(lambda m: m[..., 0] / (1 + share), (rate**2)[:, None])
