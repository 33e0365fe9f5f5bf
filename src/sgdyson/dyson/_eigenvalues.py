"""The stochastic differential equation of the levels, in any potential."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, PRNGKeyArray

from .._capacity import require_memory
from .._devices import devices
from .._jax_settings import own_settings
from .._progress import progress_bar
from .._threads import cores, one_blas_thread
from .._types import ArrayLike
from ..errors import require
from ._dataset import check_ensemble, descending, labelled
from ._implicit import Potential, implicit_step
from ._potential import check_potential

_ENTRIES = 4096  # of the matrices of levels by levels of all replicas in a block
_LARGEST = 256  # replicas in a block
_MATRICES = 4  # of levels by levels, for each replica, in a Newton step: at least so many


@dataclass(frozen=True)
class EigenvalueProcess:
    r"""$dx_i = [-V_i'(x_i) + \beta \sum_{j \neq i} 1/(x_i - x_j)]\, dt + \sqrt 2\, dB_i$.

    Its stationary law is the Coulomb gas $\prod |x_i - x_j|^\beta e^{-\sum V_i(x_i)}$. Steps are
    implicit in the drift: the order of the levels is kept at every one of them, however long.
    Strong and weak order are one where levels seldom meet; both are measured in the tests.

    Args:
        potential: maps levels, shape (n,), to V_i(x_i), same shape, in `jax.numpy`; see
            `sgdyson.ensembles`. It acts on each level alone, and is finite where levels begin.
            Where it is not convex, steps must be shorter than 1/max(-V''). Nothing says that it
            confines: without a potential levels spread for ever, and where it falls faster than
            -x^2 they reach infinity, and `diverged` says so.
        beta: at least 1; below, levels collide.

    Examples:
        Levels of a Coulomb gas keep their order, however close they come:

        >>> from sgdyson.ensembles import Quadratic
        >>> process = EigenvalueProcess(Quadratic(), beta=1.0)
        >>> run = process.simulate([1.0, 0.0, -1.0], step=0.01, steps=20, record_every=10,
        ...                        replicas=2, seed=0, progress=False)
        >>> run.levels.shape
        (2, 3, 3)
        >>> bool((run.levels.diff("level") < 0).all())
        True
    """

    potential: Potential
    beta: float = 1.0

    def __post_init__(self) -> None:
        require(callable(self.potential), f"potential = {self.potential!r} must be a function.")
        require(
            bool(np.isfinite(self.beta)) and self.beta >= 1,
            f"beta = {self.beta!r} must be at least 1: below, levels collide, and the equation no"
            " longer says how they go on.",
        )

    def simulate(
        self,
        initial_levels: ArrayLike,
        *,
        step: float,
        steps: int,
        record_every: int = 1,
        replicas: int,
        seed: int,
        progress: bool = True,
    ) -> xr.Dataset:
        """Levels of an ensemble of replicas.

        Args:
            initial_levels: of every replica, shape (n,), all different.
            step: of time.
            steps: how many.
            record_every: steps between two records; the first record is before any step.
            replicas: how many.
            seed: seed of the ensemble, not negative.
            progress: show a bar, where there is a terminal to show it.

        Returns:
            A data set with `levels` (replica, time, level), descending, and `diverged` (replica),
            like that of `simulate`; a step that has no solution makes a replica diverge.

        Raises:
            InvalidInputError: a value that breaks one of these rules, or a potential that is not
                written in `jax.numpy`, before anything is compiled.
        """
        check_ensemble(replicas, seed)
        require(bool(np.isfinite(step)) and step > 0, f"step = {step!r} must be a positive number.")
        for name, value in {"steps": steps, "record_every": record_every}.items():
            require(
                isinstance(value, int | np.integer) and 1 <= value <= steps,
                f"{name} = {value!r} must be a whole number from 1 to steps = {steps}.",
            )
        records = steps // record_every
        require_room(np.size(initial_levels), replicas, records)
        start = descending(initial_levels, np.size(initial_levels))
        require(
            bool((np.diff(start) < 0).all()),
            f"initial_levels = {initial_levels!r} must all differ: levels that meet have no force.",
        )
        check_potential(self.potential, start)
        levels = np.empty((replicas, records + 1, len(start)))
        size = block_size(len(start))
        blocks = list(range(0, replicas, size))
        run = _Run(self, int(seed), step, record_every)

        def work(device: jax.Device) -> None:
            with own_settings(), jax.default_device(device):
                while blocks:
                    with suppress(IndexError):  # the last one was another worker's
                        first = blocks.pop(0)
                        run.block(first, size, start, levels[first : first + size], advance)

        # of few levels a second compilation costs more than a second core brings
        workers = devices(min(len(blocks), cores()) if size == 1 else 1)
        with (
            progress_bar(replicas * records, progress) as advance,
            one_blas_thread(),  # of several, on busy cores, most wait for each other
            ThreadPoolExecutor() as pool,
        ):
            for done in [pool.submit(work, device) for device in workers]:
                done.result()
        settings = {
            "process": type(self).__name__, "potential": repr(self.potential), "beta": self.beta,
            "step": step, "steps": steps, "record_every": record_every, "seed": int(seed),
        }  # fmt: skip
        times = step * record_every * np.arange(records + 1)
        diverged = np.any(~np.isfinite(levels[:, -1]), axis=1)
        return labelled(levels, times, diverged, settings)


def block_size(levels: int) -> int:
    """Replicas in a block: by the levels alone, so that a replica's numbers never change."""
    return min(max(_ENTRIES // levels**2, 1), _LARGEST)


def require_room(levels: int, replicas: int, records: int) -> None:
    """Refuse what does not fit into memory: matrices of a block, and all that is recorded.

    Raises:
        InvalidInputError: more than this machine has.
    """
    size = block_size(levels)
    matrices = 8 * size * _MATRICES * levels**2
    recorded = 8 * (replicas + size) * (records + 1) * levels
    require_memory(
        matrices + recorded,
        f"a process of {levels} levels in {replicas} replicas with {records} records",
    )


class _Run:
    """The programs of a run, compiled once."""

    def __init__(self, process: EigenvalueProcess, seed: int, step: float, every: int) -> None:
        self._process, self._step, self._every = process, step, every
        self._seed = seed
        members = (None, 0, 0, None)
        self._records = jax.jit(jax.vmap(self._several, members), static_argnums=3)
        self._record = jax.jit(self._one)  # of one replica: the LAPACK of a batch takes ten times

    def block(
        self, first: int, size: int, start: np.ndarray, kept: np.ndarray,
        advance: Callable[[float], None],
    ) -> None:  # fmt: skip
        """Write the records of the replicas from `first` on into `kept`, as far as it reaches."""
        kept[:, 0], records, root = start, kept.shape[1] - 1, jax.random.key(self._seed)
        if size > 1:
            members = jnp.arange(first, first + size, dtype=jnp.uint32)
            levels = jnp.broadcast_to(jnp.asarray(start), (size, len(start)))
            kept[:, 1:] = self._records(root, members, levels, records)[: len(kept)]
            advance(records * len(kept))
            return
        levels = jnp.asarray(start)
        for slot in range(records):
            levels = self._record(root, jnp.uint32(first), levels, slot)
            kept[0, slot + 1] = levels
            advance(1)

    def _one(self, root: PRNGKeyArray, replica: Array, levels: Array, slot: Array) -> Array:
        """Levels of a replica from one record to the next."""
        key = jax.random.fold_in(root, replica)

        def advance(number: Array, levels: Array) -> Array:
            noise = jax.random.normal(jax.random.fold_in(key, number), levels.shape, levels.dtype)
            return next_levels(self._process, self._step, levels, noise)

        return jax.lax.fori_loop(slot * self._every, (slot + 1) * self._every, advance, levels)

    def _several(
        self, root: PRNGKeyArray, replica: Array, start: Array, records: int
    ) -> Float[Array, "time level"]:
        def record(levels: Array, slot: Array) -> tuple[Array, Array]:
            levels = self._one(root, replica, levels, slot)
            return levels, levels

        return jax.lax.scan(record, start, jnp.arange(records))[1]


def next_levels(process: EigenvalueProcess, step: float, levels: Array, noise: Array) -> Array:
    """One step, given its standard normal numbers."""
    z = levels + jnp.sqrt(2 * step) * noise
    return implicit_step(process.potential, process.beta, step, levels, z)
