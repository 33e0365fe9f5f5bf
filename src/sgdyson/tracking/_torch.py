"""The tracker of a PyTorch module; imports torch only where a module proves it is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import require
from ..spectra import gram_suffices
from ._arrays import matrices_among
from ._cadence import Cadence, Every
from ._loggers import Log
from ._record import check_some_known
from ._resume import Mode
from ._settings import Rate, Settings, of_torch, unwrapped
from ._torch_gradients import Gradients
from ._torch_parameters import parameters, tied
from ._torch_processes import Processes
from ._tracker import Tracker


class SpectralTracker(Tracker):
    """The tracker of a PyTorch module: `tracker.step()` after `optimizer.step()`.

    With `batch_size`, the noise of the gradient is measured as well, at each record: from the
    micro-batches of a step where there are some (`micro_step`), from the processes of a
    `DistributedDataParallel`, else from the gradients of two steps in a row. It is that of the
    gradient which acts, clipped if you clip it. Gradients must still be there when `step` is
    called: call it before they are set to zero.

    Tied weights are recorded once, and listed as skipped under their other names; frozen ones are
    recorded, without noise; embeddings are recorded. What begins as zero, as the second factor of
    an adapter, is recorded from the first record at which it is not. Singular values are found on
    the GPU of a model that lies on one.

    Args:
        model: any `torch.nn.Module`, compiled or not; of a distributed run, the
            `DistributedDataParallel` itself, or the module that `fully_shard` was applied to.
        out: folder of the Zarr store. Only process 0 writes it.
        every: steps between records, "log", "adaptive", "burst" or a `Burst`.
        split: parts of fused matrices.
        layout: which axes of an array are rows, see `weight_matrices`.
        optimizer: of PyTorch, or several in a list; tells its name, its numbers and the learning
            rate of each matrix at each record. Or told by hand, see `Tracker`.
        learning_rate: where there is no optimizer to tell.
        batch_size: samples of an update, of all micro-batches and processes together.
        velocities: also record u^T dW v of the update before each record: takes an SVD with
            vectors, and a copy of the weights.
        log: "tensorboard", "wandb", "mlflow" or a function, see `Tracker`.
        mode: "new" or "append", see `Tracker`.
        start_step: updates that the training has behind it, as one that resumes from a checkpoint.
        dynamics: also record what single updates do to every level and its four neighbours, see
            `Tracker`. They are differences of the weights themselves, whatever optimiser, clipping,
            scaling or number of micro-batches made them.
        vectors: of so many leading levels, record how much of their singular vectors is left since
            the last record, see `Tracker`; found on the CPU.

    Raises:
        InvalidInputError: no module, a store that exists or is of another model, an adaptive
            cadence of a distributed run, the wrapper `FullyShardedDataParallel`.

    Examples:
        >>> with SpectralTracker(model, "run.zarr", every=100) as tracker:  # doctest: +SKIP
        ...     for batch in data:
        ...         train(batch)
        ...         tracker.step()
    """

    def __init__(
        self,
        model: Any,
        out: Path | str,
        every: Every = 100,
        split: int | dict[str, int] = 1,
        *,
        optimizer: Any = None,
        learning_rate: Rate | Callable[[], Rate] | None = None,
        batch_size: float | Callable[[], float] | None = None,
        velocities: bool = False,
        log: Log | str | None = None,
        mode: Mode | None = None,
        start_step: int = 0,
        layout: str | dict[str, str] = "auto",
        dynamics: bool = False,
        vectors: int = 0,
    ) -> None:
        require(
            callable(getattr(model, "named_parameters", None)),
            f"model = {type(model).__name__} has no named_parameters; give a torch.nn.Module, or"
            " use Tracker.update(step, weights) for any other framework.",
        )
        self._processes = Processes(model)
        require(
            self._processes.size == 1 or every != "adaptive",
            'every = "adaptive" needs a single process; give a distributed run a number or "log".',
        )
        if not self._processes.writes:
            out = Path(out).with_name(f".not-written-{self._processes.rank}-{Path(out).name}")
        self._optimizers = [o for o in unwrapped(optimizer) if hasattr(o, "param_groups")]
        super().__init__(
            out, every, split, learning_rate=learning_rate, batch_size=batch_size,
            log=log if self._processes.writes else None,
            optimizer=None if self._optimizers else optimizer, mode=mode, start_step=start_step,
            layout=layout, dynamics=dynamics, vectors=vectors,
        )  # fmt: skip
        self.cadence = Cadence(every, alone=self._processes.size == 1)
        if self._optimizers:
            kinds = dict.fromkeys(type(optimizer).__name__ for optimizer in self._optimizers)
            self._optimizer = " and ".join(kinds)
        self._module = self._processes.module
        self._check_model()
        self._recorder.velocities = velocities
        self._start, self._step = start_step, start_step
        self._device = _accelerator(self._module)
        self._gradients = Gradients(self._module, self._processes, self._parts)
        self._weights: dict[str, Any] = {}  # before the step that is recorded
        self.skipped += list(tied(self._module))
        self._try(self._measure, start_step)

    def step(self) -> None:
        """Count one update of the weights, and record if it is due."""
        if not self._here:
            return
        self._step += 1
        if self._takes_part:
            with self.cadence.meter:
                self._try(self._measure, self._step)

    def log_scalar(self, name: str, value: Any, step: int | None = None) -> None:
        if self._processes.writes:
            super().log_scalar(name, value, step)

    def micro_step(self, scale: float = 1.0) -> None:
        """Count one micro-batch, after its `backward()`.

        Losses of micro-batches are taken to be divided by their number, as is usual.

        Args:
            scale: what the loss was multiplied with, as by `GradScaler.get_scale()`.
        """
        if self._here and self._takes_part and self.cadence.due(self._step + 1):
            self._try(self._gradients.add_micro_batch, scale)

    @property
    def _takes_part(self) -> bool:
        """A process that has stopped still takes part in what others wait for."""
        return not self.stopped or (self._processes.size > 1 and not self._closed)

    def _try(self, work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception as error:  # whatever it is, the training must go on
            self._fail(error)

    def _measure(self, step: int) -> None:
        batch = self._told.batch()
        if self.cadence.due(step):
            moments = self._gradients.moments(batch) if batch and step > self._start else {}
            arrays = self._arrays()
            if self.stopped:
                pass
            elif self._processes.writes:
                self._submit(step, arrays, moments, self._weights)
            else:
                self.cadence.recorded(step, None)
        self._weights = {}
        soon = self.cadence.due(step + 1)  # as the record just made may have it
        self._gradients.forget(watch=soon, keep=bool(batch))
        if self._compared(step + 1):
            self._weights = matrices_among(self._arrays())

    def _compared(self, step: int) -> bool:
        """Whether the weights before this step are held; those of a record have their frames."""
        if not self._recorder.dynamics:
            return self._recorder.velocities and self.cadence.due(step)
        return self.cadence.lone(step)

    def _settings(self) -> Settings:
        told_by_user = super()._settings()
        if not self._optimizers:
            return told_by_user
        of_optimisers = of_torch(self._optimizers, self._module.named_parameters())
        return Settings(of_optimisers.common | told_by_user.common, of_optimisers.own)

    def _check_model(self) -> None:
        """Against the run that is gone on with, before anything is done to it."""
        known = self._recorder.shapes
        shapes = {n: tuple(p.shape) for n, p in self._module.named_parameters() if p.ndim > 1}
        check_some_known((name.partition("[")[0] for name in known), shapes)
        for name in set(known) & set(shapes):
            require(
                # how several axes become two is told at the record itself
                len(shapes[name]) > 2 or known[name] == shapes[name],
                f"{name} has the shape {shapes[name]} in the model, and {known[name]} in"
                f" {self.out}; choose another name for the store.",
            )

    def _arrays(self) -> list[tuple[str, Any]]:
        """Copies of the weights for the process that writes; others hand it their parts."""
        if self._processes.writes:
            return list(parameters(self._module))
        if self._processes.sharded:
            # a weight is gathered by all processes together: who does not ask lets the others wait
            deque(parameters(self._module), maxlen=0)
        return []

    def _singular_values(self, matrices: Sequence[np.ndarray]) -> list[np.ndarray]:
        if self._device is None:
            return super()._singular_values(matrices)
        return [singular_values_on(self._device, matrix) for matrix in matrices]


def _accelerator(module: Any) -> Any:
    """The GPU of the module; None where singular values are as well found by NumPy."""
    first = next(iter(module.parameters()), None)
    return first.device if first is not None and first.device.type in ("cuda", "xpu") else None


def singular_values_on(device: Any, matrix: np.ndarray) -> np.ndarray:
    """All singular values, descending, in float64, by PyTorch."""
    import torch

    w = torch.as_tensor(np.ascontiguousarray(matrix), dtype=torch.float64, device=device)
    tall = w if w.shape[0] >= w.shape[1] else w.T
    s = torch.linalg.eigvalsh(tall.T @ tall).flip(0).clamp(min=0.0).sqrt()
    values = np.asarray(s.cpu().numpy())
    return values if gram_suffices(values) else np.asarray(torch.linalg.svdvals(w).cpu().numpy())
