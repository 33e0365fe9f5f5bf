"""Goodness of fit: do samples follow a law, or the Wigner surmise?

Each p-value says what it takes as known. Samples that hang together within a replica go in as
(replica, sample) arrays, and the null law is then that of correlated samples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import kstwo, kstwobign

from .._checks import positive, real_array, shown
from .._types import ArrayLike, Floats
from ..errors import InvalidInputError, require
from . import _anderson_darling as ad
from ._samples import dyson_index, finite
from ._surmise import cdf as surmise_cdf
from ._surmise import estimated_process, moved_by_the_mean
from ._weighted_chi2 import weighted_chi2_sf

_FEWEST = 50


@dataclass(frozen=True)
class GoodnessOfFit:
    """A test of samples against a law.

    Attributes:
        statistic: Anderson-Darling's A^2 or Kolmogorov-Smirnov's D.
        pvalue: chance of a larger statistic if the null holds; uniform on [0, 1] then.
        effective_size: number of independent samples behind the statistic.
        null: what was tested, and which parameters were estimated from the samples.
    """

    statistic: float
    pvalue: float
    effective_size: float
    null: str


def ks_test(
    samples: ArrayLike, cdf: Callable[[Floats], ArrayLike], effective_size: float | None = None
) -> GoodnessOfFit:
    r"""Kolmogorov-Smirnov's $D = \sup |F_n - F|$ against a law without fitted parameters.

    The p-value takes the samples as independent (its law is then exact for every n). Correlated
    samples need thinning to one a correlation time, or `effective_size`, a rule of thumb that puts
    this number into the asymptotic law: with the size of the mean it errs on the safe side where
    the mean is what forgets slowest. `anderson_darling` needs neither.

    Args:
        samples: any shape.
        cdf: cdf of the null, no parameter of it taken from `samples`.
        effective_size: number of independent samples, if not all of them.

    Returns:
        The test.

    Raises:
        InvalidInputError: NaN, no samples, an effective size not in (0, number of samples].
    """
    x = finite(samples, "samples").ravel()
    n = x.size
    distance = largest_distance(_probabilities(cdf, x))
    if effective_size is None:
        return GoodnessOfFit(distance, float(kstwo.sf(distance, n)), float(n), "given law")
    effective_size = positive("effective_size", effective_size)
    require(
        effective_size <= n,
        f"effective_size = {effective_size:g} must be at most {n}, the number of samples.",
    )
    # the limit of many samples: the exact law knows whole numbers of independent ones alone
    chance = float(kstwobign.sf(distance * np.sqrt(effective_size)))
    return GoodnessOfFit(distance, chance, float(effective_size), "given law")


def largest_distance(u: Floats) -> float:
    """Largest |F_n(u) - u| of values of the cdf, of any shape."""
    ordered, ranks = np.sort(u, axis=None), np.arange(u.size + 1) / u.size
    # at each sample F_n jumps: it is furthest away just before, or just after
    return float(max(np.max(ranks[1:] - ordered), np.max(ordered - ranks[:-1])))


def anderson_darling(samples: ArrayLike, cdf: Callable[[Floats], ArrayLike]) -> GoodnessOfFit:
    r"""Anderson-Darling's $A^2$ against a law without fitted parameters.

    One-dimensional samples count as independent; in two dimensions the replicas are independent
    and their samples need not be: the null law uses the covariance found among replicas.
    Asymptotic law in the number of samples (good from about 10) or replicas (at least 50).

    Args:
        samples: (n,), or (replica, sample).
        cdf: cdf of the null, no parameter of it taken from `samples`.

    Returns:
        The test.

    Raises:
        InvalidInputError: NaN, or fewer than 50 replicas.

    Examples:
        >>> from sgdyson.laws import Semicircle
        >>> law = Semicircle(radius=2.0)
        >>> middles = law.ppf([(2 * i + 1) / 200 for i in range(100)])  # as even as samples can be
        >>> bool(anderson_darling(middles, law.cdf).statistic < 0.05)
        True
    """
    x = _samples(samples)
    u = _probabilities(cdf, x)
    return _test_given(u, "given law")


def wigner_test(spacings: ArrayLike, mean: float | None = None, beta: int = 1) -> GoodnessOfFit:
    r"""Anderson-Darling test of the Wigner surmise, $F(s) = 1 - e^{-\pi s^2/4}$ for beta = 1.

    The unit spacing is $s = S/\langle S \rangle$. With `mean` given, the null has no free
    parameter. Without it s is in units of the sample mean, which draws the samples towards the null
    (the effect Lilliefors found for the normal law): the null law then carries that estimate, and
    A^2 is far smaller than in tables for laws without one.

    Args:
        spacings: (n,) independent, or (replica, sample) with any correlation within a replica.
        mean: the predicted mean spacing; `None` takes that of the samples.
        beta: of the surmise: 1, 2 or 4.

    Returns:
        The test; `null` says which of the two it is.

    Raises:
        InvalidInputError: NaN, negative spacings, a mean not above zero, fewer than 50 replicas.

    Examples:
        Spacings of independent levels, which may meet, are refused; those of the surmise are not:

        >>> import numpy as np
        >>> from sgdyson.laws import PoissonSpacing, WignerSurmise
        >>> bool(wigner_test(WignerSurmise().rvs(500, random_state=0)).pvalue > 0.01)
        True
        >>> bool(wigner_test(PoissonSpacing().rvs(500, random_state=0)).pvalue < 1e-6)
        True
    """
    x, beta = _samples(spacings), dyson_index(beta)
    surmise = _title(beta)
    require(
        bool(x.min() >= 0 and x.max() > 0),
        f"spacings run from {x.min():.3g} to {x.max():.3g}; give the larger level minus "
        "the smaller, not all zero.",
    )
    if mean is not None:
        u = surmise_cdf(x / positive("mean", mean), beta)
        return _test_given(u, f"{surmise}, mean spacing given")
    s = x / x.mean()
    slope, weights = _scale_estimated(beta)
    return _test(
        # s - 1 is what each sample does to the estimated mean
        surmise_cdf(s, beta),
        slope,
        s - 1.0,
        weights,
        f"{surmise}, mean spacing estimated",
    )


def _title(beta: int) -> str:
    return "Wigner surmise" if beta == 1 else f"Wigner surmise of beta = {beta}"


def _test_given(u: Floats, null: str) -> GoodnessOfFit:
    return _test(u, np.zeros(len(ad.GRID)), np.zeros_like(u), ad.bridge_weights(), null)


def _test(u: Floats, slope: Floats, parameter: Floats, weights: Floats, null: str) -> GoodnessOfFit:
    """A^2 of probabilities `u`.

    `parameter` is the influence of each sample on what was estimated, `slope` (node,) what that
    does to the empirical cdf, and `weights` the null law for independent samples.
    """
    if u.ndim == 1:
        statistic = ad.a_squared(u)
        return GoodnessOfFit(statistic, weighted_chi2_sf(statistic, weights), float(u.size), null)
    alike = bool(np.all(u == u[0]))
    require(not alike, f"All {len(u)} replicas are alike; give each a seed of its own.")
    influence = np.multiply.outer(parameter.mean(axis=1), slope)
    statistic, chance, expected = ad.clustered(ad.replica_deviations(u), influence)
    per_replica = float(weights.sum()) / expected  # independent samples that expect as much
    return GoodnessOfFit(statistic * per_replica, chance, len(u) * per_replica, null)


@cache
def _scale_estimated(beta: int) -> tuple[Floats, Floats]:
    """How the surmise's empirical cdf moves with the mean, and the weights of A^2 then."""
    slope, _ = moved_by_the_mean(ad.GRID, beta)
    return slope, ad.weights(estimated_process(ad.GRID, beta))


def _samples(samples: ArrayLike) -> Floats:
    x = finite(samples, "samples")
    require(
        x.ndim in (1, 2),
        f"samples have shape {x.shape}; give (n,) independent ones or (replica, sample).",
    )
    # one sample a replica: independent after all
    if x.ndim == 2 and x.shape[1] == 1:
        return x[:, 0]
    require(
        x.ndim == 1 or x.shape[0] >= _FEWEST,
        f"{x.shape[0]} replicas are too few to find how their samples are correlated; give at "
        f"least {_FEWEST}, or a flat array thinned to independent samples.",
    )
    return x


def _probabilities(cdf: Callable[[Floats], ArrayLike], x: Floats) -> Floats:
    if not callable(cdf):
        raise InvalidInputError(f"cdf = {shown(cdf)} must be a function of the samples.")
    u = real_array("the values of cdf", cdf(x))
    require(
        u.shape == x.shape and bool(np.all((u >= 0) & (u <= 1))),
        "cdf did not turn the samples into probabilities; give a vectorised function to [0, 1].",
    )
    return u
