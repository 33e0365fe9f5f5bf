r"""A power law with an exponential cut-off, beside the plain one that it holds.

The density $p(x) \propto x^{-\alpha} e^{-\lambda x}$ above a start is an exponential family in
$(\alpha, \lambda)$, so that the likelihood has one maximum; its normalisation is, in units of the
start, $E_\alpha(\lambda) = \int_1^\infty y^{-\alpha} e^{-\lambda y}\,dy$ (table 2.1 of A. Clauset,
C. Shalizi and M. Newman, SIAM Rev. 51, 661 (2009)).

Whether there is a cut-off is asked of $\lambda = 0$ against $\lambda > 0$. Twice the logarithm of
the ratio of likelihoods has not the limit $\chi^2$ here that Wilks's theorem would give, nor the
mixture of one at a boundary: where $\alpha \le 3$ a level has no variance under the plain law. But
of the plain law the logarithms $t_i = \ln y_i$ are exponential, and given their sum they lie
uniformly on a simplex, whatever $\alpha$: the test that refuses a small $\sum y_i$ given $\sum t_i$
is exact, and the best of the unbiased ones (E. Lehmann and J. Romano, Testing Statistical
Hypotheses, 3rd ed., theorem 4.4.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .._types import Floats
from ..stats import Estimate

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_DEEP = 45.0  # of the exponent, below which nothing adds to an integral in double precision
_STEPS = 200
_MOST = 1e250  # of the mean level over the start, beyond which products overflow
_NO_RATE = 1e-6  # over the largest level: a cut-off so far beyond it that it changes nothing
_BLOCK = 1 << 20  # numbers at once


@dataclass(frozen=True)
class TruncatedTail:
    r"""A power law with a cut-off, $p(x) \propto x^{-\alpha} e^{-\lambda x}$, of a tail.

    Attributes:
        exponent: $\alpha$; errors are those of the Fisher information, which hold where the cut-off
            is well inside the tail.
        rate: $\lambda$, the inverse of the level at which the tail is cut off; None where the plain
            law is the most likely.
        log_ratio: logarithm of the ratio of likelihoods, of this law over the plain one: never
            negative, as this one holds the plain one.
        pvalue: chance that levels of a plain power law are as short of large ones; exact, given the
            start of the tail.
    """

    exponent: Estimate
    rate: Estimate | None
    log_ratio: float
    pvalue: float

    def in_units(self, unit: float) -> TruncatedTail | None:
        """The same of levels that are larger by a factor; None where no float holds its rate."""
        if self.rate is None:
            return self
        with np.errstate(over="ignore", under="ignore"):
            value, error = (np.float64(x) / unit for x in (self.rate.value, self.rate.error))
        if not (np.isfinite(error) and value > 0):
            return None
        return replace(self, rate=Estimate(float(value), float(error), self.rate.effective_size))


def fit_truncated(ratios: Floats, exponent: float, draws: int, seed: int) -> TruncatedTail | None:
    """Fit a cut-off to levels above the start of a tail.

    Args:
        ratios: levels over the start, ascending, the start itself first.
        exponent: of the plain power law that fits them.
        draws: samples behind the p-value.
        seed: of them.

    Returns:
        The fit; None of levels so near to each other that the two parameters are one.
    """
    logs, n = np.log(ratios), len(ratios)
    pvalue = _pvalue(logs[1:], draws, seed)
    means = np.array([logs.mean(), ratios.mean()])
    if not means[1] < _MOST:
        return None
    try:
        # levels over hundreds of decades are too many for a float, and told from none by that
        with np.errstate(over="ignore", invalid="ignore"):
            maximum = _most_likely(means, exponent, _NO_RATE / float(ratios[-1]))
    except np.linalg.LinAlgError:
        return None
    if maximum is None:
        error = (exponent - 1) / math.sqrt(n)
        return TruncatedTail(Estimate(exponent, error, float(n)), None, 0.0, pvalue)
    place, likelihood, information = maximum
    errors = np.sqrt(np.diag(np.linalg.inv(information)) / n)
    plain = math.log(exponent - 1) - exponent * float(means[0])
    return TruncatedTail(
        exponent=Estimate(float(place[0]), float(errors[0]), float(n)),
        rate=Estimate(float(place[1]), float(errors[1]), float(n)),
        log_ratio=float(n * max(likelihood - plain, 0.0)),
        pvalue=pvalue,
    )


def _pvalue(logs: Floats, draws: int, seed: int) -> float:
    """The test on levels above the start: the start itself was chosen, not drawn."""
    random, total = np.random.default_rng(seed), float(logs.sum())
    smaller, done, block = 0, 0, max(_BLOCK // len(logs), 1)
    with np.errstate(over="ignore"):
        # a single level above the start is drawn as itself each time: rounding is not to decide
        observed = np.exp(logs).sum() * (1 + 1e-12)
        while done < draws:
            many = min(block, draws - done)
            drawn = random.standard_exponential((many, len(logs)))
            drawn *= (total / drawn.sum(axis=1))[:, None]
            smaller += int(np.sum(np.exp(drawn).sum(axis=1) <= observed))
            done += many
    return (1 + smaller) / (1 + draws)


def _most_likely(
    means: Floats, exponent: float, least: float
) -> tuple[Floats, float, Floats] | None:
    """Exponent and rate, log-likelihood and information a level, of the means of t and y.

    None where the plain law is the most likely: the mean of y is not below its own, or the rate
    falls under the least that any level could feel.

    Raises:
        numpy.linalg.LinAlgError: t and y cannot be told from each other.
    """
    if exponent > 2 and means[1] >= (exponent - 1) / (exponent - 2):
        return None
    place = np.array([exponent, 1 / max(10 * means[1], 1.0)])
    value, gradient, second = _likelihood(place, means)
    for _ in range(_STEPS):
        step = np.asarray(np.linalg.solve(second, gradient), np.float64)
        if not np.isfinite(step).all():
            raise np.linalg.LinAlgError("levels beyond the range of a float")
        if float(gradient @ step) < 1e-13:
            return place, value, second
        place, value, gradient, second = _uphill(place, value, step, float(gradient @ step), means)
        if place[1] < least:
            return None
    raise np.linalg.LinAlgError("no step leads uphill")


def _uphill(
    place: Floats, value: float, step: Floats, slope: float, means: Floats
) -> tuple[Floats, float, Floats, Floats]:
    """Newton's step, shortened until it climbs, and stays where the rate is positive."""
    size = 1.0 if step[1] > -0.9 * place[1] else 0.9 * place[1] / -step[1]
    while True:
        tried = place + size * step
        climbed = _likelihood(tried, means)
        if climbed[0] >= value + 1e-4 * size * slope or size < 1e-10:
            return tried, *climbed
        size /= 2


