"""Singular values of a network's weights, recorded while it trains; knows no framework."""

import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np

from .._threads import one_blas_thread
from ..errors import require
from ..spectra import Skipped, fit_bulk, singular_values, weight_matrices
from ._advice import Advice, advise
from ._cadence import Cadence
from ._gradients import Moments, of_micro_batches
from ._run_store import RunStore, key_of, open_run

Log = Callable[[str, float, int], object]
_FOR_BULK = 5


class Tracker:
    """Records singular values of named arrays; knows no framework.

    Singular values are found and written in a thread of their own, one record at a time. A failure
    of the tracker warns once and stops the tracker, not the training.

    Args:
        out: folder of the Zarr store; must not exist.
        every: steps between records, "log" for steps 0, 1, 2, 4, 8, ..., or "adaptive", see
            `sgdyson.tracking.Cadence`.
        split: parts of fused matrices, see `weight_matrices`.
        learning_rate: alpha, a number or a function without arguments that tells it.
        batch_size: samples |B| of an update.
        log: takes a name, a number and a step: `SummaryWriter.add_scalar` of TensorBoard, or
            `lambda name, value, step: mlflow.log_metric(name, value, step=step)`.

    Raises:
        InvalidInputError: a store that exists, a cadence below one.
    """

    def __init__(
        self,
        out: Path | str,
        every: int | str = 100,
        split: int | dict[str, int] = 1,
        *,
        learning_rate: float | Callable[[], float] | None = None,
        batch_size: float | None = None,
        log: Log | None = None,
    ) -> None:
        self.out, self.cadence, self.split = Path(out), Cadence(every), split
        self.learning_rate, self.batch_size, self._log = learning_rate, batch_size, log
        require(not self.out.exists(), f"{out} exists; choose another name for the store.")
        require(
            batch_size is None or batch_size > 0,
            f"batch_size = {batch_size!r} must be a positive number of samples.",
        )
        self.skipped: list[Skipped] = []
        self.stopped = self._closed = False
        self._store: RunStore | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._pending: Future[tuple[float | None, list[tuple[str, float, int]]]] | None = None
        self._last: dict[str, np.ndarray] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}  # of all that were ever recorded
        self._change: float | None = None

    def due(self, step: int) -> bool:
        """Whether this step is recorded."""
        return not self.stopped and self.cadence.due(step)

    def update(
        self,
        step: int,
        arrays: Any,
        *,
        micro_gradients: Any = None,
        micro_batch: float | None = None,
    ) -> None:
        """Record if it is due.

        Args:
            step: number of updates so far.
            arrays: names and arrays, a dictionary, or any JAX pytree of weights.
            micro_gradients: gradients like the weights, each with the micro-batch as first axis;
                for the noise.
            micro_batch: samples in a micro-batch.
        """
        if not self.due(step):
            return
        try:
            named = _copies(_named(arrays))
            moments = {}
            if micro_gradients is not None:
                require(bool(micro_batch), "micro_gradients need micro_batch=, their samples.")
                moments = {
                    name: of_micro_batches(parts, float(micro_batch or 1))
                    for name, parts in _named(micro_gradients)
                }
            self._submit(step, named, moments, {})
        except Exception as error:  # whatever it is, the training must go on
            self._fail(error)

    def close(self) -> None:
        """Wait for the record in work; nothing is recorded after it."""
        self._settle()
        self.stopped = self._closed = True
        if self._pool is not None:
            self._pool.shutdown()

    def advice(self) -> Advice:
        """Which learning rates and batch sizes keep the noise of this run; see `advise`."""
        self._settle()
        return advise(open_run(self.out))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _submit(
        self,
        step: int,
        arrays: list[tuple[str, Any]],
        moments: Mapping[str, Moments],
        before: Mapping[str, np.ndarray],
    ) -> None:
        self._collect()
        self.cadence.recorded(step, self._change)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="sgdyson-tracker")
        self._pending = self._pool.submit(
            self._beside_training, step, arrays, moments, before, self._settings()
        )

    def _collect(self) -> None:
        """Wait for the record in work, so that there is never more than one."""
        if self._pending is None:
            return
        pending, self._pending = self._pending, None
        self._change, scalars = pending.result()
        for scalar in scalars if self._log is not None else []:
            assert self._log is not None
            self._log(*scalar)

    def _settle(self) -> None:
        try:
            self._collect()
            if self._store is not None:
                self._store.flush()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self.stopped:
            self.stopped = True
            warnings.warn(f"sgdyson's tracker has stopped: {error}", RuntimeWarning, stacklevel=3)

    def _settings(self) -> dict[str, float]:
        rate = self.learning_rate() if callable(self.learning_rate) else self.learning_rate
        found = {"learning_rate": rate, "batch_size": self.batch_size}
        return {name: float(value) for name, value in found.items() if value is not None}

    def _beside_training(self, *record: Any) -> tuple[float | None, list[tuple[str, float, int]]]:
        with one_blas_thread():  # more of them would take the cores from the training, and wait
            return self._record(*record)

    def _record(
        self,
        step: int,
        arrays: list[tuple[str, Any]],
        moments: Mapping[str, Moments],
        before: Mapping[str, np.ndarray],
        settings: Mapping[str, float],
    ) -> tuple[float | None, list[tuple[str, float, int]]]:
        """The largest relative change since the last record, and the scalars of this one."""
        old = dict(p for p in weight_matrices(before.items(), self.split)
                   if not isinstance(p, Skipped))  # fmt: skip
        values: dict[str, np.ndarray] = {name: np.array(v) for name, v in settings.items()}
        spectra, skipped = {}, []
        for part in weight_matrices(arrays, self.split):
            if isinstance(part, Skipped):
                skipped.append(part)
                continue
            name, matrix = part
            self._know(name, matrix.shape)
            spectra[name] = self._singular_values(matrix)
            values[f"s_{key_of(name)}"] = spectra[name]
            if name in old:
                values[f"velocity_{key_of(name)}"] = _velocity(old[name], matrix)
            if name in moments:
                signal, noise = moments[name]
                values[f"signal_{key_of(name)}"] = np.array(signal)
                values[f"noise_{key_of(name)}"] = np.array(noise)
        self._skip(skipped)
        if self._store is None:
            require(bool(spectra), "no array has two axes or more; there is nothing to track.")
            self._store = RunStore(self.out)
            _flush_in_the_end(self, self._store)
        self._store.append(step, values, self._attributes(), self.skipped)
        changes = [
            float(np.linalg.norm(s - self._last[name]) / np.linalg.norm(s))
            for name, s in spectra.items()
            if name in self._last
        ]
        self._last = spectra
        scalars = list(_scalars(spectra, self._shapes, step)) if self._log is not None else []
        return max(changes, default=None), scalars

    def _singular_values(self, matrix: np.ndarray) -> np.ndarray:
        return singular_values(matrix)

    def _know(self, name: str, shape: tuple[int, ...]) -> None:
        """A matrix may come late, as one that begins as zero, but may not change its shape."""
        known = self._shapes.setdefault(name, shape)
        require(known == shape, f"{name} had the shape {known} and now has {shape}.")

    def _skip(self, found: list[Skipped]) -> None:
        """What never had a spectrum is listed, once."""
        kept = {part.name: part for part in [*found, *self.skipped]}
        self.skipped = [part for name, part in kept.items() if name not in self._shapes]

    def _attributes(self) -> dict[str, dict[str, Any]]:
        found = {
            f"s_{key_of(name)}": {"name": name, "shape": list(shape), "number": number}
            for number, (name, shape) in enumerate(self._shapes.items())
        }
        require(
            len(found) == len(self._shapes), "two matrices have names that differ in signs only."
        )
        return found


