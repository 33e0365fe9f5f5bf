r"""Wishart matrices by Bartlett's decomposition, without rejection.

$Z Z^\dagger$ of an n x d normal matrix, d >= n, has the law of $T T^\dagger$: T lower triangular,
normal below the diagonal, $T_{ii} = \chi_{\beta(d-i)}/\sqrt\beta$, i = 0 ... n-1 (Bartlett, Proc.
R. Soc. Edinb. 53, 260 (1933), for beta = 1; rotations of the rows prove it for complex numbers and
quaternions alike, $\langle |z|^2 \rangle = 1$). The chi numbers come from normals z by the monotone
map $F_\nu^{-1}(\Phi(z))$, a smooth function held as a Chebyshev series: one normal a number, no
branch, no loop.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from numpy.polynomial import chebyshev
from scipy import fft, special

from .._normals import normals
from ..errors import InvalidInputError
from ._numbers import Numbers

_REACH = 8.6  # beyond the largest number that `normals` can draw
_PRECISION = 1e-14  # of chi, relative to its largest value


def wishart_factor(key: PRNGKeyArray, n: int, degrees: int, beta: int = 1) -> Array:
    """A matrix T with T T^dagger ~ Wishart(1, degrees).

    Args:
        key: a JAX random key.
        n: rows of numbers.
        degrees: degrees of freedom, at least 1.
        beta: of the numbers.

    Returns:
        Lower triangular (n, n) if degrees >= n, otherwise n x degrees normal numbers.
    """
    if degrees < n:
        return Numbers(beta).normals(key, (n, degrees))
    if beta > 1:
        return _factor_of(Numbers(beta), key, n, degrees)
    rows, columns = np.tril_indices(n)
    z = normals(key, (n * (n + 1) // 2,))
    diagonal = np.flatnonzero(rows == columns)
    chi = chi_of_normal(z[diagonal], tuple(range(degrees, degrees - n, -1)))
    factor: Array = jnp.zeros((n, n)).at[rows, columns].set(z.at[diagonal].set(chi))
    return factor


def _factor_of(numbers: Numbers, key: PRNGKeyArray, n: int, degrees: int) -> Array:
    """Complex or quaternion."""
    below_key, diagonal_key = jax.random.split(key)
    freedom = tuple(numbers.beta * d for d in range(degrees, degrees - n, -1))
    chi = chi_of_normal(normals(diagonal_key, (n,)), freedom) / numbers.beta**0.5
    below = jnp.tile(jnp.tri(n, k=-1, dtype=bool), (numbers.copies, numbers.copies))
    normal = jnp.where(below, numbers.normals(below_key, (n, n)), 0.0)
    return normal + numbers.lift(jnp.diag(chi))


def chi_of_normal(z: Float[Array, "n"], degrees: tuple[int, ...]) -> Float[Array, "n"]:
    """Turn normal numbers into chi ones, the i-th with degrees[i] degrees of freedom."""
    series = _chi_series(degrees)
    x = z / _REACH
    ahead, last = jnp.zeros_like(z), jnp.zeros_like(z)
    for coefficients in series[:0:-1]:  # Clenshaw
        ahead, last = 2.0 * x * ahead - last + coefficients, ahead
    return x * ahead - last + series[0]


@lru_cache
def _chi_series(degrees: tuple[int, ...]) -> Float[np.ndarray, "terms n"]:
    """Chebyshev coefficients of z -> chi on [-_REACH, _REACH], as many terms as all need."""
    for terms in (32, 64, 128, 256, 512):
        nodes = _REACH * chebyshev.chebpts1(terms)
        values = np.stack([_chi_quantile(nodes, d) for d in degrees], axis=1)
        # [::-1]: the transform takes nodes from 1 down to -1, `chebpts1` gives them rising
        series = fft.dct(values[::-1], axis=0) / terms
        # in a cosine transform the constant counts twice
        series[0] /= 2
        size = np.abs(series).max(axis=1) / values.max()
        # four, since a single coefficient may be small by chance
        if size[-4:].max() < _PRECISION:
            return series[: np.flatnonzero(size > _PRECISION / 10)[-1] + 1]
    raise InvalidInputError(
        f"a batch with {degrees[0]} degrees of freedom is beyond the accuracy of the chi law; lower"
        " batch_size to 500000 or less, or take math.inf."
    )


def _chi_quantile(z: Float[np.ndarray, "n"], degrees: int) -> Float[np.ndarray, "n"]:
    """The number with the tail of z under the chi law; each half from its own, exact, tail."""
    tail = special.ndtr(-np.abs(z))
    lower = special.gammaincinv(degrees / 2, tail)
    upper = special.gammainccinv(degrees / 2, tail)
    return np.asarray(np.sqrt(2 * np.where(z < 0, lower, upper)))
