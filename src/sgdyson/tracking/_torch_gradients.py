"""Signal and noise of the gradients of a PyTorch module, as the optimiser has them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ._gradients import Moments, Parts, Shapes, of_squares, of_successive, scaled
from ._torch_processes import Processes, square, whole


class Gradients:
    """Gradients of the step that is recorded, and what they are compared with.

    Args:
        module: whose gradients.
        processes: that share it.
        parts: names and views of the matrices of an array, from its name and the shapes of all.
    """

    def __init__(self, module: Any, processes: Processes, parts: Parts) -> None:
        self._module, self._processes, self._parts = module, processes, parts
        self._shapes = shapes_of(module)
        self._names: dict[int, str] = {}
        self._owned: dict[str, list[str]] = {}
        self._before: dict[str, Any] = {}  # of the step before
        self._sums: dict[str, Any] = {}  # of the micro-batches so far
        self._micro: list[dict[str, float]] = []

    def add_micro_batch(self, scale: float) -> None:
        """Take up the gradients of a micro-batch, after its `backward()`."""
        squares = {}
        for name, gradient in self._current():
            total = gradient / scale
            # gradients add up in place: what is new since the last look is this micro-batch's own
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
            self._shapes = shapes_of(self._module)
            self._names = {id(p): name for name, p in self._module.named_parameters()}
            self._processes.watch(self._split_by_id)
            if keep and not self._processes.replicated:
                self._before = {name: g.clone() for name, g in self._current()}

    def moments(self, batch: float) -> dict[str, Moments]:
        """Moments of a batch of so many samples, by parameter that still has a gradient."""
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
            small = count * sum(gradients.get(name, 0.0) for gradients in self._micro)
            big = square(total)
            acting = square(current[name]) if name in current else 0.0
            moments[name] = scaled(of_squares(small, big, batch / count, batch), acting, big)
        return moments

    def _of_processes(self, current: dict[str, Any], batch: float) -> dict[str, Moments]:
        local, mean = self._processes.mean_squares(self._matrices(), self._device())
        small = batch / self._processes.size
        return {
            name: scaled(of_squares(local[name], mean[name], small, batch), square(g), mean[name])
            for name, g in current.items()
            if name in local
        }

    def _current(self) -> Iterator[tuple[str, Any]]:
        """Gradient of each matrix; of a fused one, or of a stack, of each part."""
        for name, parameter in self._module.named_parameters():
            if parameter.grad is not None and parameter.ndim > 1:
                yield from self._split(name, parameter.grad.detach())

    def _split(self, name: str, gradient: Any) -> Iterator[tuple[str, Any]]:
        own = self._own(name)
        if len(own) == 1:
            yield own[0], gradient  # as it is, spread over processes or not
        elif own:
            yield from self._parts(name, whole(gradient), self._shapes)

    def _own(self, name: str) -> list[str]:
        """Names of the matrices of a parameter, from its shape: nothing is gathered for it."""
        if name not in self._owned:
            shape = self._shapes.get(name, ())
            parts = self._parts(name, np.broadcast_to(0.0, shape), self._shapes)
            self._owned[name] = [own for own, _ in parts] if len(shape) > 1 else []
        return self._owned[name]

    def _split_by_id(self, parameter: Any, gradient: Any) -> Iterator[tuple[str, Any]]:
        name = self._names.get(id(parameter))
        return iter(()) if name is None else self._split(name, gradient)

    def _matrices(self) -> list[str]:
        """Names of all, the same in every process."""
        return [own for name in self._shapes for own in self._own(name)]

    def _device(self) -> Any:
        return next(self._module.parameters()).device


def shapes_of(module: Any) -> Shapes:
    """Shapes of the parameters that have one already."""
    return {
        name: tuple(p.shape)
        for name, p in module.named_parameters()
        if not hasattr(p, "materialize")
    }
