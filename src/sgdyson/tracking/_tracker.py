"""Singular values of a network's weights, recorded while it trains; knows no framework."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from .._checks import whole
from .._threads import one_blas_thread
from ..errors import require
from ..spectra import Skipped, layout_of, parts_of, singular_values_of
from ._advice import Advice, advise
from ._arrays import copies, matrices_among, named_arrays
from ._beside import Beside, StillBusyError
from ._cadence import Cadence, Every
from ._gradients import Moments, Shapes, moments_of
from ._loggers import Log, logger_of
from ._post import Done, Post
from ._record import Recorder
from ._resume import Mode, matrices_in, store_of
from ._run import open_run
from ._run_store import RunStore
from ._scalars import scalars_of
from ._settings import Rate, Settings, by_hand
from ._tell import tell
from ._told import Told


class Tracker:
    """Records singular values of named arrays; knows no framework.

    Singular values are found and written in a thread of their own, one record at a time. A failure
    of the tracker warns once and stops the tracker, not the training; a process forked from this
    one, as a worker of a data loader, records and writes nothing.

    Args:
        out: folder of the Zarr store.
        every: steps between records, "log" for steps 0, 1, 2, 4, 8, ..., "adaptive" or "burst",
            see `sgdyson.tracking.Cadence`.
        split: parts of fused matrices, see `weight_matrices`.
        layout: which axes of an array are rows, see `weight_matrices`.
        learning_rate: alpha, a number, or one for each matrix by its name, or a function without
            arguments that tells them.
        batch_size: samples |B| of an update, or a function without arguments that tells it.
        optimizer: "sgd", "adam", ...; or with its numbers, {"name": "sgd", "momentum": 0.9}; or one
            of `sgdyson.optimizers`. Advice follows its rule; not told, it is taken for plain SGD.
        log: "tensorboard" (a folder beside the store), "wandb" or "mlflow" (the run that goes on,
            or a new one), the first two with histograms of singular values; or a function of a
            name, a number and a step.
        mode: "new" where `out` must not exist; "append" to go on with the run in it, if there is
            one: a step that goes back replaces what it repeats. By default "append" for a training
            that resumes, at a `start_step` above 0, else "new".
        start_step: updates before this tracker's first; later records are dropped from a run that
            is gone on with.
        dynamics: also record what the update before each record did to every level and its four
            neighbours, see `level_steps`: what `dyson_test` and `forecast` need, best with
            every="burst". Takes decompositions with vectors, and holds them from a record to the
            next; `update` must be called at every step.
        vectors: of so many leading levels, record how much of their singular vectors is left since
            the last record: what `emergence` tells the persistence of outliers from. Takes about as
            long as the singular values; three numbers a level are stored.

    Raises:
        InvalidInputError: a store that exists, or that holds no run to go on with; a cadence below
            one.

    Examples:
        >>> import numpy as np, tempfile
        >>> from sgdyson.tracking import Run, open_run
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Tracker(f"{folder}/run.zarr", every=1, batch_size=8) as tracker:
        ...         for step in range(3):
        ...             tracker.update(step, {"w": (1 + step) * np.diag([2.0, 1.0])})
        ...     run = Run(open_run(f"{folder}/run.zarr").load())
        >>> run.values("w").round(9)
        array([[2., 1.],
               [4., 2.],
               [6., 3.]])
    """

    def __init__(
        self,
        out: Path | str,
        every: Every = 100,
        split: int | dict[str, int] = 1,
        *,
        learning_rate: Rate | Callable[[], Rate] | None = None,
        batch_size: float | Callable[[], float] | None = None,
        optimizer: Any = None,
        log: Log | str | None = None,
        mode: Mode | None = None,
        start_step: int | None = None,
        layout: str | dict[str, str] = "auto",
        dynamics: bool = False,
        vectors: int = 0,
    ) -> None:
        for kind in [layout] if isinstance(layout, str) else layout.values():
            layout_of("weights", (1, 1), kind)
        self.out, self.cadence, self.split = Path(out), Cadence(every), split
        self._optimizer, numbers = by_hand(optimizer)
        self._told = Told(learning_rate, batch_size, numbers, self._tell_once)
        self.skipped: list[Skipped] = []
        self.stopped = self._closed = False
        self._step = start_step or 0
        self._process = os.getpid()
        self._beside = Beside[Done]()
        self._recorder = Recorder(
            split, self._beside.live, layout=layout, dynamics=dynamics,
            vectors=whole("vectors", vectors, least=0),
        )  # fmt: skip
        self._before: tuple[int, dict[str, np.ndarray]] = (-1, {})
        self._store = store_of(self.out, mode, start_step)
        self._post = Post(logger_of(log, self.out), self._store.log_scalar, self._tell_once)
        self._recorder.shapes, self._recorder.keys = matrices_in(self._store)
        self._change: float | None = None
        self._said: set[str] = set()
        # by its parts: with itself in the arguments it would never end
        weakref.finalize(self, _end, self._process, self._beside, self._store)

    def due(self, step: int) -> bool:
        """Whether this step is recorded."""
        return self._here and not self.stopped and self.cadence.due(step)

    def update(
        self,
        step: int,
        arrays: Any,
        *,
        micro_gradients: Any = None,
        micro_batch: float | None = None,
        acting_gradients: Any = None,
    ) -> None:
        """Record if it is due.

        Args:
            step: number of updates so far.
            arrays: names and arrays, a dictionary, or any JAX pytree of weights; leaves that are no
                arrays of numbers, as random keys, are listed as skipped.
            micro_gradients: gradients like the weights, each with the micro-batch as first axis;
                for the noise.
            micro_batch: samples in a micro-batch.
            acting_gradients: like the weights, their mean as it was given to the optimiser, where
                it was clipped: the noise that acts is smaller by the square.
        """
        if self.stopped or not self._here:  # as of a copy, which has nothing else
            return
        with self.cadence.meter:
            self._update(step, arrays, micro_gradients, micro_batch, acting_gradients)

    def _update(
        self, step: int, arrays: Any, micro_gradients: Any, micro_batch: float | None,
        acting_gradients: Any,
    ) -> None:  # fmt: skip
        self._step, due = step, self.due(step)
        if not (due or self._compared_next(step)):
            return
        try:
            named = copies(named_arrays(arrays))
            if not due:
                self._before = (step, matrices_among(named))
                return
            moments: Mapping[str, Moments] = {}
            if micro_gradients is not None:
                require(bool(micro_batch), "micro_gradients need micro_batch=, their samples.")
                moments = moments_of(
                    micro_gradients, float(micro_batch or 1), acting_gradients, self._parts
                )
            # of the step before alone: what is measured of two are the changes of one update
            before = self._before[1] if self._before[0] == step - 1 else {}
            self._before = (-1, {})
            self._submit(step, named, moments, before)
        except Exception as error:  # whatever it is, the training must go on
            self._fail(error)

    def log_scalar(self, name: str, value: Any, step: int | None = None) -> None:
        """Keep a number with the run, as its loss: drawn on its page, in `Run.scalars`.

        It is in the store at once. What fails is told once, and the training goes on.

        Args:
            name: of the series, such as "loss" or "validation loss".
            value: one number, or anything that holds one.
            step: number of updates so far; by default that of the last call of this tracker.

        Examples:
            >>> import numpy as np, tempfile
            >>> from sgdyson.tracking import Run, Tracker, open_run
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     with Tracker(f"{folder}/run.zarr", every=1) as tracker:
            ...         for step in range(3):
            ...             tracker.update(step, {"w": np.diag([2.0, 1.0])})
            ...             tracker.log_scalar("loss", 1 / (1 + step))
            ...     Run(open_run(f"{folder}/run.zarr")).scalars["loss"][1].round(3).tolist()
            [1.0, 0.5, 0.333]
        """
        if self._here:
            with self.cadence.meter:
                self._post.keep(name, value, self._step if step is None else step)

    def close(self) -> None:
        """Wait for the record in work; nothing is recorded after it.

        A record without a sign of life for two minutes is given up.
        """
        if not self._here:
            return
        self._settle()
        if not (self._closed or self.stopped or self._recorder.shapes or not self.skipped):
            listed = ", ".join(f"{array.name} ({array.reason})" for array in self.skipped[:5])
            tell(f"sgdyson's tracker has recorded no matrix: {listed}", 3)
        self.stopped = self._closed = True
        self._post.close()

    def advice(self) -> Advice:
        """Which learning rates and batch sizes keep the noise of this run; see `advise`."""
        if self._here:
            self._settle()
        return advise(open_run(self.out))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """A copy, as of a model that holds its tracker, is one that has stopped."""
        return {"out": self.out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, stopped=True, _closed=True, _process=-1, skipped=[])

    def _compared_next(self, step: int) -> bool:
        """Whether the weights of this step, which is not recorded, are held for the next record."""
        if self.stopped or not self._here:
            return False
        compared = self._recorder.dynamics or self._recorder.velocities
        return compared and self.cadence.lone(step + 1)

    @property
    def _here(self) -> bool:
        """False in a forked process, which has neither the thread nor the store."""
        return os.getpid() == self._process

    def _submit(
        self,
        step: int,
        arrays: list[tuple[str, Any]],
        moments: Mapping[str, Moments],
        before: Mapping[str, np.ndarray],
    ) -> None:
        try:
            self._collect()
        except StillBusyError as error:
            self._tell_once(f"a record is in work {error}; records are left out until it is done")
            return
        self.cadence.recorded(step, self._change)
        settings, soon = self._settings(), self.cadence.due(step + 1)
        self._beside.start(
            lambda: self._beside_training(step, arrays, moments, before, settings, soon)
        )

    def _collect(self) -> None:
        """Wait for the record in work, so that there is never more than one."""
        began = time.perf_counter()
        done = self._beside.collect()
        if done is None:
            return
        self._change = done.change
        # the wait is inside the meter's own context already, and is not to count twice
        self.cadence.meter.beside(done.seconds - (time.perf_counter() - began))
        self._post.send(done)

    def _settle(self) -> None:
        try:
            self._collect()
            self._store.flush()
        except StillBusyError as error:
            self._fail(TimeoutError(f"its last record was in work {error}"))
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self.stopped:
            self.stopped = True
            tell(f"sgdyson's tracker has stopped: {str(error) or repr(error)}", 3)

    def _tell_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            tell(f"sgdyson's tracker: {message}", 4)

    def _settings(self) -> Settings:
        """Settings that hold now, as far as they are to be had."""
        return self._told.now()

    def _parts(self, name: str, array: Any, shapes: Shapes) -> Iterable[tuple[str, Any]]:
        """Names and views of the matrices of an array."""
        return parts_of(name, array, self.split, self._recorder.layout, shapes)

    def _beside_training(self, *record: Any) -> Done:
        # more threads of BLAS would take the cores from the training, and wait
        with one_blas_thread(), np.errstate(all="ignore"):
            return self._record(*record)

    def _record(
        self,
        step: int,
        arrays: list[tuple[str, Any]],
        moments: Mapping[str, Moments],
        before: Mapping[str, np.ndarray],
        settings: Settings,
        soon: bool,
    ) -> Done:
        """One record, beside the training."""
        recorder, began = self._recorder, time.perf_counter()
        recorded = recorder.record(
            arrays, moments, before, settings, self._singular_values, step=step, soon=soon
        )
        self._skip(recorded.skipped)
        self._store.append(step, recorded.values, recorder.attributes(), self._attributes(step))
        shapes = recorder.shapes
        post, spectra = self._post, recorded.spectra
        scalars = list(scalars_of(spectra, shapes, step)) if post.scalars else []
        levels = spectra if post.levels else {}
        return Done(step, recorded.change, scalars, levels, time.perf_counter() - began)

    def _singular_values(self, matrices: Sequence[np.ndarray]) -> list[np.ndarray]:
        return singular_values_of(matrices)

    def _skip(self, skipped: list[Skipped]) -> None:
        """What never had a spectrum is listed, once."""
        listed = {array.name: array for array in [*self.skipped, *skipped]}
        self.skipped = [p for name, p in listed.items() if name not in self._recorder.shapes]

    def _attributes(self, step: int) -> dict[str, Any]:
        """Attributes of the run, as it is now."""
        attributes: dict[str, Any] = {
            "skipped": [[array.name, array.reason] for array in self.skipped]
        }
        history = [list(entry) for entry in self._store.attributes.get("optimizers", [])]
        # a run that went back to an earlier step has lost what came later
        history = [entry for entry in history if entry[0] < step]
        if self._optimizer and (not history or history[-1][1] != self._optimizer):
            history.append([step, self._optimizer])
        return attributes | ({"optimizers": history} if history else {})


def _end(process: int, beside: Beside[Done], store: RunStore) -> None:
    """End where close() is not called: with the tracker's end, or at exit."""
    if os.getpid() != process:
        return
    try:
        beside.collect()
        store.flush()
    except Exception as error:
        tell(f"sgdyson's tracker could not end its store: {error}")