def _likelihood(place: Floats, means: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood a level with its gradient, and the covariance of (t, y), minus its Hessian."""
    alpha, rate = float(place[0]), float(place[1])
    t, density, log_norm = _density(alpha, rate)
    y = np.exp(t)
    first = np.array([density @ t, density @ y])
    off = np.array([t - first[0], y - first[1]])
    value = -alpha * float(means[0]) - rate * (float(means[1]) - 1) - log_norm
    return value, first - means, (off * density) @ off.T


def _density(alpha: float, rate: float) -> tuple[Floats, Floats, float]:
    r"""Nodes in $t = \ln y$, the shares of the density at them, and $\ln E_\alpha + \lambda$."""

    def exponent(t: Floats) -> Floats:
        return (1 - alpha) * t - rate * np.expm1(t)

    top = max(math.log(max(1 - alpha, rate) / rate), 0.0)
    highest = float(exponent(np.array(top)))
    step = 1 / (1 + abs(alpha) + rate)  # over which no such density falls by much
    begin = max(_edge(exponent, top, -step, highest), 0.0)
    end = _edge(exponent, top, step, highest)
    t = begin + (end - begin) * (1 + _NODES) / 2
    density = (end - begin) / 2 * _WEIGHTS * np.exp(exponent(t) - highest)
    total = float(density.sum())
    return t, density / total, math.log(total) + highest


def _edge(exponent: Callable[[Floats], Floats], top: float, step: float, highest: float) -> float:
    """Where, on one side of its top, nothing of a density is left; below zero there is none."""
    place = top
    while place >= 0 and float(exponent(np.array(place))) > highest - _DEEP:
        place, step = top + step, 2 * step
    return place
