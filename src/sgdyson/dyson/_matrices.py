"""Ornstein-Uhlenbeck processes of matrices, exact for any step of time."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from .._capacity import require_memory
from .._checks import positive, settle, whole
from .._types import ArrayLike
from ..ensembles import GaussianEnsemble
from ..ensembles.entries import check_dense, complex_form, normal_entries
from ..errors import require
from ._dataset import check_ensemble, descending, labelled


class _OrnsteinUhlenbeck(ABC):
    n: int
    beta: int
    friction: float

    def simulate(
        self,
        times: ArrayLike,
        *,
        replicas: int,
        seed: int,
        initial_levels: ArrayLike | None = None,
    ) -> xr.Dataset:
        """Levels of an ensemble of matrices at the given times.

        Between two times the matrix is M' = c M + sqrt(1 - c^2) N, c = exp(-friction dt), N a
        stationary draw: exact, however far apart they are. Replica r of a seed gives the same
        numbers in every ensemble that holds it.

        Args:
            times: in rising order, the first of them that of the start.
            replicas: how many.
            seed: seed of the ensemble, not negative.
            initial_levels: of every replica, shape (n,); a stationary draw by default.

        Returns:
            A data set with `levels` (replica, time, level), descending, like that of `simulate`.

        Raises:
            InvalidInputError: times that do not rise, initial levels of another shape.
        """
        moments = np.atleast_1d(np.asarray(times, dtype=float))
        require(
            moments.ndim == 1 and bool(np.isfinite(moments).all() and (np.diff(moments) > 0).all()),
            f"times = {times!r} must be finite numbers in rising order.",
        )
        check_ensemble(replicas, seed)
        start = (
            None if initial_levels is None else self._aligned(descending(initial_levels, self.n))
        )
        require_memory(
            8 * len(moments) * (replicas * self.n + 2 * self._entries * self.beta),
            f"a process of {self.n} levels in {replicas} replicas at {len(moments)} times",
        )
        decay = np.exp(-self.friction * np.diff(moments))
        levels = np.empty((replicas, len(moments), self.n))
        for replica in range(replicas):
            # a stream of its own for each replica: more of them leave these as they are
            random = np.random.default_rng([seed, replica])
            levels[replica] = self._levels(self._path(random, decay, start))[..., ::-1]
        settings = {"process": type(self).__name__, **asdict(self), "seed": int(seed)}  # type: ignore[call-overload]
        return labelled(levels, moments, np.zeros(replicas, bool), settings)

    def _path(
        self, random: np.random.Generator, decay: np.ndarray, start: np.ndarray | None
    ) -> np.ndarray:
        draws = self._draws(len(decay) + 1, random)
        path = np.empty_like(draws)
        path[0] = draws[0] if start is None else start
        for step, factor in enumerate(decay):
            # the exact law of a step of any length, and no approximation in it
            path[step + 1] = factor * path[step] + np.sqrt(1 - factor**2) * draws[step + 1]
        return path

    @property
    @abstractmethod
    def _entries(self) -> int:
        """Entries of a matrix."""

    @abstractmethod
    def _draws(self, size: int, random: np.random.Generator) -> np.ndarray:
        """Independent stationary matrices."""

    @abstractmethod
    def _aligned(self, levels: np.ndarray) -> np.ndarray:
        """A matrix with these levels."""

    @abstractmethod
    def _levels(self, path: np.ndarray) -> np.ndarray:
        """Ascending levels of each matrix, each once."""


@dataclass(frozen=True)
class MatrixProcess(_OrnsteinUhlenbeck):
    r"""$dM = -\gamma M\, dt + \ldots$ with `GaussianEnsemble(n, beta, width)` as stationary law.

    Its levels obey $dx_i = -\gamma x_i\, dt + \tfrac{\beta}{2} \sum_j 2 g^2 dt/(x_i - x_j) +
    \sqrt 2\, g\, dB_i$ with $g^2 = \gamma \sigma^2$ (F. J. Dyson, J. Math. Phys. 3, 1191 (1962)).

    Args:
        n: levels.
        beta: 1, 2 or 4.
        width: sigma of the stationary levels.
        friction: gamma, per unit of time.

    Examples:
        <sum of x^2> = sigma^2 [n + beta n (n - 1)/2] at every time of a stationary process:

        >>> run = MatrixProcess(2, beta=2, width=0.5).simulate([0.0, 0.3], replicas=4000, seed=0)
        >>> run.levels.dims, run.levels.shape
        (('replica', 'time', 'level'), (4000, 2, 2))
        >>> square = (run.levels**2).sum("level").mean("replica").values
        >>> bool((abs(square / (0.25 * (2 + 2)) - 1) < 0.1).all())
        True
    """

    n: int
    beta: int = 1
    width: float = 1.0
    friction: float = 1.0

    def __post_init__(self) -> None:
        settle(self, n=whole("n", self.n))
        check_dense(self.beta)
        names = ("width", "friction")
        settle(self, **{name: positive(name, getattr(self, name)) for name in names})

    @property
    def _entries(self) -> int:
        return self.n**2

    def _draws(self, size: int, random: np.random.Generator) -> np.ndarray:
        return np.asarray(GaussianEnsemble(self.n, self.beta, self.width).matrices(size, random))

    def _aligned(self, levels: np.ndarray) -> np.ndarray:
        # diagonal, for noise is the same in every basis
        return np.diag(np.tile(levels, 2 if self.beta == 4 else 1))

    def _levels(self, path: np.ndarray) -> np.ndarray:
        # each level of quaternions is there twice (Kramers)
        return np.linalg.eigvalsh(path)[..., :: 2 if self.beta == 4 else 1]


@dataclass(frozen=True)
class WishartProcess(_OrnsteinUhlenbeck):
    r"""Levels of $W^\dagger W$, each entry of the m x n matrix W an Ornstein-Uhlenbeck process.

    $dW = -\gamma W\, dt + \ldots$ with $\langle |w|^2 \rangle = \sigma^2$ when stationary: the
    levels are then those of `WishartEnsemble(n, m, beta)` times $\sigma^2$, and relax at the rate
    2 gamma (M.-F. Bru, J. Theor. Probab. 4, 725 (1991)).

    Args:
        n: levels, columns of W.
        m: rows of W, at least n.
        beta: 1, 2 or 4.
        width: sigma of an entry of W.
        friction: gamma of W, per unit of time.

    Examples:
        <sum of x> = n m sigma^2 at every time of a stationary process:

        >>> run = WishartProcess(2, 3, width=0.5).simulate([0.0, 0.3], replicas=4000, seed=0)
        >>> trace = run.levels.sum("level").mean("replica").values
        >>> bool((abs(trace / (0.25 * 6) - 1) < 0.05).all())
        True
    """

    n: int
    m: int
    beta: int = 1
    width: float = 1.0
    friction: float = 1.0

    def __post_init__(self) -> None:
        settle(self, n=whole("n", self.n), m=whole("m", self.m))
        require(self.m >= self.n, f"m = {self.m} must be at least n = {self.n}.")
        check_dense(self.beta)
        names = ("width", "friction")
        settle(self, **{name: positive(name, getattr(self, name)) for name in names})

    @property
    def _entries(self) -> int:
        return self.m * self.n

    def _draws(self, size: int, random: np.random.Generator) -> np.ndarray:
        entries = normal_entries(random, (size, self.m, self.n), self.beta)
        # <|w|^2> = width^2, which the beta components of an entry share
        return np.asarray(complex_form(*entries) * (self.width / np.sqrt(self.beta)))

    def _aligned(self, levels: np.ndarray) -> np.ndarray:
        require(
            bool((levels >= 0).all()), f"initial_levels down to {levels.min()}: none is negative."
        )
        first = np.zeros((self.m, self.n))
        np.fill_diagonal(first, np.sqrt(levels))
        # real numbers in the complex form of quaternions
        return np.kron(np.eye(2), first) if self.beta == 4 else first

    def _levels(self, path: np.ndarray) -> np.ndarray:
        values = np.linalg.svd(path, compute_uv=False)[..., ::-1] ** 2
        return values[..., :: 2 if self.beta == 4 else 1]
