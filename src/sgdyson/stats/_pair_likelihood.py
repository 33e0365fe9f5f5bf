r"""Likelihood of the one-level density of a degenerate pair, $\rho \propto e^{-u^2/2} f(u)/\sigma$.

$f(u) = 2 e^{-u^2/2} + \sqrt{2\pi}\, u\, \mathrm{erf}(u/\sqrt2)$ has the plain derivatives
$f' = \sqrt{2\pi}\, \mathrm{erf}(u/\sqrt2)$ and $f'' = 2 e^{-u^2/2}$, so gradient and Hessian cost
one exponential and one error function a sample. $\ln\rho$ is concave in u, hence the likelihood in
$(\tau, \eta) = (1/\sigma, c/\sigma)$, where $u = \tau x - \eta$: it has one maximum, and Newton's
method finds it. For beta = 2, 4 $f = u^2 + 1$ and $u^4 + 6 u^2 + 3$: the density has two humps and
its likelihood may have further maxima, far from the moments, where the search begins.
"""

import numpy as np
from scipy.special import erf

from .._types import Floats
from ..errors import require

_STEPS = 50
_TOLERANCE = 1e-10  # of a Newton step, relative to tau
_LONGEST = 0.5


def maximise(x: Floats, beta: int = 1) -> tuple[float, float, Floats]:
    """Maximum of the likelihood, from the moments by Newton steps.

    They are c and the variance (1 + beta/2) width^2.

    Args:
        x: (sample,), all levels of all pairs.
        beta: 1, 2 or 4.

    Returns:
        Centre, width, and (2, sample) influence functions of both.

    Raises:
        InvalidInputError: samples so odd that 50 steps do not get there.
    """
    mean, scale = float(np.mean(x)), float(np.std(x)) / np.sqrt(1 + beta / 2)
    standard = (x - mean) / scale  # of order one, so that units do not matter below
    tau, eta = 1.0, 0.0
    for _ in range(_STEPS):
        score, information = _derivatives(standard, tau, eta, beta)
        step = np.linalg.solve(information, score.mean(axis=1))
        length = float(np.max(np.abs(step))) / tau
        # from afar a whole step may take tau below zero
        step = step * min(1.0, _LONGEST / max(length, _TOLERANCE))
        tau, eta = tau + float(step[0]), eta + float(step[1])
        if length < _TOLERANCE:
            d_tau, d_eta = np.linalg.solve(information, score)
            # c = eta/tau and sigma = 1/tau, differentiated
            influence = np.stack([d_eta - eta / tau * d_tau, -d_tau / tau]) / tau
            return mean + scale * eta / tau, scale / tau, scale * influence
    require(
        False,
        f"The likelihood of a pair density has no maximum within {_STEPS} Newton steps of the"
        f" moments of x, mean {mean:.4g} and standard deviation {np.std(x):.3g}.",
    )
    raise AssertionError  # the line above has raised


def _derivatives(x: Floats, tau: float, eta: float, beta: int) -> tuple[Floats, Floats]:
    """Scores by (tau, eta), (2, sample), and the observed information (2, 2) per sample."""
    u = tau * x - eta
    f, slope, bend = _factor(u, beta)
    ratio = slope / f
    first = ratio - u  # derivative of ln rho by u
    second = bend / f - ratio * ratio - 1.0
    mixed = float(np.mean(second * x))
    information = -np.array(
        [[np.mean(second * x * x) - tau**-2, -mixed], [-mixed, np.mean(second)]]
    )
    return np.stack([first * x + 1.0 / tau, -first]), information


def _factor(u: Floats, beta: int) -> tuple[Floats, Floats, Floats]:
    """F and its first two derivatives."""
    if beta == 2:
        return u * u + 1.0, 2.0 * u, np.full_like(u, 2.0)
    if beta == 4:
        square = u * u
        return square * square + 6 * square + 3, 4 * u * (square + 3), 12 * (square + 1)
    bell = 2.0 * np.exp(-0.5 * u * u)
    slope = np.sqrt(2 * np.pi) * erf(u / np.sqrt(2))
    return bell + u * slope, slope, bell
