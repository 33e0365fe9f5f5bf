r"""Three ways to draw the model average C_B of a Gaussian RBM, one interface.

With $A = W^T W/\mu^2$, a Gibbs sweep of one chain is $\varphi' = A \varphi + $ noise, and k sweeps
are $\varphi' = A^k \varphi + L z$, $L L^T = \mu^{-2} \sum_{j<2k} A^j$: both hidden and visible
noise summed up. Only $\sum \varphi \varphi^\dagger$ over the |B| chains enters an update. Numbers
are real, complex or quaternions, noise of $\langle |z|^2 \rangle = 1$ in each.
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ..errors import require
from ._bartlett import wishart_factor
from ._numbers import Numbers, dagger

Matrix = Array  # visible x visible, twice that of quaternions
Factor = Array  # visible x width


class Sampler(eqx.Module):
    """Draws the mini-batch average C_B = (1/|B|) sum phi phi^T; remembers its chains.

    Attributes:
        numbers: of fields and weights.
    """

    numbers: Numbers = eqx.field(static=True)

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
        return self.numbers.lift(jnp.ones((visible, int(batch_size))))

    def average(
        self, key: PRNGKeyArray, weights: Array, mass: float, memory: Factor, batch_size: float
    ) -> tuple[Matrix, Factor]:
        draw, copies = self.numbers.normals, self.numbers.copies
        visible, chains = (size // copies for size in memory.shape)
        phi = memory
        for sweep_key in jax.random.split(key, self.sweeps):
            to_hidden, to_visible = jax.random.split(sweep_key)
            hidden = weights @ phi + draw(to_hidden, (weights.shape[0] // copies, chains))
            phi = (dagger(weights) @ hidden) / mass**2 + draw(to_visible, (visible, chains)) / mass
        return phi @ dagger(phi) / chains, phi


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
            return self.numbers.lift(jnp.ones((visible, int(batch_size))))
        # an infinite batch is one of unit weight: F F^T is the average itself
        weight = 1.0 if batch_size == jnp.inf else batch_size
        return self.numbers.lift(jnp.zeros((visible, visible)).at[:, 0].set(jnp.sqrt(weight)))

    def average(
        self, key: PRNGKeyArray, weights: Array, mass: float, memory: Factor, batch_size: float
    ) -> tuple[Matrix, Factor]:
        numbers = self.numbers
        power, noise = _sweeps_at_once(numbers, weights, mass, self.sweeps)
        moved = power @ memory
        if batch_size == jnp.inf:
            average = moved @ dagger(moved) + noise @ dagger(noise)
            return average, numbers.cholesky(average)
        visible, width = (size // numbers.copies for size in memory.shape)
        along_key, across_key = jax.random.split(key)
        moved = moved + noise @ numbers.normals(along_key, (visible, width))
        total = moved @ dagger(moved)
        if batch_size == width:
            return total / batch_size, moved
        rest = int(batch_size) - width
        across = noise @ wishart_factor(across_key, visible, rest, numbers.beta)
        total = total + across @ dagger(across)
        # any root serves as the memory: two of them differ by a rotation of the chains
        return total / batch_size, numbers.cholesky(total)


class IndependentSampler(Sampler):
    r"""Fresh samples of the model at every update: $C_B \sim$ Wishart$(K^{-1}, |B|)/|B|$."""

    def start(self, visible: int, batch_size: float) -> Factor:
        return self.numbers.lift(jnp.zeros((visible, 0)))

    def average(
        self, key: PRNGKeyArray, weights: Array, mass: float, memory: Factor, batch_size: float
    ) -> tuple[Matrix, Factor]:
        numbers = self.numbers
        visible = weights.shape[1] // numbers.copies
        kernel = mass**2 * numbers.eye(visible) - dagger(weights) @ weights
        root = numbers.cholesky(kernel)
        if batch_size == jnp.inf:
            inverse = _solved(numbers, root, numbers.eye(visible), adjoint=False)
            return dagger(inverse) @ inverse, memory
        factor = wishart_factor(key, visible, int(batch_size), numbers.beta)
        # K = L L^dagger: L^-dagger z has the covariance K^-1
        phi = _solved(numbers, root, factor, adjoint=True)
        return phi @ dagger(phi) / batch_size, memory


def _solved(numbers: Numbers, root: Matrix, right: Array, *, adjoint: bool) -> Array:
    """The root of `Numbers.cholesky`, or its adjoint, inverted on the right side.

    Of quaternions it is triangular only with the two rows of each side by side.
    """
    if numbers.beta == 4:
        return jnp.linalg.solve(dagger(root) if adjoint else root, right)
    transposed = (2 if numbers.beta == 2 else 1) if adjoint else 0
    return jax.scipy.linalg.solve_triangular(root, right, lower=True, trans=transposed)


def _sweeps_at_once(
    numbers: Numbers, weights: Array, mass: float, sweeps: int
) -> tuple[Matrix, Matrix]:
    r"""$A^k$ and the Cholesky factor of $\mu^{-2} \sum_{j<2k} A^j$."""
    contraction = dagger(weights) @ weights / mass**2
    power = contraction
    # sum of A^j, j < 2, then j < 3 ... k
    series = numbers.eye(len(contraction) // numbers.copies) + contraction
    if sweeps == 1:
        return power, numbers.cholesky(series) / mass
    for _ in range(sweeps - 2):
        power = power @ contraction
        series = series + power
    power = power @ contraction
    # j < k, and the same times A^k; Cholesky reads the lower triangle of what rounding left
    covariance = series + series @ power
    return power, numbers.cholesky(covariance) / mass


def data_factor(numbers: Numbers, key: PRNGKeyArray, root: Matrix, batch_size: float) -> Factor:
    r"""A matrix F with $F F^\dagger$ in law the sum over |B| samples of covariance $L L^\dagger$.

    Of an infinite batch it is the average itself.
    """
    if batch_size == jnp.inf:
        return root
    n = root.shape[0] // numbers.copies
    return root @ wishart_factor(key, n, int(batch_size), numbers.beta)


SAMPLERS = ("collapsed", "gibbs", "independent")


def make_sampler(name: str, sweeps: int, beta: int = 1) -> Sampler:
    """The sampler of this name."""
    if name == "independent":
        return IndependentSampler(Numbers(beta))
    kind = GibbsSampler if name == "gibbs" else CollapsedSampler
    return kind(Numbers(beta), sweeps)
