"""The tracker of a PyTorch module; imports torch only where a module proves it is there."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import require
from ..spectra import Skipped, gram_suffices
from ._gradients import Moments, of_squares, of_successive
from ._torch_processes import Processes, square, whole
from ._tracker import Log, Tracker


class SpectralTracker(Tracker):
    """The tracker of a PyTorch module: `tracker.step()` after `optimizer.step()`.

    With `batch_size`, the noise of the gradient is measured as well, at each record: from the
    micro-batches of a step where there are some (`micro_step`), from the processes of a
    `DistributedDataParallel`, else from the gradients of two steps in a row. Gradients must
    still be there when `step` is called: call it before they are set to zero.

    Tied weights are recorded once, and listed as skipped under their other names; frozen ones are
    recorded, without noise; embeddings are recorded. What begins as zero, as the second factor of
    an adapter, is recorded from the first record at which it is not. Singular values are found on
    the GPU of a model that lies on one.

    Args:
        model: any `torch.nn.Module`, compiled or not; of a distributed run, the
            `DistributedDataParallel` itself, or the module that `fully_shard` was applied to.
        out: folder of the Zarr store; must not exist. Only process 0 writes it.
        every: steps between records, "log" or "adaptive".
        split: parts of fused matrices.
        optimizer: tells the learning rate, of its first group.
        learning_rate: where there is no optimizer to tell.
        batch_size: samples of an update, of all micro-batches and processes together.
        velocities: also record u^T dW v of the update before each record: takes an SVD with
            vectors, and a copy of the weights.
        log: takes a name, a number and a step, see `Tracker`.

    Raises:
        InvalidInputError: no module, a store that exists, an adaptive cadence of a distributed run,
            the wrapper `FullyShardedDataParallel`.

    Example:
        >>> with SpectralTracker(model, "run.zarr", every=100) as tracker:  # doctest: +SKIP
        ...     for batch in data:
        ...         train(batch)
        ...         tracker.step()
    """

    def __init__(
        self,
        model: Any,
        out: Path | str,
        every: int | str = 100,
        split: int | dict[str, int] = 1,
        *,
        optimizer: Any = None,
        learning_rate: float | None = None,
        batch_size: float | None = None,
        velocities: bool = False,
        log: Log | None = None,
    ) -> None:
        require(
            callable(getattr(model, "named_parameters", None)),
            f"model = {type(model).__name__} has no named_parameters; give a torch.nn.Module, or"
            " use Tracker.update(step, weights) for any other framework.",
        )
        rate = learning_rate if optimizer is None else lambda: optimizer.param_groups[0]["lr"]
        self._processes = Processes(model)
        require(
            self._processes.size == 1 or every != "adaptive",
            'every = "adaptive" needs a single process; give a distributed run a number or "log".',
        )
        if not self._processes.writes:
            out = Path(out).with_name(f".not-written-{self._processes.rank}-{Path(out).name}")
        super().__init__(out, every, split, learning_rate=rate, batch_size=batch_size, log=log)
        self._module = self._processes.module
        self._velocities = velocities
        self._step = 0
        self._device = _accelerator(self._module)
        self._gradients: dict[str, Any] = {}  # of the step before a record
        self._weights: dict[str, Any] = {}
        self._sums: dict[str, Any] = {}  # of the micro-batches so far
        self._micro: list[dict[str, float]] = []
        self.skipped += list(_tied(self._module))
        self._try(self._measure, 0)

    def step(self) -> None:
        """Count one update of the weights, and record if it is due."""
        self._step += 1
        if self._takes_part:
            self._try(self._measure, self._step)

    def micro_step(self, scale: float = 1.0) -> None:
        """Count one micro-batch, after its `backward()`.

        Losses of micro-batches are taken to be divided by their number, as is usual.

        Args:
            scale: what the loss was multiplied with, as by `GradScaler.get_scale()`.
        """
        if self._takes_part and self.cadence.due(self._step + 1):
            self._try(self._add_micro_batch, scale)

    @property
    def _takes_part(self) -> bool:
        """A process that has stopped still takes part in what others wait for."""
        return not self.stopped or (self._processes.size > 1 and not self._closed)

    def _try(self, work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception as error:  # whatever it is, the training must go on
            self._fail(error)

    def _add_micro_batch(self, scale: float) -> None:
        squares = {}
        for name, gradient in self._current_gradients():
            total = gradient / scale
            squares[name] = square(total - self._sums.get(name, 0.0))
            self._sums[name] = total
        self._micro.append(squares)

    def _measure(self, step: int) -> None:
        if self.cadence.due(step):
            moments = self._moments() if step and self.batch_size else {}
            arrays = self._arrays()
            if self.stopped:
                pass
            elif self._processes.writes:
                self._submit(step, arrays, moments, self._weights)
            else:
                self.cadence.recorded(step, None)
        self._gradients, self._weights, self._sums, self._micro = {}, {}, {}, []
        if self.cadence.due(step + 1):
            self._processes.watch()
            if self.batch_size and not self._processes.replicated:
                self._gradients = {n: g.clone() for n, g in self._current_gradients()}
            if self._velocities:
                self._weights = {
                    name: value
                    for name, value in self._arrays()
                    if isinstance(value, np.ndarray) and value.ndim > 1
                }

    def _arrays(self) -> list[tuple[str, Any]]:
        """Copies of the weights for the process that writes; others hand it their parts."""
        if self._processes.writes:
            return list(_parameters(self._module))
        if self._processes.sharded:
            deque(_parameters(self._module), maxlen=0)
        return []

    def _singular_values(self, matrix: np.ndarray) -> np.ndarray:
        if self._device is None:
            return super()._singular_values(matrix)
        return singular_values_on(self._device, matrix)

    def _current_gradients(self) -> Iterator[tuple[str, Any]]:
        for name, parameter in self._module.named_parameters():
            if parameter.grad is not None and parameter.ndim > 1:
                yield name, parameter.grad.detach()

    def _moments(self) -> dict[str, Moments]:
        batch = float(self.batch_size or 1)
        current = dict(self._current_gradients())
        if self._processes.replicated:
            local = self._processes.mean_squares(self._module)
            small = batch / self._processes.size
            return {
                name: of_squares(local[name], square(g), small, batch)
                for name, g in current.items()
                if name in local
            }
        if len(self._micro) > 1:
            count = len(self._micro)
            # a micro-batch's own gradient is `count` times its part of the sum
            return {
                name: of_squares(
                    count * sum(part[name] for part in self._micro), square(self._sums[name]),
                    batch / count, batch,
                )
                for name in self._sums
            }  # fmt: skip
        return {
            name: of_successive(
                float(whole((g.double() * self._gradients[name].double()).sum())),
                square(g - self._gradients[name]), batch,
            )
            for name, g in current.items()
            if name in self._gradients
        }  # fmt: skip


def _parameters(module: Any) -> Iterator[tuple[str, Any]]:
    """Named parameters as NumPy arrays of their own, or the reason why there is none."""
    for name, parameter in module.named_parameters():
        reason = _unfit(parameter)
        yield name, Skipped(name, reason) if reason else _copy(whole(parameter.detach()))


def _unfit(parameter: Any) -> str | None:
    if hasattr(parameter, "materialize"):
        return "not initialised yet"
    if parameter.is_meta:
        return "on the meta device, which holds no numbers"
    if str(parameter.layout) != "torch.strided":
        return f"stored as {parameter.layout}"
    return None


def _copy(tensor: Any) -> np.ndarray:
    """NumPy knows no floating-point numbers shorter than two bytes, and none of bfloat16."""
    short = tensor.is_floating_point() and tensor.element_size() < 4
    return np.array((tensor.float() if short else tensor).cpu().numpy())


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
    of_gram = np.asarray(s.cpu().numpy())
    return of_gram if gram_suffices(of_gram) else np.asarray(torch.linalg.svdvals(w).cpu().numpy())


def _tied(module: Any) -> Iterator[Skipped]:
    first: dict[int, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        owner = first.setdefault(id(parameter), name)
        if owner != name:
            yield Skipped(name, f"tied to {owner}")
