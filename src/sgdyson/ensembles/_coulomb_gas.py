"""Draws from the Coulomb gas in any potential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from .._checks import reals, settle, whole
from .._types import ArrayLike
from ..errors import NotConvergedError, require
from ._gaussian import GaussianEnsemble
from ._potentials import Laguerre, Quadratic
from ._random import Levels, RandomState, generator, repulsion_of
from ._wishart import laguerre_levels

_LARGEST_R_HAT = 1.01  # A. Vehtari et al., Bayesian Analysis 16, 667 (2021)
_FEWEST_EFFECTIVE = 100.0
_WARMUP = 1000


@dataclass(frozen=True)
class GasSample:
    """Draws, and how far to trust them.

    Attributes:
        levels: ascending, shape (draw, level).
        r_hat: Gelman and Rubin's statistic of each level over the chains; 1 for independent draws.
        effective_size: independent draws worth as much, for the mean of each level.
        exact: whether the draws are independent, and no Markov chain is behind them.
    """

    levels: Levels = field(repr=False)
    r_hat: Float[np.ndarray, level]
    effective_size: Float[np.ndarray, level]
    exact: bool


@dataclass(frozen=True)
class CoulombGas:
    r"""n ordered levels of density $\prod_{i<j} |x_i - x_j|^\beta\, e^{-\sum_i V_i(x_i)}$.

    In the potentials `Quadratic` and `Laguerre`, where all levels share one, draws are exact, by
    tridiagonal matrices. Otherwise they are Markov chains of the No-U-Turn sampler of BlackJAX, in
    the lowest level and the logarithms of the gaps, in which every point is a state in order.

    Args:
        potential: maps ascending levels, shape (n,), to V_i(x_i), in `jax.numpy`; infinite where
            no level may be.
        beta: positive.
        n: levels.
    """

    potential: Callable[[Array], Array]
    beta: float
    n: int

    def __post_init__(self) -> None:
        require(callable(self.potential), f"potential = {self.potential!r} must be a function.")
        settle(self, beta=repulsion_of(self.beta))
        settle(self, n=whole("n", self.n))

    def sample(
        self,
        draws: int,
        random_state: RandomState = None,
        *,
        initial_levels: ArrayLike | None = None,
        chains: int = 4,
    ) -> GasSample:
        """Draw levels.

        Args:
            draws: how many, of all chains together.
            random_state: a seed, a NumPy generator or a JAX key.
            initial_levels: where Markov chains begin, ascending, shape (n,); by default evenly from
                -sqrt(n) to sqrt(n).
            chains: how many Markov chains, at least 2.

        Raises:
            InvalidInputError: a value that breaks one of these rules.
            NotConvergedError: chains that disagree (R-hat above 1.01), or of fewer than 100
                effectively independent draws.
        """
        draws = whole("draws", draws)
        chains = whole("chains", chains, 2)
        random = generator(random_state)
        exact = self._exact(draws, random)
        if exact is not None:
            ones = np.ones(self.n)
            return GasSample(exact, ones, draws * ones, exact=True)
        default = np.sqrt(self.n) * np.linspace(-1, 1, self.n) if self.n > 1 else np.zeros(1)
        start = reals("initial_levels", default if initial_levels is None else initial_levels)
        require(
            start.shape == (self.n,) and bool((np.diff(start) > 0).all()),
            f"initial_levels of shape {start.shape} must be {self.n} ascending numbers.",
        )
        return self._chains(draws, random, start, chains)

    def _exact(self, draws: int, random: np.random.Generator) -> Levels | None:
        potential = self.potential
        if isinstance(potential, Quadratic):
            if np.ndim(potential.width) == 0 and np.ndim(potential.centre) == 0:
                gas = GaussianEnsemble(self.n, self.beta, float(np.asarray(potential.width)))
                return gas.eigenvalues(draws, random) + np.asarray(potential.centre)
        elif isinstance(potential, Laguerre):
            require(
                potential.rate > 0 and potential.exponent > -1,
                f"potential = {potential!r} has no Coulomb gas: its weight can be normalised for"
                " rate > 0 and exponent > -1 alone.",
            )
            # exponent = beta (m - n + 1)/2 - 1 of `WishartEnsemble`, and its weight e^{-beta x/2}
            # scaled
            rows = (potential.exponent + 1) * 2 / self.beta + self.n - 1
            unit = laguerre_levels(self.n, rows, self.beta, draws, random)
            return unit * (self.beta / 2 / potential.rate)
        return None

    def _chains(
        self, draws: int, random: np.random.Generator, start: Levels, chains: int
    ) -> GasSample:
        import jax
        from blackjax.diagnostics import effective_sample_size, potential_scale_reduction

        with jax.enable_x64(True):
            keys = jax.random.split(jax.random.key(int(random.integers(2**63))), chains)
            spread = random.normal(scale=0.1, size=(chains, self.n))  # chains that begin apart
            states = _coordinates(start) + spread
            levels = _nuts(self, keys, states, -(-draws // chains))
            diagnose = jax.jit(lambda x: (potential_scale_reduction(x), effective_sample_size(x)))
            # of shape () for one level
            r_hat, size = (np.asarray(each).reshape(self.n) for each in diagnose(levels))
        worst, fewest = float(r_hat.max()), float(size.min())
        # asked this way round, so that NaN is not taken for convergence
        if not (worst <= _LARGEST_R_HAT and fewest >= _FEWEST_EFFECTIVE):
            raise NotConvergedError(
                f"after {draws} draws R-hat is {worst:.3f} (at most {_LARGEST_R_HAT} is asked for)"
                f" and {fewest:.0f} draws are effectively independent (at least"
                f" {_FEWEST_EFFECTIVE:.0f}); ask for more draws, or begin nearer to the gas with"
                " initial_levels."
            )
        together = np.swapaxes(levels, 0, 1).reshape(-1, self.n)[:draws]
        return GasSample(np.asarray(together), r_hat, size, exact=False)


def _coordinates(levels: Levels) -> Levels:
    """The lowest level, and the logarithms of the gaps."""
    return np.concatenate([levels[:1], np.log(np.diff(levels))])


def _nuts(gas: CoulombGas, keys: Any, states: Levels, steps: int) -> Levels:
    """Levels of shape (chain, step, level)."""
    import blackjax
    import jax
    import jax.numpy as jnp

    above = np.triu_indices(gas.n, 1)

    def levels_of(state: Array) -> Array:
        return state[0] + jnp.concatenate([jnp.zeros(1), jnp.cumsum(jnp.exp(state[1:]))])

    def log_density(state: Array) -> Array:
        levels = levels_of(state)
        gaps = levels[above[1]] - levels[above[0]]
        volume = jnp.sum(state[1:])  # Jacobian of the logarithms of the gaps
        return volume + gas.beta * jnp.sum(jnp.log(gaps)) - jnp.sum(gas.potential(levels))

    def chain(key: Array, state: Array) -> Array:
        adapt, run = jax.random.split(key)
        adaptation = blackjax.window_adaptation(blackjax.nuts, log_density)
        (begin, parameters), _ = adaptation.run(adapt, state, num_steps=_WARMUP)
        step = blackjax.nuts(log_density, **parameters).step

        def one(state: Any, key: Array) -> tuple[Any, Array]:
            state, _ = step(key, state)
            return state, levels_of(state.position)

        return jax.lax.scan(one, begin, jax.random.split(run, steps))[1]

    return np.asarray(jax.jit(jax.vmap(chain))(keys, jnp.asarray(states)))
