"""Gaps between the levels of an n-fold multiplet, and the density of one level, against their laws.

Among three levels or more a gap feels the neighbours' neighbours, and the surmise is no longer
exact. The law of all gaps together is read off draws of the Gaussian ensemble.
"""

from functools import lru_cache
from typing import ClassVar

import numpy as np

from .._types import Floats
from ..ensembles import GaussianEnsemble
from ..laws import GaussianEnsembleDensity, Law
from ..stats import GoodnessOfFit, fitted_law_test

_DRAWS = 120_000  # levels behind the law of the gaps
_NODES = 513


class GapLaw(Law):
    """Law of a gap among n levels of a Gaussian ensemble, any of the n - 1 gaps, mean one.

    Args:
        n: levels, at least 2.
        beta: 1, 2 or 4.
    """

    citation: ClassVar[str] = "draws of sgdyson.ensembles.GaussianEnsemble"

    def __init__(self, n: int, beta: int = 1) -> None:
        self.n, self.beta = n, beta
        self._quantiles, self._variance = _table(n, beta)
        self._levels = np.linspace(0.0, 1.0, _NODES)

    @property
    def support(self) -> tuple[float, float]:
        """The interval of the draws."""
        return 0.0, float(self._quantiles[-1])

    def mean(self) -> float:
        """One, by the unit."""
        return 1.0

    def var(self) -> float:
        """Variance of the draws."""
        return self._variance

    @property
    def error(self) -> float:
        """Standard error that the draws leave in `var`."""
        # gaps of one draw repel; taken as independent their error is an upper bound
        middles = (self._quantiles[1:] + self._quantiles[:-1]) / 2
        return float(np.std((middles - 1) ** 2) / _DRAWS**0.5)

    def _cdf(self, x: Floats) -> Floats:
        return np.asarray(np.interp(x, self._quantiles, self._levels))

    def _pdf(self, x: Floats) -> Floats:
        # what is finer is the noise of the draws: this wide it is 1 %, and so is the bias
        wide = 0.08
        return np.asarray((self._cdf(x + wide) - self._cdf(x - wide)) / (2 * wide))


@lru_cache
def gap_law(n: int, beta: int) -> GapLaw:
    """The law of a gap among n levels, its draws made once."""
    return GapLaw(n, beta)


def gaps_test(members: Floats, beta: int) -> GoodnessOfFit:
    """Anderson-Darling test of all gaps of a multiplet, in units of their mean.

    Args:
        members: (replica, time, level), descending, of at least 50 replicas.
        beta: Dyson index of the law.
    """
    gaps = -np.diff(members, axis=2)
    return fitted_law_test(gaps.reshape(len(gaps), -1), gap_law(members.shape[2], beta))


def density_test(members: Floats, beta: int) -> GoodnessOfFit:
    """Anderson-Darling test of the density of one level, centre and width estimated.

    Args:
        members: (replica, time, level), of at least 50 replicas.
        beta: Dyson index of the law.
    """
    law = GaussianEnsembleDensity(members.shape[2], beta)
    return fitted_law_test(members.reshape(len(members), -1), law, "centre and scale")


@lru_cache
def _table(n: int, beta: int) -> tuple[Floats, float]:
    """Quantiles of the unit gap at equal steps of probability, and its variance."""
    levels = GaussianEnsemble(n, beta).eigenvalues(max(_DRAWS // n, 2000), 0)
    gaps = np.diff(levels, axis=1).ravel()
    unit = gaps / gaps.mean()
    quantiles = np.quantile(unit, np.linspace(0.0, 1.0, _NODES))
    quantiles[0] = 0.0
    return quantiles, float(unit.var())
