"""The ratio of successive spacings, which needs no unfolding."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._checks import settle
from .._types import Floats
from ._law import Law, one_of

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
_NORM = {  # 2/Z_beta of the source's eq. (7)
    0: 2.0,
    1: 27 / 4,
    2: 81 * np.sqrt(3) / (2 * np.pi),
    4: 729 * np.sqrt(3) / (2 * np.pi),
}


@dataclass(frozen=True)
class SpacingRatio(Law):
    r"""The smaller of two successive spacings over the larger, r in [0, 1].

    $$P(r) = \frac{2}{Z_\beta} \frac{(r + r^2)^\beta}{(1 + r + r^2)^{1 + 3\beta/2}}, \qquad
    P(r) = \frac{2}{(1 + r)^2} \text{ of independent levels } (\beta = 0).$$
    Exact for three levels, a surmise for more: <r> of large matrices is 0.5307, 0.5996 and 0.6744
    for beta = 1, 2, 4, one per cent lower; independent levels have $2 \ln 2 - 1$ exactly.

    Args:
        beta: 0 (independent levels), 1, 2 or 4.
    """

    citation: ClassVar[str] = "Y. Y. Atas et al., Phys. Rev. Lett. 110, 084101 (2013), eq. (7)"
    beta: int = 1

    def __post_init__(self) -> None:
        settle(self, beta=one_of("beta", self.beta, 0, 1, 2, 4))

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, 1.0

    def _pdf(self, x: Floats) -> Floats:
        values = x
        return np.where((values >= 0) & (values <= 1), self._density(np.clip(values, 0, 1)), 0.0)

    def _logpdf(self, x: Floats) -> Floats:
        r = np.clip(x, 0.0, 1.0)
        if self.beta == 0:
            shape = np.log(2) - 2 * np.log1p(r)
        else:
            steep = self.beta * (np.log(r) + np.log1p(r))
            shape = np.log(_NORM[self.beta]) + steep - (1 + 1.5 * self.beta) * np.log1p(r + r**2)
        return np.where((x >= 0) & (x <= 1), shape, -np.inf)

    def _cdf(self, x: Floats) -> Floats:
        r = np.clip(x, 0.0, 1.0)
        inside = self._density(r[..., None] * (1 + _NODES) / 2)
        return np.asarray(np.clip(r / 2 * (inside @ _WEIGHTS), 0.0, 1.0))

    def mean(self) -> float:
        return self._moment(1)

    def var(self) -> float:
        return self._moment(2) - self._moment(1) ** 2

    def _density(self, r: Floats) -> Floats:
        if self.beta == 0:
            return 2 / (1 + r) ** 2
        shape = (r + r**2) ** self.beta / (1 + r + r**2) ** (1 + 1.5 * self.beta)
        return np.asarray(_NORM[self.beta] * shape)

    def _moment(self, power: int) -> float:
        r = (1 + _NODES) / 2
        return float((r**power * self._density(r)) @ _WEIGHTS / 2)
