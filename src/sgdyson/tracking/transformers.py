"""The tracker as a callback of Hugging Face's Trainer."""

from pathlib import Path
from typing import Any

from ..errors import InvalidInputError
from ._torch import SpectralTracker
from ._torch_processes import is_sharded

try:
    from transformers import TrainerCallback
except ImportError as error:  # pragma: no cover
    raise InvalidInputError(
        "sgdyson.tracking.transformers needs Transformers; install it with: pip install"
        ' "sgdyson[transformers]".'
    ) from error


class SpectralCallback(TrainerCallback):
    """`Trainer(..., callbacks=[SpectralCallback("run.zarr", every=100)])`.

    Args:
        out: folder of the Zarr store; must not exist.
        every: optimizer steps between records, "log" or "adaptive".
        **settings: of `SpectralTracker`, such as `batch_size`, `split` or `log`. The batch size is
            that of the training arguments where none is given.
    """

    def __init__(self, out: Path | str, every: int | str = 100, **settings: Any) -> None:
        self.out, self.every, self.settings = out, every, settings
        self.tracker: SpectralTracker | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not (state.is_world_process_zero or is_sharded(kwargs["model"])):
            return  # gradients are averaged over processes: one of them sees all
        batch = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
        settings = {"optimizer": kwargs.get("optimizer"), "batch_size": batch, **self.settings}
        self.tracker = SpectralTracker(kwargs["model"], self.out, self.every, **settings)

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # after the update, before gradients are set to zero
        if self.tracker is not None:
            self.tracker.step()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.tracker is not None:
            self.tracker.close()
