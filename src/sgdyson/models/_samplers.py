r"""Three ways to draw the model average C_B of a Gaussian RBM, one interface.

With $A = W^T W/\mu^2$, a Gibbs sweep of one chain is $\varphi' = A \varphi + $ noise, and k sweeps
are $\varphi' = A^k \varphi + L z$, $L L^T = \mu^{-2} \sum_{j<2k} A^j$: both hidden and visible
noise summed up. Only $\sum \varphi \varphi^T$ over the |B| chains enters an update.
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .._normals import normals
from ..errors import require
from ._bartlett import wishart_factor

Matrix = Float[Array, "visible visible"]
Factor = Float[Array, "visible width"]


class Sampler(eqx.Module):
    """Draws the mini-batch average C_B = (1/|B|) sum phi phi^T; remembers its chains."""

    @abstractmethod
    def start(self, visible: int, batch_size: float) -> Factor:
        """The memory of |B| chains that all start at phi = 1."""

    @abstractmethod
    def average(
        self, key: PRNGKeyArray, weights: Array, mass: float, memory: Factor, batch_size: float
    ) -> tuple[Matrix, Factor]:
        """C_B after the next update's sweeps, and the memory for the one after it.

        Args:
            key: random key of this update.
            weights: W, shape (hidden, visible).
            mass: mu, the RBM's own mass.
            memory: of this replica.
            batch_size: |B|, or infinity for the average over infinitely many chains.
        """


class GibbsSampler(Sampler):
    """The chains themselves, sweep by sweep, as in the paper: the reference."""

    sweeps: int = eqx.field(static=True)

    def start(self, visible: int, batch_size: float) -> Factor:
        require(
            batch_size != jnp.inf,
            'batch_size = inf is more chains than "gibbs" can follow; take sampler = "collapsed".',
        )
        return jnp.ones((visible, int(batch_size)))

    def average(
        self, key: PRNGKeyArray, weights: Array, mass: float, memory: Factor, batch_size: float
    ) -> tuple[Matrix, Factor]:
        visible, chains = memory.shape
        phi = memory
        for sweep_key in jax.random.split(key, self.sweeps):
            to_hidden, to_visible = jax.random.split(sweep_key)
            hidden = weights @ phi + normals(to_hidden, (weights.shape[0], chains))
            phi = (weights.T @ hidden) / mass**2 + normals(to_visible, (visible, chains)) / mass
        return phi @ phi.T / chains, phi


class CollapsedSampler(Sampler):
    r"""The same chain, exact in law, at a cost free of k and of |B|.

    Let $\sum \varphi \varphi^T = F F^T$ with F of N columns. Rotating the chains among themselves
    so that they are F followed by zeros changes no law, and the next sum is
    $(A^k F + L Z)(A^k F + L Z)^T + L\,T T^T L^T$: Z an N x N normal matrix, $T T^T$ a Wishart
    matrix with |B| - N degrees of freedom, the part of the noise orthogonal to F's rows. As long
    as |B| <= 2N the chains themselves are as small, and are kept as they are.
    """

    sweeps: int = eqx.field(static=True)

    def start(self, visible: int, batch_size: float) -> Factor:
        if batch_size <= 2 * visible:
            return jnp.ones((visible, int(batch_size)))
        # an infinite batch is one of unit weight: F F^T is the average itself
        weight = 1.0 if batch_size == jnp.inf else batch_size
        return jnp.zeros((visible, visible)).at[:, 0].set(jnp.sqrt(weight))

    def average(
        self, key: PRNGKeyArray, weights: Array, mass: float, memory: Factor, batch_size: float
    ) -> tuple[Matrix, Factor]:
        power, noise = _sweeps_at_once(weights, mass, self.sweeps)
        moved = power @ memory
        if batch_size == jnp.inf:
            average = moved @ moved.T + noise @ noise.T
            return average, jnp.linalg.cholesky(average, symmetrize_input=False)
        visible, width = memory.shape
        along_key, across_key = jax.random.split(key)
        moved = moved + noise @ normals(along_key, (visible, width))
        total = moved @ moved.T
        if batch_size == width:
            return total / batch_size, moved
        across = noise @ wishart_factor(across_key, visible, int(batch_size) - width)
        total = total + across @ across.T
        return total / batch_size, jnp.linalg.cholesky(total, symmetrize_input=False)


class IndependentSampler(Sampler):
    r"""Fresh samples of the model at every update: $C_B \sim$ Wishart$(K^{-1}, |B|)/|B|$."""

    def start(self, visible: int, batch_size: float) -> Factor:
        return jnp.zeros((visible, 0))

    def average(
        self, key: PRNGKeyArray, weights: Array, mass: float, memory: Factor, batch_size: float
    ) -> tuple[Matrix, Factor]:
        visible = weights.shape[1]
        kernel = mass**2 * jnp.eye(visible) - weights.T @ weights
        root = jnp.linalg.cholesky(kernel, symmetrize_input=False)
        if batch_size == jnp.inf:
            inverse = jax.scipy.linalg.solve_triangular(root, jnp.eye(visible), lower=True)
            return inverse.T @ inverse, memory
        factor = wishart_factor(key, visible, int(batch_size))
        phi = jax.scipy.linalg.solve_triangular(root, factor, lower=True, trans=1)
        return phi @ phi.T / batch_size, memory


def _sweeps_at_once(weights: Array, mass: float, sweeps: int) -> tuple[Matrix, Matrix]:
    r"""$A^k$ and the Cholesky factor of $\mu^{-2} \sum_{j<2k} A^j$."""
    contraction = weights.T @ weights / mass**2
    power = contraction
    series = jnp.eye(len(contraction)) + contraction  # sum of A^j, j < 2, then j < 3 ... k
    if sweeps == 1:
        return power, jnp.linalg.cholesky(series, symmetrize_input=False) / mass
    for _ in range(sweeps - 2):
        power = power @ contraction
        series = series + power
    power = power @ contraction
    covariance = series + series @ power
    return power, jnp.linalg.cholesky(covariance, symmetrize_input=False) / mass


SAMPLERS = ("collapsed", "gibbs", "independent")


def make_sampler(name: str, sweeps: int) -> Sampler:
    """The sampler of this name."""
    if name == "gibbs":
        return GibbsSampler(sweeps)
    return CollapsedSampler(sweeps) if name == "collapsed" else IndependentSampler()
