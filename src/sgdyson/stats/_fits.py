"""Maximum-likelihood fits to levels and spacings, errors clustered by replica.

The point estimate takes every sample as independent; its error does not. Each sample moves a fitted
parameter by its influence function, and the covariance of the sum of these over replicas is the
sandwich formula of Huber (Proc. Fifth Berkeley Symp. 1, 221 (1967)) with replicas as clusters. The
two levels of a pair, and the times of one replica, may be as correlated as they like.
"""

from dataclasses import dataclass

import numpy as np

from .._types import ArrayLike, Floats
from ..errors import require
from ._clusters import clustered_covariance, effective_size
from ._estimate import Estimate
from ._pair_likelihood import maximise
from ._samples import by_replica, dyson_index


@dataclass(frozen=True)
class LevelFit:
    """Centre and width fitted to the density of one level, or of the levels of a pair.

    Attributes:
        centre: in the units of the levels.
        width: sigma of the Coulomb gas, same units.
        covariance: (2, 2), of (centre, width).
    """

    centre: Estimate
    width: Estimate
    covariance: Floats


def fit_gaussian(x: ArrayLike) -> LevelFit:
    r"""Normal density of a single level: $\hat c = \bar x$, $\hat\sigma^2 = \overline{(x - c)^2}$.

    Args:
        x: (replica, samples), or (replica,) of independent samples.

    Returns:
        Centre and width (the standard deviation).

    Raises:
        InvalidInputError: NaN, fewer than two replicas, or samples that are all equal.
    """
    samples = _spread(x, "x")
    deviation = samples - samples.mean()
    width = float(np.sqrt(np.mean(deviation**2)))
    # how far one sample moves the mean, and the root of the mean square
    influence = np.stack([deviation, (deviation**2 - width**2) / (2 * width)])
    return _level_fit(float(samples.mean()), width, influence)


def fit_pair_density(x: ArrayLike, beta: int = 1) -> LevelFit:
    r"""One-level density of a degenerate pair, by Newton's method on the likelihood.

    $$\rho(x) = \frac{e^{-u^2/2}}{4 \sqrt\pi \sigma} \Big[ 2 e^{-u^2/2} + \sqrt{2\pi}\, u\,
    \mathrm{erf}(u/\sqrt2) \Big], \qquad u = (x - c)/\sigma$$

    (Aarts, Lucini and Park, arXiv:2407.16427); $\propto e^{-u^2/2} (u^2 + 1)$ and $e^{-u^2/2}
    (u^4 + 6 u^2 + 3)$ for beta = 2, 4.

    Args:
        x: (replica, samples) or (replica, time, 2): both levels of the pair, in any order.
        beta: Dyson index of the levels: 1, 2 or 4.

    Returns:
        Centre and width.

    Raises:
        InvalidInputError: NaN, fewer than two replicas, samples that are all equal, or samples so
            far from the density that its likelihood has no maximum near their moments.

    Examples:
        >>> from sgdyson.ensembles import GaussianEnsemble
        >>> pairs = GaussianEnsemble(2, width=0.1).eigenvalues(10000, random_state=0)
        >>> fit = fit_pair_density(pairs)
        >>> bool(abs(fit.width.value - 0.1) < 4 * fit.width.error < 0.005)
        True
    """
    samples = _spread(x, "x")
    centre, width, influence = maximise(samples.ravel(), dyson_index(beta))
    return _level_fit(centre, width, influence.reshape(2, *samples.shape))


def fit_wigner(spacings: ArrayLike, beta: int = 1) -> Estimate:
    r"""Width of the Wigner surmise $P(S) \propto S^\beta e^{-S^2/(4\sigma^2)}$.

    The maximum of the likelihood is at $\hat\sigma^2 = \overline{S^2}/2(\beta + 1)$.

    Args:
        spacings: (replica, samples), S >= 0, in units of the levels.
        beta: Dyson index of the levels: 1, 2 or 4.

    Returns:
        $\hat\sigma$; the mean spacing it stands for is $\sqrt\pi \hat\sigma$ for beta = 1, $2
        \hat\sigma \Gamma(\beta/2 + 1)/\Gamma((\beta + 1)/2)$ for any.

    Raises:
        InvalidInputError: NaN, fewer than two replicas, negative spacings or none above zero.
    """
    samples = by_replica(spacings, "spacings")
    require(
        bool(samples.min() >= 0 and samples.max() > 0),
        f"spacings run from {samples.min():.3g} to {samples.max():.3g}; they must not be negative "
        "and not all zero: take the larger level minus the smaller.",
    )
    degrees = dyson_index(beta) + 1  # S is as long as a vector of so many numbers
    width = float(np.sqrt(np.mean(samples**2) / (2 * degrees)))
    return _estimate(width, (samples**2 - 2 * degrees * width**2) / (4 * degrees * width))


def _spread(x: ArrayLike, name: str) -> Floats:
    samples = by_replica(x, name)
    require(
        bool(np.ptp(samples) > 0),
        f"{name} holds {samples.size} samples all equal to {samples.flat[0]}; a width needs "
        "samples that differ.",
    )
    return samples


def _level_fit(centre: float, width: float, influence: Floats) -> LevelFit:
    return LevelFit(
        _estimate(centre, influence[0]),
        _estimate(width, influence[1]),
        clustered_covariance(influence),
    )


def _estimate(value: float, influence: Floats) -> Estimate:
    error = float(np.sqrt(clustered_covariance(influence[None])[0, 0]))
    size = effective_size(float(np.mean(influence**2)), error, influence.size)
    return Estimate(value, error, size)
