"""The tracker as a callback of Hugging Face's Trainer."""

from typing import Any

from ..errors import InvalidInputError
from ._callback import Guarded
from ._torch import SpectralTracker
from ._torch_processes import is_sharded

try:
    from transformers import TrainerCallback
except ImportError as error:  # pragma: no cover
    raise InvalidInputError(
        "sgdyson.tracking.transformers needs Transformers; install it with: pip install"
        ' "sgdyson[transformers]".'
    ) from error


class SpectralCallback(Guarded, TrainerCallback):
    """`Trainer(..., callbacks=[SpectralCallback("run.zarr", every=100)])`.

    A training that resumes (`resume_from_checkpoint=`) goes on with its store. Whatever fails here
    warns once, and the training goes on; of one that is interrupted every record is kept.

    Args:
        out: folder of the Zarr store; must not exist, but for a training that resumes.
        every: optimizer steps between records, "log", "adaptive", "burst" or a `Burst`.
        **settings: of `SpectralTracker`, such as `batch_size`, `dynamics`, `log` or `mode`. The
            batch size is that of the training arguments where none is given.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.begin(lambda: self._tracker(args, state, kwargs))

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # after the update, before gradients are set to zero
        if self.tracker is not None:
            self.guard(self.tracker.step)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        self.guard(lambda: self.log_metrics(logs or {}, state.global_step))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.guard(self.end)

    def _tracker(self, args: Any, state: Any, kwargs: dict[str, Any]) -> SpectralTracker | None:
        if not (state.is_world_process_zero or is_sharded(kwargs["model"])):
            return None  # gradients are averaged over processes: one of them sees all
        batch = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
        settings = {
            "optimizer": kwargs.get("optimizer"), "batch_size": batch,
            "start_step": state.global_step, **self.settings,
        }  # fmt: skip
        return SpectralTracker(kwargs["model"], self.out, self.every, **settings)
