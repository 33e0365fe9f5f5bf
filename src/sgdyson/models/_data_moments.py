r"""Moments of a user's data beyond the second: how mini-batches of them scatter.

How an average over |B| samples scatters is in the fourth moments. Of Gaussian data these follow
from Wick's theorem. Of others the scatter of each entry is taken from them; what hangs together
beyond that, and heavier tails, are neglected, and told.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..errors import NoPredictionError
from ._leading import Levels, degenerate

Square = Float[np.ndarray, "level level"]
_LARGE = 0.1  # fourth cumulant, relative, that an expansion about Gaussian data may leave out


class DataMoments(NamedTuple):
    r"""Moments in the eigenbasis of the second moment.

    Attributes:
        fourth: $\langle \varphi_i^2 \varphi_j^2 \rangle - \langle \varphi_i \varphi_j \rangle^2$:
            scatter of the average over one sample.
        tails: third cumulant of $\varphi_i^2$ in units of a Gaussian's, $8 P_i^3$; one or more.
        cross: fourth cumulants of two modes, by which entries of the scatter hang together, in
            units of the variances of these; zero on the diagonal.
    """

    fourth: Square
    tails: Levels
    cross: Square

    def neglected(self, skew: Levels, levels: Levels, covariance: Square) -> Levels:
        r"""What order 1 leaves out of each width, where skewness is `skew` of it for Gaussian data.

        Modes that mix feel their common scatter: those as near as $V_{ij} \sim (x_i - x_j)^2$.
        """
        apart = np.where(degenerate(levels), 0.0, levels[:, None] - levels) ** 2
        moves = np.where(np.isfinite(covariance), covariance, 0.0)
        # 1 where fluctuations bridge the gap: both then mix fully, and perturbation theory ends
        overlap = np.divide(moves, apart, out=np.ones_like(apart), where=apart > moves)
        return np.asarray(skew * self.tails + (self.cross * overlap).sum(axis=1) / 2)

    def refuse_directions(self, levels: Levels) -> None:
        """Refuse multiplets whose scatter has a preferred direction: no Gaussian ensemble is it.

        Raises:
            NoPredictionError: modes of one variance whose fourth moments are not those of a
                Gaussian.
        """
        together = degenerate(levels) & (levels > 0)
        worst = float(np.max(np.where(together, self.cross, 0.0), initial=0.0))
        if worst > _LARGE:
            raise NoPredictionError(
                "data with modes of one variance, as whitened data have, and fourth moments that"
                f" are not Gaussian (cumulants up to {worst:.2f}) scatter in preferred directions,"
                ' and have no prediction; take positive_phase = "exact" with persistent chains, or'
                " simulate."
            )


def data_moments(modes: Float[np.ndarray, "sample level"]) -> DataMoments:
    """Moments of samples in the eigenbasis of their second moment."""
    count, square = len(modes), modes**2
    second, fourth = modes.T @ modes / count, square.T @ square / count
    size = np.sqrt(np.diag(second))
    # 8 P^3 is the third cumulant of the square of a normal number of variance P
    third = ((square - np.diag(second)) ** 3).mean(axis=0) / (8 * size**6)
    unit = modes / size
    both = np.abs(fourth / np.outer(size, size) ** 2 - 1)  # <i^2 j^2> - <i^2><j^2>
    skew = np.abs((unit**3).T @ unit / count)
    cross = np.maximum(both, np.maximum(skew, skew.T))
    np.fill_diagonal(cross, 0.0)
    # at least 1: tails lighter than a Gaussian's are not to lessen a stated error
    return DataMoments(fourth - second**2, np.maximum(third, 1.0), cross)
