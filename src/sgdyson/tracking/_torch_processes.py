"""The processes of a distributed run of PyTorch, which is imported only where a model shows it."""

import warnings
from typing import Any

from ..errors import require


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
        self._squares: dict[int, float] = {}
        require(
            not any(type(part).__name__ == "FullyShardedDataParallel" for part in model.modules()),
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
            self._keep(bucket)
            return allreduce_hook(state, bucket)

        try:
            model.register_comm_hook(None, hook)
        except RuntimeError as error:
            warnings.warn(
                f"the model has a hook already; its gradient noise is not measured ({error})",
                RuntimeWarning,
                stacklevel=5,
            )

    @property
    def writes(self) -> bool:
        return self.rank == 0

    def watch(self) -> None:
        """Keep squares of the gradients of the next step."""
        self._watching, self._squares = True, {}

    def mean_squares(self, module: Any) -> dict[str, float]:
        """Over processes, of the gradient of each parameter. Every process must ask."""
        import torch
        import torch.distributed as distributed

        named = [(n, self._squares[id(p)]) for n, p in module.named_parameters()
                 if id(p) in self._squares]  # fmt: skip
        device = next(module.parameters()).device  # NCCL reduces nothing on the CPU
        total = torch.tensor([square for _, square in named], dtype=torch.float64, device=device)
        distributed.all_reduce(total)
        self._watching = False
        return {name: float(x) / self.size for (name, _), x in zip(named, total, strict=True)}

    def _keep(self, bucket: Any) -> None:
        if self._watching:
            for parameter, gradient in zip(bucket.parameters(), bucket.gradients(), strict=True):
                self._squares[id(parameter)] = square(gradient)


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
    """Its squared norm; of a sharded one every process must ask."""
    return float(whole(gradient.double().square().sum()))
