r"""Second moments that mini-batches couple, $v_c' = \delta_c v_c + \kappa \lambda_c L$.

$L = f(t) + \sum_c n_c \lambda_c v_c$ is the mean square that a mini-batch sees, of which every
class c of directions, $n_c$ of curvature $\lambda_c$, gets its share; $\kappa = \alpha^2/|B|$.
"""

import numpy as np

from .._types import Floats

_AT_ONCE = 1 << 22  # numbers held at a time


class Scatter:
    """The response of the moments to a forcing f that is a sum of powers, in closed form.

    Args:
        decay: delta_c, (class,), not negative.
        curvature: lambda_c, not negative.
        counts: n_c, positive.
        kick: kappa.
    """

    def __init__(self, decay: Floats, curvature: Floats, counts: Floats, kick: float) -> None:
        self._root = np.sqrt(counts)
        source = kick * curvature * self._root
        # similar to the matrix of the recursion by the roots of n: symmetric
        coupled = np.diag(decay) + source[:, None] * (curvature * self._root)
        self._powers, self._basis = np.linalg.eigh(coupled)
        self._source = self._basis.T @ source

    @property
    def growth(self) -> float:
        """Factor per update of the slowest combination; they grow if it is above 1."""
        return float(self._powers[-1])

    def response(self, times: Floats, rates: Floats, amplitudes: Floats) -> Floats:
        r"""v_c, which begin as 0, under $f = \sum_k A_k \rho_k^t$.

        Args:
            times: (time,).
            rates: rho_k, (k,), not negative.
            amplitudes: A_k, (forcing, k).

        Returns:
            Of shape (time, forcing, class).
        """
        shape = (len(times), len(amplitudes), len(self._powers))
        if not (self._source.any() and amplitudes.any()):
            return np.zeros(shape)
        out = np.empty(shape)
        size = max(_AT_ONCE // (shape[2] * len(rates)), 1)
        for start in range(0, len(times), size):
            part = slice(start, start + size)
            sums = _geometric(times[part, None, None], self._powers[:, None], rates)
            out[part] = np.einsum("tik,ak->tai", sums, amplitudes)
        return np.asarray((out * self._source) @ self._basis.T / self._root)


def _geometric(times: Floats, a: Floats, b: Floats) -> Floats:
    """(a^t - b^t)/(a - b), the sum of a^(t-1-s) b^s: right also where a is near b."""
    high = np.maximum(np.maximum(a, b), 1e-300)
    ratio = np.log(np.maximum(np.minimum(a, b), 1e-300) / high)
    with np.errstate(invalid="ignore", over="ignore"):
        # a^t - b^t over a - b: each is a difference of nearly equal numbers where a is near b
        summed = np.expm1(times * ratio) / np.expm1(ratio)
    # of no update 0, whatever is divided by a small a
    return np.where(times == 0, 0.0, high ** (times - 1) * np.where(ratio == 0, times, summed))