def _flush_in_the_end(tracker: Tracker, store: RunStore) -> None:
    """Where close() is not called: with the tracker's end, or before threads end at exit."""
    weakref.finalize(tracker, store.flush)
    alive = weakref.ref(tracker)

    def settle() -> None:
        left = alive()
        if left is not None:
            left._settle()

    register = getattr(threading, "_register_atexit", None)  # as concurrent.futures does
    if register is not None:
        register(settle)


def _velocity(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """u^T dW v of each singular value of `before`, descending."""
    left, _, right = np.linalg.svd(before, full_matrices=False)
    return np.asarray(np.einsum("mi,mn,in->i", left, after - before, right, optimize=True))


def _scalars(
    spectra: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], step: int
) -> Iterable[tuple[str, float, int]]:
    for name, s in spectra.items():
        found = {"spectral": float(s[0]), "stable_rank": float(np.sum((s / s[0]) ** 2))}
        if s.size >= _FOR_BULK:
            bulk = fit_bulk(s, (shapes[name][0], shapes[name][1]))
            found |= {"sigma": bulk.sigma.value, "outliers": float(bulk.outliers)}
        for quantity, value in found.items():
            yield f"sgdyson/{name}/{quantity}", value, step


def _copies(arrays: Iterable[tuple[str, Any]]) -> list[tuple[str, np.ndarray]]:
    """Of what may have a spectrum; the training will write over the originals."""
    return [
        (name, np.array(value) if np.ndim(value) > 1 else np.asarray(value))
        for name, value in arrays
    ]


def _named(arrays: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(arrays, dict) and all(hasattr(value, "shape") for value in arrays.values()):
        return list(arrays.items())
    import jax

    leaves = jax.tree_util.tree_leaves_with_path(arrays)
    return [
        (jax.tree_util.keystr(p, simple=True, separator=".") or "weights", x) for p, x in leaves
    ]
