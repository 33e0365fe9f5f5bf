"""What random matrix theory says of large spectra, beta = 0 standing for independent levels."""

import numpy as np
from scipy import special

from .._types import ArrayLike, Floats
from ..errors import require

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def two_level_cluster(r: ArrayLike, beta: int) -> Floats:
    r"""$Y_2(r)$, one minus the density of pairs at a distance of r mean spacings.

    With $s = \sin \pi r/\pi r$: $s^2$ (beta = 2), $s^2 + s' \int_r^\infty s$ (1),
    $s(2r)^2 - s'(2r) \int_0^{2r} s$ (4), 0 (independent levels); M. L. Mehta, Random Matrices,
    3rd ed. (2004), eqs. (6.2.9), (7.2.23) and (8.2.6).
    """
    x = np.abs(np.asarray(r, dtype=float)) * (2 if beta == 4 else 1)
    require(beta in (0, 1, 2, 4), f"beta = {beta!r} must be 0, 1, 2 or 4.")
    if beta == 0:
        return np.zeros_like(x)
    s = np.sinc(x)
    if beta == 2:
        return np.asarray(s**2)
    # cos - sinc is -(pi x)^2/3 here: below 1e-8 it is rounding, which over x is 1e-8 at most above
    safe = np.where(x > 1e-8, x, 1.0)
    slope = np.where(x > 1e-8, (np.cos(np.pi * safe) - np.sinc(safe)) / safe, 0.0)
    below = special.sici(np.pi * x)[0] / np.pi
    return np.asarray(s**2 + slope * (0.5 - below) if beta == 1 else s**2 - slope * below)


def number_variance_theory(lengths: ArrayLike, beta: int) -> Floats:
    r"""$\Sigma^2(L) = L - 2 \int_0^L (L - r) Y_2(r)\, dr$, exact, shape of `lengths`.

    Examples:
        Of the unitary ensemble it grows as [ln(2 pi L) + gamma + 1]/pi^2:

        >>> import numpy as np
        >>> slow = (np.log(20 * np.pi) + np.euler_gamma + 1) / np.pi**2
        >>> bool(abs(number_variance_theory([10.0], 2)[0] - slow) < 1e-4)
        True
    """
    asked = _lengths(lengths)
    return np.array([_variance(length, beta) for length in asked.ravel()]).reshape(asked.shape)


def rigidity_theory(lengths: ArrayLike, beta: int) -> Floats:
    r"""$\Delta_3(L)$, exact.

    $\tfrac{2}{L^4} \int_0^L (L^3 - 2 L^2 r + r^3)\, \Sigma^2(r)\, dr$, shape of `lengths`.
    """

    def one(length: float) -> float:
        r, weights = _panels(length)
        kernel = length**3 - 2 * length**2 * r + r**3
        return float(2 / length**4 * np.sum(weights * kernel * number_variance_theory(r, beta)))

    asked = _lengths(lengths)
    return np.array([one(length) for length in asked.ravel()]).reshape(asked.shape)


def form_factor_theory(times: ArrayLike, beta: int) -> Floats:
    r"""$K(\tau) = 1 - \int Y_2(r) e^{2 \pi i \tau r} dr$ (T. Guhr et al., Phys. Rep. 299, 189).

    Shape of `times`, which are in units of the Heisenberg time.
    """
    require(beta in (0, 1, 2, 4), f"beta = {beta!r} must be 0, 1, 2 or 4.")
    tau = np.abs(np.asarray(times, dtype=float))
    if beta == 0:
        return np.ones_like(tau)
    if beta == 2:
        return np.minimum(tau, 1.0)
    if beta == 1:
        late = np.maximum(tau, 1.0)
        early = 2 * tau - tau * np.log1p(2 * tau)
        return np.where(tau <= 1, early, 2 - late * np.log((2 * late + 1) / (2 * late - 1)))
    with np.errstate(divide="ignore"):  # at tau = 1 it is infinite, as the logarithm
        early = tau / 2 - tau / 4 * np.log(np.abs(1 - tau))
    return np.where(tau < 2, early, 1.0)


def _lengths(lengths: ArrayLike) -> Floats:
    asked = np.asarray(lengths, dtype=float)
    require(
        bool((np.isfinite(asked) & (asked > 0)).all()),
        f"lengths = {lengths!r} must be positive numbers.",
    )
    return asked


def _variance(length: float, beta: int) -> float:
    r, weights = _panels(length)
    return float(length - 2 * np.sum(weights * (length - r) * two_level_cluster(r, beta)))


def _panels(length: float) -> tuple[Floats, Floats]:
    """Quadrature that resolves oscillations of period one."""
    # Y_2 turns over once a spacing: 16 nodes a half of one leave nothing but rounding
    count = int(np.ceil(2 * length))
    edges = np.linspace(0, length, count + 1)
    half = length / count / 2
    return (edges[:-1, None] + half * (1 + _NODES)).ravel(), np.tile(half * _WEIGHTS, count)
