"""Goodness of fit to a law whose scale, or centre and scale, are taken from the samples."""

from typing import Literal, Protocol

import numpy as np

from .._checks import shown
from .._types import ArrayLike, Floats
from ..errors import require
from . import _anderson_darling as ad
from ._goodness import GoodnessOfFit, _samples

Fitted = Literal["scale", "centre and scale"]
_FEWEST = 50  # replicas, for their covariance
_ASKED = ("cdf", "pdf", "ppf", "mean", "var")


class ContinuousLaw(Protocol):
    """What a test asks of a law: one of `sgdyson.laws`, or a frozen one of `scipy.stats`."""

    def cdf(self, x: ArrayLike) -> Floats:
        """Probability of a value below x."""

    def pdf(self, x: ArrayLike) -> Floats:
        """Density at x."""

    def ppf(self, q: ArrayLike) -> Floats:
        """Value below which the share q lies."""

    def mean(self) -> float:
        """Its mean."""

    def var(self) -> float:
        """Its variance."""


def fitted_law_test(
    samples: ArrayLike, law: ContinuousLaw, fitted: Fitted = "scale"
) -> GoodnessOfFit:
    r"""Anderson-Darling test of a law of any scale, or of any centre and scale.

    The samples are brought to the mean of the law, or to its mean and variance. What that does to
    the empirical distribution function, $f(x)\,x\,\delta$ of a mean off by the factor $1 + \delta$
    or $f(x) [\delta_c + (x - c)\,\delta_s]$, is in the null law, with the covariance found among
    replicas: the samples of one may hang together in any way.

    Args:
        samples: (replica, sample), of at least 50 replicas; or (n,) independent ones.
        law: with `ppf`, `pdf`, `mean` and `var`.
        fitted: "scale" (positive samples, by their mean) or "centre and scale".

    Returns:
        The test.

    Raises:
        InvalidInputError: NaN, fewer than 50 replicas, samples that are all equal, a mean that is
            not positive where it is the scale, another word than these two.
    """
    require(
        isinstance(fitted, str) and fitted in ("scale", "centre and scale"),
        f'fitted = {shown(fitted)} must be "scale" or "centre and scale".',
    )
    require(
        all(callable(getattr(law, name, None)) for name in _ASKED),
        f"law = {shown(law)} must have the methods {', '.join(_ASKED)}; take one of sgdyson.laws.",
    )
    x = _samples(samples).astype(float)
    x = x[:, None] if x.ndim == 1 else x
    require(
        len(x) >= _FEWEST, f"{len(x)} samples are too few to test a law; give at least {_FEWEST}."
    )
    at, density = law.ppf(ad.GRID), law.pdf(law.ppf(ad.GRID))
    mean, spread = float(law.mean()), float(np.sqrt(law.var()))
    if fitted == "scale":
        middle = float(x.mean())
        require(middle > 0, f"the mean of the samples is {middle:.3g} and must be above 0.")
        z = x * (mean / x.mean())
        influence = np.multiply.outer(z.mean(axis=1) / mean - 1, at * density)
    else:
        require(
            float(np.ptp(x)) > 0,
            f"all samples are {x.flat[0]:.6g}; a scale needs some that differ.",
        )
        z = mean + (x - x.mean()) * (spread / x.std())
        centred = z - mean
        scale = ((centred / spread) ** 2 - 1).mean(axis=1) / 2
        influence = np.multiply.outer(centred.mean(axis=1), density)
        influence += np.multiply.outer(scale, (at - mean) * density)
    return _tested(law.cdf(z), influence, f"{type(law).__name__}, {fitted} estimated")


def _tested(u: Floats, influence: Floats, null: str) -> GoodnessOfFit:
    statistic, chance, expected = ad.clustered(ad.replica_deviations(u), influence)
    size = float(len(u)) / expected  # independent samples, were nothing estimated
    return GoodnessOfFit(statistic / expected, chance, size, null)
