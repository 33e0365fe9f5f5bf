"""Optimisers that divide by the size of the gradient: linear, with gains of the noise."""

import numpy as np
from scipy import integrate

from ._linear import Linear, unit_variance
from ._optimizers import Adam, RMSProp


def normalised_variance(
    optimizer: RMSProp | Adam, alpha: float, h: np.ndarray, q: np.ndarray
) -> np.ndarray:
    """The gradient's mean square holds the weight's own fluctuation: a fixed point, iterated."""
    if isinstance(optimizer, RMSProp):
        linear, (drift_gain, noise_gain) = _averaging(alpha, 0.0), _gains(optimizer.decay)
    else:
        linear, (drift_gain, noise_gain) = _averaging(alpha, optimizer.b1), (1.0, 1.0)
    variance = np.zeros(h.shape)
    for _ in range(200):
        square = np.where(q > 0, q + h**2 * variance, 1.0)
        # of the gradient over sqrt(v): curvature h/sqrt(v), and noise of variance q/v
        unit = unit_variance(*linear, drift_gain * h / np.sqrt(square))
        previous, variance = variance, np.where(q > 0, unit * noise_gain * q / square, 0.0)
        if np.allclose(variance, previous, rtol=1e-12, atol=0):
            break
    return variance


def _gains(decay: float) -> tuple[float, float]:
    r"""$\langle n^2/\sqrt v \rangle$ and $\langle n^2/v \rangle$ of unit noise, v its mean square.

    $v = \sum_k a_k n_k^2$, $a_k = (1-b) b^k$, n_0 being the n above: with $v^{-p} = \int t^{p-1}
    e^{-t v} dt/\Gamma(p)$ each is an integral of $(1 + 2 t a_0)^{-1} \prod_k (1 + 2 t a_k)^{-1/2}$.
    """
    # 40,000 terms at b = 0.999: what they leave out is b^terms = exp(-40), below rounding
    terms = max(int(np.ceil(-40 / np.log(decay))), 1) if decay > 0 else 1
    weights = (1 - decay) * decay ** np.arange(terms)

    def law(t: float) -> float:
        return float(np.exp(-0.5 * np.log1p(2 * t * weights).sum()) / (1 + 2 * t * weights[0]))

    # t = x^2 takes the root singularity of p = 1/2 away
    half = integrate.quad(lambda x: 2 * law(x**2), 0, np.inf)[0] / np.sqrt(np.pi)
    return half, integrate.quad(law, 0, np.inf)[0]


def _averaging(alpha: float, b1: float) -> Linear:
    """F and G of m' = b1 m + (1 - b1) g, w' = w - alpha m'."""
    drift = np.array([[1.0, -alpha * b1], [0.0, b1]])
    return drift, np.array([-alpha * (1 - b1), 1 - b1])
