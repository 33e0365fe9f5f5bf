"""The exact law of spacings in the bulk of a large matrix."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.polynomial import Chebyshev

from .._checks import settle
from ._law import one_of
from ._table import TabulatedLaw, quadrature, tabulate


@dataclass(frozen=True)
class ExactSpacing(TabulatedLaw):
    r"""Spacing in units of its mean between neighbours in the bulk of an infinite spectrum.

    $P = E''$, E(s) the probability that an interval of length s holds no level: for beta = 2
    $E = \det(1 - K)$ with $K(x, y) = \sin \pi(x - y)/\pi(x - y)$ on it, for beta = 1 the same with
    the even part of K. `WignerSurmise` differs by at most 0.5 %.

    Args:
        beta: 1 or 2.
    """

    citation: ClassVar[str] = "M. Gaudin, Nucl. Phys. 25, 447 (1961); F. Bornemann (2010)"
    beta: int = 1

    def __post_init__(self) -> None:
        settle(self, beta=one_of("beta", self.beta, 1, 2))

    @property
    def ends(self) -> tuple[float, float]:
        return 0.0, np.inf

    @property
    def _series(self) -> Chebyshev:
        return _distribution(self.beta)


@lru_cache
def _distribution(beta: int) -> Chebyshev:
    """1 + E', minus rounding at zero. Beyond 7.5, or 5.5, less than 1e-14 of the law is left."""
    high = {1: 7.5, 2: 5.5}[beta]
    gap = tabulate(lambda s: _gap_probability(s, beta), 0.0, high, 48)
    return 1 + gap.deriv()


def _gap_probability(s: float, beta: int) -> float:
    x, weights = quadrature(40, 0.0, s / 2)  # even and odd functions on half of the interval
    near, far = np.sinc(x[:, None] - x), np.sinc(x[:, None] + x)
    root = np.sqrt(np.outer(weights, weights))
    even = float(np.linalg.det(np.eye(len(x)) - root * (near + far)))
    return even if beta == 1 else even * float(np.linalg.det(np.eye(len(x)) - root * (near - far)))
