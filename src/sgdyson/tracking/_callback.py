"""What the callbacks of trainers share: nothing of theirs is raised in the training."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import require
from ._cadence import Cadence, Every
from ._tell import tell
from ._torch import SpectralTracker

_NO_METRICS = ("epoch", "step", "total_flos")
_OF_SPEED = ("_runtime", "_per_second")


class Guarded:
    """A tracker that a trainer begins, steps and ends.

    Args:
        out: folder of the Zarr store.
        every: optimizer steps between records, "log", "adaptive", "burst" or a `Burst`.
        **settings: of `SpectralTracker`.

    Raises:
        InvalidInputError: a cadence below one, or a setting that there is not: before the training.
    """

    def __init__(self, out: Path | str, every: Every = 100, **settings: Any) -> None:
        Cadence(every)
        known = inspect.signature(SpectralTracker).parameters
        for name in settings:
            require(
                name in known and name not in ("model", "out", "every"),
                # after model, out and every, which are no settings here
                f"{name} = is no setting of SpectralTracker; it has {', '.join(list(known)[3:])}.",
            )
        self.out, self.every, self.settings = out, every, settings
        self.tracker: SpectralTracker | None = None

    def begin(self, tracker: Callable[[], SpectralTracker | None]) -> None:
        """Begin a training; one before it, interrupted or not, has ended."""
        self.guard(self.end)
        self.tracker = self.guard(tracker)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Keep with the run what the trainer has measured, as far as it is one number."""
        if self.tracker is None:
            return
        for name, value in metrics.items():
            if _is_number(value) and name not in _NO_METRICS and not name.endswith(_OF_SPEED):
                self.tracker.log_scalar(name, value, step)

    def end(self) -> None:
        """The training has ended, or was interrupted."""
        if self.tracker is not None:
            self.tracker.close()

    def guard(self, work: Callable[[], Any]) -> Any:
        """The result; of what fails None, with one warning and without a tracker from then on."""
        try:
            return work()
        except Exception as error:
            self.tracker = None
            tell(f"sgdyson's tracker has stopped: {str(error) or repr(error)}", 3)
            return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or getattr(value, "ndim", None) == 0
