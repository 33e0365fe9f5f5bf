"""Levels that leave one place and come to another at a given time."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from .._capacity import require_memory
from .._checks import positive, reals, settle, shown, whole
from .._types import ArrayLike, Floats
from ..ensembles import GaussianEnsemble
from ..ensembles.entries import Matrices
from ..errors import require
from ._dataset import check_ensemble, labelled


@dataclass(frozen=True)
class MatrixBridge:
    r"""Dyson Brownian motion, free of any potential, that comes to given levels at a given time.

    $dx_i = \beta g^2 \sum_j dt/(x_i - x_j) + \sqrt 2\, g\, dB_i$, conditioned on its levels at the
    end; for beta = 2 these are Brownian motions conditioned never to meet, from point to point the
    *watermelon* (P. J. Forrester, S. N. Majumdar and G. Schehr, Nucl. Phys. B 844, 500 (2011)). It
    is drawn as a bridge of matrices, exactly, however few times there are. That is the bridge of
    the levels where they start or end at one point c: c times the identity is the same in every
    basis. At time t from zero to zero the levels are those of `GaussianEnsemble(n, beta, sigma)`,
    $\sigma^2 = 2 g^2 t (T - t)/T$.

    Args:
        n: levels.
        beta: 1, 2 or 4.
        noise: g.
        duration: T.

    Examples:
        A watermelon of three paths:

        >>> run = MatrixBridge(3).simulate([0.0, 0.5, 1.0], replicas=2, seed=0)
        >>> bool((run.levels[:, 1].diff("level") < 0).all())
        True
        >>> bool((abs(run.levels[:, ::2]) < 1e-12).all())
        True
    """

    n: int
    beta: int = 2
    noise: float = 1.0
    duration: float = 1.0

    def __post_init__(self) -> None:
        settle(self, n=whole("n", self.n))
        require(
            self.beta in (1, 2, 4),
            f"beta = {shown(self.beta)} must be 1, 2 or 4: bridges of other levels have no matrix.",
        )
        names = ("noise", "duration")
        settle(self, **{name: positive(name, getattr(self, name)) for name in names})

    def simulate(
        self,
        times: ArrayLike,
        *,
        replicas: int,
        seed: int,
        initial_levels: ArrayLike = 0.0,
        final_levels: ArrayLike = 0.0,
    ) -> xr.Dataset:
        """Levels of an ensemble of bridges at the given times.

        Args:
            times: in rising order, from 0 to the duration.
            replicas: how many.
            seed: seed of the ensemble, not negative; replica r of a seed gives the same numbers in
                every ensemble that holds it.
            initial_levels: one point, or levels of shape (n,).
            final_levels: one point, or levels of shape (n,); one of the two is a point.

        Returns:
            A data set with `levels` (replica, time, level), descending, like that of `simulate`.

        Raises:
            InvalidInputError: times that do not rise or lie outside, or levels at both ends, of
                which the basis of one in that of the other is not known.
        """
        moments = np.atleast_1d(reals("times", times))
        require(
            moments.ndim == 1
            and bool((np.diff(moments) > 0).all())
            and bool(moments[0] >= 0 and moments[-1] <= self.duration),
            f"times = {shown(times)} must rise from 0 to at most duration = {self.duration:g}.",
        )
        check_ensemble(replicas, seed)
        start = self._levels_at("initial_levels", initial_levels)
        end = self._levels_at("final_levels", final_levels)
        require(
            bool(np.ptp(start) == 0 or np.ptp(end) == 0),
            f"initial_levels = {shown(initial_levels)} or final_levels = {shown(final_levels)} must"
            " be one point: of two sets of levels the matrices at the ends have an unknown basis to"
            " each other.",
        )
        doubled = 2 if self.beta == 4 else 1
        require_memory(
            8 * len(moments) * (replicas * self.n + 2 * (doubled * self.n) ** 2),
            f"a bridge of {self.n} levels in {replicas} replicas at {len(moments)} times",
        )
        ends = [np.diag(np.tile(levels, doubled)) for levels in (start, end)]
        levels = np.empty((replicas, len(moments), self.n))
        for replica in range(replicas):
            # a stream of its own for each replica, however many others there are
            random = np.random.default_rng([seed, replica])
            path = self._path(random, moments, ends[0], ends[1])
            # levels of quaternions come twice, side by side once sorted
            levels[replica] = np.linalg.eigvalsh(path)[..., ::doubled][..., ::-1]
        settings = {
            "process": type(self).__name__, **asdict(self), "initial_levels": start.tolist(),
            "final_levels": end.tolist(), "seed": int(seed),
        }  # fmt: skip
        return labelled(levels, moments, np.zeros(replicas, bool), settings)

    def _levels_at(self, name: str, given: ArrayLike) -> Floats:
        levels = reals(name, given)
        require(
            levels.shape in ((), (self.n,)),
            f"{name} = {shown(given)} must be one number or {self.n}.",
        )
        return np.sort(np.broadcast_to(levels, (self.n,)))[::-1].copy()

    def _path(
        self, random: np.random.Generator, times: Floats, start: Floats, end: Floats
    ) -> Matrices:
        """Matrices at the times: of what is left of the way each step takes its part."""
        draws = GaussianEnsemble(self.n, self.beta).matrices(len(times), random)
        path, now, before = np.empty_like(draws), start, 0.0
        for k, time in enumerate(times):
            left = self.duration - before
            part = (time - before) / left if left > 0 else 1.0
            # of a bridge: variance 2 g^2 (t - s)(T - t)/(T - s), mean the same share of the way
            width = self.noise * np.sqrt(2 * (time - before) * (1 - part))
            now = now + part * (end - now) + width * draws[k]
            path[k], before = now, time
        return path
