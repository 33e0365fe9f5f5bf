"""Signal and noise of the gradients of a PyTorch module, as the optimiser has them."""

from collections.abc import Iterator
from typing import Any

from ._gradients import Moments, of_squares, of_successive, scaled
from ._torch_processes import Processes, square, whole


class Gradients:
    """Gradients of the step that is recorded, and what they are compared with.

    Args:
        module: whose gradients.
        processes: that share it.
    """

    def __init__(self, module: Any, processes: Processes) -> None:
        self._module, self._processes = module, processes
        self._before: dict[str, Any] = {}  # of the step before
        self._sums: dict[str, Any] = {}  # of the micro-batches so far
        self._micro: list[dict[str, float]] = []

    def add_micro_batch(self, scale: float) -> None:
        """After the `backward()` of one."""
        squares = {}
        for name, gradient in self._current():
            total = gradient / scale
            squares[name] = square(total - self._sums.get(name, 0.0))
            self._sums[name] = total
        self._micro.append(squares)

    def forget(self, *, watch: bool, keep: bool) -> None:
        """After a step, before the next.

        Args:
            watch: the next one is to be recorded.
            keep: with the gradients of this one.
        """
        self._before, self._sums, self._micro = {}, {}, []
        if watch:
            self._processes.watch()
            if keep and not self._processes.replicated:
                self._before = {name: g.clone() for name, g in self._current()}

    def moments(self, batch: float) -> dict[str, Moments]:
        """Of a batch of so many samples; of parameters with a gradient that is still there."""
        current = dict(self._current())
        if self._processes.replicated:
            return self._of_processes(current, batch)
        if len(self._micro) > 1:
            return self._of_micro_batches(current, batch)
        return self._of_successive(current, batch)

    def _of_successive(self, current: dict[str, Any], batch: float) -> dict[str, Moments]:
        moments = {}
        for name in (name for name in current if name in self._before):  # in one order everywhere
            now, before = current[name].double(), self._before[name].double()
            dot, distance = float(whole((now * before).sum())), square(now - before)
            if square(now) > 0 and square(before) > 0:  # set to zero, they would look free of noise
                moments[name] = of_successive(dot, distance, batch)
        return moments

    def _of_micro_batches(self, current: dict[str, Any], batch: float) -> dict[str, Moments]:
        count, moments = len(self._micro), {}
        for name, total in self._sums.items():
            # a micro-batch's own gradient is `count` times its part of the sum
            small = count * sum(part.get(name, 0.0) for part in self._micro)
            big = square(total)
            acting = square(current[name]) if name in current else 0.0
            moments[name] = scaled(of_squares(small, big, batch / count, batch), acting, big)
        return moments

    def _of_processes(self, current: dict[str, Any], batch: float) -> dict[str, Moments]:
        local, mean = self._processes.mean_squares(self._module)
        small = batch / self._processes.size
        return {
            name: scaled(of_squares(local[name], mean[name], small, batch), square(g), mean[name])
            for name, g in current.items()
            if name in local
        }

    def _current(self) -> Iterator[tuple[str, Any]]:
        for name, parameter in self._module.named_parameters():
            if parameter.grad is not None and parameter.ndim > 1:
                yield name, parameter.grad.detach()
