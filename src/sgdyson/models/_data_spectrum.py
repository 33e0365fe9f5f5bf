r"""Eigenvalues of the second moment of D inputs, and where inputs of one variance lie among them.

$C = \frac1D \sum_i x_i x_i^T$, $n_b$ inputs of variance $s_b$. With the transform m of the D x D
matrix of products, $z = -1/m + \frac1D \sum_b n_b s_b/(1 + s_b m)$ (J. W. Silverstein and
S.-I. Choi, J. Multivar. Anal. 54, 295 (1995)), an input of variance s has the measure of density
$\mathrm{Im}[-1/(\lambda(1 + s m))]/\pi$ among the eigenvectors of C.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from .._types import Floats
from ..errors import require

_NODES = 160  # in all, on which functions of C are summed


@dataclass(frozen=True)
class DataSpectrum:
    """Measures as sums over nodes, exact for functions that are smooth across the bulk.

    Attributes:
        eigenvalues: of C, (node,).
        measures: mass at each of these of an input of each variance, (variance, node); adds to 1.
    """

    eigenvalues: Floats
    measures: Floats


def data_spectrum(variances: Floats, counts: Floats, samples: int) -> DataSpectrum:
    """Spectrum of the covariance of D inputs, to leading order in 1/D.

    Args:
        variances: s_b, positive and different, (variance,).
        counts: n_b, (variance,).
        samples: D.

    Raises:
        InvalidInputError: as many samples as inputs, whose spectrum begins at zero with a density
            that has no bound.
    """
    total = float(counts.sum())
    require(
        samples != total,
        f"samples = {samples} are as many as inputs: the spectrum of the data begins at zero, and"
        " label noise that is fitted has no bound; take more or fewer.",
    )
    share = counts / samples
    edges = _edges(variances, share)
    nodes, weights = _quadrature(edges)
    m = np.array([_transform(node, variances, share) for node in nodes])
    density = np.imag(-1 / (nodes * (1 + variances[:, None] * m))) / np.pi
    # imag(-1/(lambda (1 + s m)))/pi is the density of an input of variance s at lambda
    measures = density * weights
    if samples < total:  # directions without data
        empty = 1 / (1 + variances * _at_zero(variances, share))
        nodes, measures = np.append(nodes, 0.0), np.column_stack([measures, empty])
    # the quadrature's own error taken out: a constant is summed exactly
    return DataSpectrum(nodes, measures / measures.sum(1, keepdims=True))


def _edges(s: Floats, share: Floats) -> Floats:
    """Ends of the intervals where C has eigenvalues: where z(m) is stationary, ascending."""
    # z'(m) = 1/m^2 - sum share s^2/(1 + s m)^2 = 0, times m^2 and all denominators
    squares = [np.array([value**2, 2 * value, 1.0]) for value in s]  # (1 + s m)^2
    terms = share * s**2
    roots = np.roots(np.polysub(_product(squares), _missing_one(squares, [*terms], 2)))
    # roots of a companion matrix: real ones come with a rounding in the imaginary part
    real = np.real(roots[np.abs(roots.imag) < 1e-9 * np.abs(roots)])
    z = -1 / real + (share * s / (1 + s * real[:, None])).sum(1)
    return np.sort(z)


def _quadrature(edges: Floats) -> tuple[Floats, Floats]:
    """Nodes and weights for densities that vanish like a root at both ends of each interval.

    Chebyshev's of the second kind in the root of the eigenvalue: where a spectrum begins near zero
    all that is fitted late, 1/lambda, is decided within its first hundredth.
    """
    pairs = np.sqrt(np.maximum(edges, 0.0)).reshape(-1, 2)
    each = _NODES // len(pairs)
    angle = np.pi * np.arange(1, each + 1) / (each + 1)
    middle, half = pairs.mean(1)[:, None], np.diff(pairs, axis=1) / 2
    root, step = middle + half * np.cos(angle), half * np.sin(angle) * np.pi / (each + 1)
    return (root**2).ravel(), (2 * root * step).ravel()


def _transform(z: float, s: Floats, share: Floats) -> complex:
    """M at z + i0: the root of its polynomial in the upper half plane."""
    # z = -1/m + sum share s/(1 + s m) times m and all denominators
    factors = [np.array([value, 1.0]) for value in s]  # 1 + s m
    whole = np.polymul(np.array([z, 1.0]), _product(factors))
    roots = np.roots(np.polysub(whole, _missing_one(factors, [*(share * s)], 1)))
    return complex(roots[np.argmax(roots.imag)])


def _product(factors: Iterable[Floats]) -> Floats:
    """Product of polynomials in m."""
    whole: Floats = np.ones(1)
    for factor in factors:
        whole = np.asarray(np.polymul(whole, factor))
    return whole


def _missing_one(factors: list[Floats], terms: list[float], power: int) -> Floats:
    """Sum over b of term_b m^power times all factors but the b-th."""
    total: Floats = np.zeros(1)
    for b, term in enumerate(terms):
        others = _product(factors[:b] + factors[b + 1 :])
        total = np.asarray(np.polyadd(total, np.pad(term * others, (0, power))))
    return total


def _at_zero(s: Floats, share: Floats) -> float:
    """M at 0 of fewer samples than inputs: sum of n s m/(1 + s m) = D."""

    def missing(log: float) -> float:
        m = float(np.exp(log))
        return float((share * s * m / (1 + s * m)).sum() - 1)

    # in ln m, which any scale of the variances may shift by decades
    return float(np.exp(brentq(missing, -60.0, 60.0)))
