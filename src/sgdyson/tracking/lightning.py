"""The tracker as a callback of Lightning."""

from pathlib import Path
from typing import Any

from ..errors import InvalidInputError
from ._torch import SpectralTracker
from ._torch_processes import is_sharded

try:
    from lightning.pytorch.callbacks import Callback
except ImportError as error:  # pragma: no cover
    raise InvalidInputError(
        "sgdyson.tracking.lightning needs Lightning; install it with: pip install"
        ' "sgdyson[lightning]".'
    ) from error


class SpectralCallback(Callback):
    """`Trainer(callbacks=[SpectralCallback("run.zarr", every=100)])`.

    Scalars go to every logger of the trainer.

    Args:
        out: folder of the Zarr store; must not exist.
        every: optimizer steps between records, "log" or "adaptive".
        **settings: of `SpectralTracker`, such as `batch_size` or `split`.
    """

    def __init__(self, out: Path | str, every: int | str = 100, **settings: Any) -> None:
        self.out, self.every, self.settings = out, every, settings
        self.tracker: SpectralTracker | None = None
        self._steps = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        def log(name: str, value: float, step: int) -> None:
            for logger in trainer.loggers:
                logger.log_metrics({name: value}, step)

        wrapped = trainer.strategy.model
        distributed = callable(getattr(wrapped, "register_comm_hook", None))
        if not (distributed or trainer.is_global_zero or is_sharded(pl_module)):
            return
        settings = {"optimizer": trainer.optimizers[0], "log": log, **self.settings}
        self._steps = trainer.global_step
        self.tracker = SpectralTracker(
            wrapped if distributed else pl_module, self.out, self.every, **settings
        )

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        # under gradient accumulation most batches end without an update
        if self.tracker is not None and trainer.global_step > self._steps:
            self._steps = trainer.global_step
            self.tracker.step()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        if self.tracker is not None:
            self.tracker.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self.on_train_end(trainer, pl_module)
