"""The processes of a distributed run of PyTorch, which is imported only where a model shows it."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from math import nan
from typing import Any

from ..errors import require
from ._tell import tell

Split = Callable[[Any, Any], Iterable[tuple[str, Any]]]


class Processes:
    """The processes of a distributed run, and the gradients of each before they are averaged.

    Attributes:
        module: whose weights are recorded.
        size: how many processes.
        rank: number of this one.
        replicated: each of several holds all weights, as under `DistributedDataParallel`.
        sharded: each holds a part of them, as under `fully_shard`.
    """

    def __init__(self, model: Any) -> None:
        model = _before_compilation(model)
        self.module, self.size, self.rank = model, 1, 0
        self.replicated, self.sharded = False, is_sharded(model)
        self._watching = False
        self._split: Split = lambda parameter, gradient: ()
        self._squares: dict[str, float] = {}
        self._means: dict[str, float] = {}
        require(
            not any(
                type(module).__name__ == "FullyShardedDataParallel" for module in model.modules()
            ),
            "FullyShardedDataParallel flattens its matrices, so that none is left to watch; shard"
            " the model with torch.distributed.fsdp.fully_shard instead.",
        )
        if not self.sharded and not callable(getattr(model, "register_comm_hook", None)):
            return
        import torch
        import torch.distributed as distributed

        wrapped = isinstance(model, torch.nn.parallel.DistributedDataParallel)
        if wrapped or self.sharded:
            self.size, self.rank = distributed.get_world_size(), distributed.get_rank()
        if wrapped:
            self.module, self.replicated = _before_compilation(model.module), self.size > 1
        if self.replicated:
            self._hook_into(model)

    def _hook_into(self, model: Any) -> None:
        import torch
        import torch.distributed as distributed
        from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook

        # PyTorch reads the annotations of a hook
        def hook(
            state: Any,
            bucket: distributed.GradBucket,  # type: ignore[name-defined]
        ) -> torch.futures.Future[torch.Tensor]:
            parts = self._keep(bucket)
            future = allreduce_hook(state, bucket)
            return future.then(lambda done: self._keep_means(parts, done)) if parts else future

        try:
            model.register_comm_hook(None, hook)
        except RuntimeError as error:
            tell(f"the model has a hook already; its gradient noise is not measured ({error})", 5)

    @property
    def writes(self) -> bool:
        return self.rank == 0

    def watch(self, split: Split) -> None:
        """Keep squares of the gradients of the next step.

        Args:
            split: names and views of the matrices in a parameter's gradient.
        """
        self._watching, self._squares, self._means, self._split = True, {}, {}, split

    def mean_squares(
        self, names: list[str], device: Any
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Mean square of each gradient over processes, and the square of their average.

        Before anything clips it. Every process must ask.

        Args:
            names: of all matrices, the same in every process.
            device: of the model; NCCL reduces nothing on the CPU.
        """
        import torch
        import torch.distributed as distributed

        # as many numbers in each process, whatever it has seen: none waits for another
        squares = [self._squares.get(name, nan) for name in names]
        total = torch.tensor(squares, dtype=torch.float64, device=device)
        distributed.all_reduce(total)
        self._watching = False
        # x == x: NaN, of what some process has not seen, is left out
        local = {n: float(x) / self.size for n, x in zip(names, total, strict=True) if x == x}
        return local, {name: self._means.get(name, nan) for name in local}

    def _keep(self, bucket: Any) -> list[tuple[str, Any]]:
        """Squares of a bucket of gradients; each of them, to be looked at when it is averaged."""
        if not self._watching:
            return []
        parts = [
            piece
            for parameter, gradient in zip(bucket.parameters(), bucket.gradients(), strict=True)
            for piece in self._split(parameter, gradient)
        ]
        self._squares |= {key: square(gradient) for key, gradient in parts}
        return parts

    def _keep_means(self, parts: list[tuple[str, Any]], done: Any) -> Any:
        with suppress(Exception):  # it would be raised in the training
            self._means |= {key: square(gradient) for key, gradient in parts}  # views of the bucket
        return done.value()


def _before_compilation(module: Any) -> Any:
    """`torch.compile` wraps a module, and shares its weights."""
    return getattr(module, "_orig_mod", module)


def is_sharded(module: Any) -> bool:
    """Whether a process holds only a part of a weight."""
    return any(hasattr(parameter, "full_tensor") for parameter in module.parameters())


def whole(tensor: Any) -> Any:
    """All of a tensor; of a sharded one every process must ask."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def square(gradient: Any) -> float:
    """Squared norm of a gradient; of a sharded one every process must ask."""
    return float(whole(gradient.double().square().sum()))
