r"""Noise whose columns differ in variance: its bulk, and the directions that stand out of it.

$X = e\,r^T + G$, M rows; the columns of G come in classes c, $n_c$ of variance $v_c$. With
$y = -M$ times the Stieltjes transform of $X X^T$ at the square x of a singular value s,

$$x(y) = \frac{M}{y} + \sum_c \frac{n_c v_c}{1 - v_c y}, \qquad 0 < y < 1/\max v_c ,$$

the equation of Marchenko and Pastur for a population of several variances (J. W. Silverstein and
S.-I. Choi, J. Multivar. Anal. 54, 295 (1995)). The bulk ends where x is least, at y*. A direction
that has the squared length $\tau_c$ within class c is where

$$D(y) = \frac{y}{M} \sum_c \frac{\tau_c}{1 - v_c y} = 1 , \qquad y < y^* .$$
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._checks import reals, settle, whole
from .._types import Flags, Floats
from ..errors import require
from ..laws import LargestLevel

_HALVINGS = 60  # of an interval, to the precision of a float
_LEAST = 1e-280  # a variance that stands for none


@dataclass(frozen=True)
class ColumnNoise:
    r"""Independent Gaussian entries, M rows, columns in classes of one variance each.

    One class is Marchenko and Pastur's bulk, of which `SpikedModel` has closed forms. Classes need
    not be columns: a matrix $G\,h(C)^{1/2}$ whose C has the eigenvalues $\lambda_c$ is one in the
    basis of C, with $v_c = h(\lambda_c)$. All is of leading order in 1/M.

    Args:
        rows: M.
        counts: n_c, columns in each class, positive, not necessarily whole, (class,).
        variances: v_c, not negative, (..., class); leading axes are different matrices.

    Raises:
        InvalidInputError: shapes that do not fit, a value that breaks one of these rules.

    Examples:
        >>> noise = ColumnNoise(160, [40, 40], [1.0, 0.1])
        >>> float(noise.edge.round(2)), ColumnNoise(160, [80], [0.55]).edge.round(2).item()
        (19.09, 16.01)
    """

    rows: int
    counts: Floats
    variances: Floats

    def __post_init__(self) -> None:
        counts, variances = reals("counts", self.counts), reals("variances", self.variances)
        settle(self, rows=whole("rows", self.rows), counts=counts, variances=variances)
        require(
            counts.ndim == 1 and counts.size > 0 and variances.shape[-1:] == counts.shape,
            f"variances of shape {variances.shape} need counts of the length of their last axis,"
            f" not of shape {counts.shape}.",
        )
        require(
            bool((counts > 0).all() and (variances >= 0).all()),
            "counts must be positive and variances not negative.",
        )

    @property
    def edge(self) -> Floats:
        """Singular value at which the bulk ends, (...)."""
        return np.asarray(np.sqrt(self._square(self._end)))

    def largest(self, at: int | tuple[int, ...] = ()) -> LargestLevel:
        r"""Law of the largest singular value of one of the matrices.

        $s^2 = x(y^*) + [x''(y^*)/2]^{1/3} \Lambda$, $\Lambda$ of `TracyWidom(1)` (N. El Karoui,
        Ann. Probab. 35, 663 (2007)); M and the number of columns less 1/2 each, as for one
        variance.

        Args:
            at: place among the leading axes.
        """
        columns = float(self.counts.sum())
        counts = self.counts * (columns - 0.5) / columns
        y, v = _end_of(self.rows - 0.5, counts, self.variances[at]), self.variances[at]
        # x''(y)/2
        bend = (self.rows - 0.5) / y**3 + float((counts * v**3 / (1 - v * y) ** 3).sum())
        centre = (self.rows - 0.5) / y + float((counts * v / (1 - v * y)).sum())
        return LargestLevel(float(centre), float(bend ** (1 / 3)), 2)

    def spikes(self, weights: Floats) -> "ColumnSpikes":
        """Directions in this noise, each alone.

        Args:
            weights: tau, squared length of each direction within each class, (..., mode, class).
        """
        return ColumnSpikes(self, np.asarray(weights, dtype=np.float64))

    @cached_property
    def _end(self) -> Floats:
        """The y of the edge, (...)."""
        return _end_of(self.rows, self.counts, self.variances)

    def _square(self, y: Floats) -> Floats:
        seen = np.maximum(self.variances, _LEAST)
        terms = self.counts * seen / (1 - seen * y[..., None])
        return np.asarray(self.rows / y + terms.sum(-1))


class ColumnSpikes:
    r"""Levels and overlaps of directions in `ColumnNoise`, of leading order in 1/M.

    At a level the resolvent of X has a pole, whose residue is the overlap (F. Benaych-Georges and
    R. R. Nadakuditi, J. Multivar. Anal. 111, 120 (2012), for one variance): with
    $g_c = 1 - v_c y$

    $$|\langle e, \hat u\rangle|^2
    = \frac{M - y^2 \sum_c n_c v_c^2/g_c^2}{y \sum_c \tau_c/g_c^2} .$$

    Below the threshold the level is the edge and overlaps are 0. The derivation, and that of the
    variances, are in docs/theory.md. `ColumnNoise.spikes` makes it.

    Attributes:
        excess: D(y*) - 1, positive of directions that are seen, (..., mode).

    Examples:
        >>> spikes = ColumnNoise(160, [40, 40], [1.0, 0.1]).spikes([[900.0, 0.0], [0.0, 100.0]])
        >>> spikes.detached, spikes.levels.round(2)
        (array([ True, False]), array([33.33, 19.09]))
    """

    excess: Floats

    def __init__(self, noise: ColumnNoise, weights: Floats) -> None:
        self._noise, self._weights = noise, weights
        self._v = np.maximum(noise.variances, _LEAST)[..., None, :]
        end = noise._end[..., None]
        self.excess = _height(end, self._v, weights) / noise.rows - 1
        self._y = np.where(self.detached, _where_one(noise.rows, self._v, weights, end), end)
        self._gap = 1 - self._v * self._y[..., None]

    @property
    def detached(self) -> Flags:
        """Whether each direction is seen, (..., mode)."""
        return np.asarray(self.excess > 0)

    @property
    def levels(self) -> Floats:
        """The singular value of each direction; the edge for one that is not seen."""
        return np.asarray(np.sqrt(self._squares))

    @property
    def level_variances(self) -> Floats:
        """The variance of each; NaN for one that is not seen."""
        noise, v = self._noise, self._v
        p = (noise.counts * (v / self._gap) ** 2).sum(-1) / self._squares
        q = (self._weights * v / self._gap**2).sum(-1) / self._squares
        bracket = p + self._squares * self._y**2 / noise.rows * q**2 + 2 * q
        with np.errstate(invalid="ignore", divide="ignore"):
            above = self._left**2 * noise.rows / (2 * self._room) * bracket
        return np.where(self.detached, above, np.nan)

    @property
    def slopes(self) -> Floats:
        """Derivative of each level by each of its weights, (..., mode, class)."""
        with np.errstate(invalid="ignore"):
            slope = self._left[..., None] / (2 * np.sqrt(self._squares)[..., None] * self._gap)
        return np.where(self.detached[..., None], slope, np.nan)

    @property
    def left_overlaps(self) -> Floats:
        """Squared overlap of each e with the left vector of its level; 0 where it is not seen."""
        return np.where(self.detached, self._left, 0.0)

    def right_overlaps(self, along: Floats) -> Floats:
        """Squared overlaps of right vectors with unit vectors w; 0 where it is not seen.

        Args:
            along: of each direction r, the part of its product with w within each class,
                (..., mode, class).
        """
        inside = (along / self._gap).sum(-1) ** 2 / self._squares
        return np.where(self.detached, self.left_overlaps * inside, 0.0)

    @cached_property
    def _squares(self) -> Floats:
        terms = self._noise.counts * self._v / self._gap
        return np.asarray(self._noise.rows / self._y + terms.sum(-1))

    @cached_property
    def _room(self) -> Floats:
        """-y^2 dx/dy, which vanishes at the edge."""
        step = self._v * self._y[..., None] / self._gap
        return np.asarray(self._noise.rows - (self._noise.counts * step**2).sum(-1))

    @cached_property
    def _left(self) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self._room / (self._y * (self._weights / self._gap**2).sum(-1)))


def _height(y: Floats, v: Floats, weights: Floats) -> Floats:
    """M D(y)."""
    return np.asarray(y * (weights / (1 - v * y[..., None])).sum(-1))


def _end_of(rows: float, counts: Floats, variances: Floats) -> Floats:
    """Where x(y) is least, by halving: M = sum of n [v y/(1 - v y)]^2 grows with y."""
    largest = np.maximum(variances.max(-1), _LEAST)
    unit = np.maximum(variances, _LEAST) / largest[..., None]
    # were all variances the largest, the end would be the lower bound; smaller ones move it up
    root = np.sqrt(rows / counts.sum())
    low, high = np.full(largest.shape, root / (1 + root)), np.ones(largest.shape)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        step = unit * middle[..., None]
        beyond = (counts * (step / np.maximum(1 - step, 1e-300)) ** 2).sum(-1) > rows
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return np.asarray(low / largest)


def _where_one(rows: int, v: Floats, weights: Floats, end: Floats) -> Floats:
    """Where D(y) = 1, by halving between bounds that hold with the largest v, and with none."""
    with np.errstate(divide="ignore"):
        unit = np.maximum(weights.sum(-1), _LEAST) / rows
    low, high = 1 / (unit + v.max(-1)), np.minimum(1 / unit, end)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = _height(middle, v, weights) > rows
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return low
