"""Functions that cost a determinant each, tabulated once."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.polynomial import Chebyshev

from .._types import Floats


def quadrature(count: int, low: float, high: float) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre on an interval."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return low + (high - low) / 2 * (1 + nodes), (high - low) / 2 * weights


class Table:
    """Several functions of one number, by Chebyshev series piece by piece.

    A piece is made when a value of it is first asked for.

    Args:
        function: the values of all of them at a number.
        knots: where the pieces begin and end, rising.
        degree: degree of the series.
    """

    def __init__(
        self, function: Callable[[float], Sequence[float]], knots: Sequence[float], degree: int
    ) -> None:
        self._function, self._knots, self._degree = function, np.array(knots), degree
        self._pieces: dict[int, list[Chebyshev]] = {}

    def __call__(self, x: Floats, which: int) -> Floats:
        """Function number `which` at x, those outside of the knots moved to the nearest."""
        inside = np.clip(x, self._knots[0], self._knots[-1])
        piece = np.clip(np.searchsorted(self._knots, inside, "right"), 1, len(self._knots) - 1)
        result = np.empty(inside.shape)
        for index in np.unique(piece):
            here = piece == index
            result[here] = self._piece(int(index))[which](inside[here])
        return result

    def _piece(self, index: int) -> list[Chebyshev]:
        if index not in self._pieces:
            low, high = self._knots[index - 1 : index + 1]
            nodes = np.polynomial.chebyshev.chebpts1(self._degree + 1)
            at = low + (high - low) / 2 * (1 + nodes)
            values = np.array([self._function(float(point)) for point in at])
            basis = np.polynomial.chebyshev.chebvander(nodes, self._degree)
            coefficients = np.linalg.solve(basis, values)
            self._pieces[index] = [Chebyshev(c, domain=[low, high]) for c in coefficients.T]
        return self._pieces[index]
