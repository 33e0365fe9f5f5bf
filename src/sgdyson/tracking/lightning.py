"""The tracker as a callback of Lightning."""

from typing import Any

from ..errors import InvalidInputError
from ._callback import Guarded
from ._torch import SpectralTracker
from ._torch_processes import is_sharded

try:
    from lightning.pytorch.callbacks import Callback
except ImportError as error:  # pragma: no cover
    raise InvalidInputError(
        "sgdyson.tracking.lightning needs Lightning; install it with: pip install"
        ' "sgdyson[lightning]".'
    ) from error


class SpectralCallback(Guarded, Callback):
    """`Trainer(callbacks=[SpectralCallback("run.zarr", every=100)])`.

    Scalars go to every logger of the trainer. The loss, and what the module logs, is kept with the
    run, at the steps at which the trainer logs and after each validation. A training that resumes
    (`ckpt_path=`) goes on with its store. Whatever fails here warns once, and the training goes on.

    Args:
        out: folder of the Zarr store; must not exist, but for a training that resumes.
        every: optimizer steps between records, "log", "adaptive", "burst" or a `Burst`.
        **settings: of `SpectralTracker`, such as `batch_size`, `dynamics` or `mode`.
    """

    _steps = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.begin(lambda: self._tracker(trainer, pl_module))

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # under gradient accumulation most batches end without an update
        if self.tracker is not None and trainer.global_step > self._steps:
            self._steps = trainer.global_step
            self.guard(self.tracker.step)
            if trainer.global_step % max(trainer.log_every_n_steps, 1) == 0:
                self.guard(lambda: self._log(trainer, _loss(outputs)))

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.sanity_checking:
            self.guard(lambda: self._log(trainer, {}))

    def _log(self, trainer: Any, loss: dict[str, Any]) -> None:
        """The loss, and what was logged anew: the trainer holds on to what it was told last."""
        metrics = {n: float(v) for n, v in {**loss, **trainer.callback_metrics}.items()}
        self.log_metrics(
            {n: v for n, v in metrics.items() if n in loss or self._metrics.get(n) != v}
        )
        self._metrics |= metrics

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.guard(self.end)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self.guard(self.end)

    def _tracker(self, trainer: Any, pl_module: Any) -> SpectralTracker | None:
        def log(name: str, value: float, step: int) -> None:
            for logger in trainer.loggers:
                logger.log_metrics({name: value}, step)

        self._metrics: dict[str, float] = {}
        self._steps = trainer.global_step  # counts each of several optimisers
        wrapped = trainer.strategy.model
        distributed = callable(getattr(wrapped, "register_comm_hook", None))
        if not (distributed or trainer.is_global_zero or is_sharded(pl_module)):
            return None
        settings = {
            "optimizer": trainer.optimizers, "log": log,
            "start_step": self._steps // max(len(trainer.optimizers), 1), **self.settings,
        }  # fmt: skip
        return SpectralTracker(
            wrapped if distributed else pl_module, self.out, self.every, **settings
        )


def _loss(outputs: Any) -> dict[str, Any]:
    """What a training step has returned."""
    loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
    return {} if loss is None else {"loss": loss.detach()}
