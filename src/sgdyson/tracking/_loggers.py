"""Where the numbers of records go beside the store: a function, or a service by its name."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._types import Floats
from ..errors import InvalidInputError, require

Log = Callable[[str, float, int], object]
_PREFIX = "sgdyson/"
_BINS = 64


class Logger(ABC):
    """Takes the numbers of each record, in the thread of the training.

    Attributes:
        histograms: whether it takes singular values too.
    """

    histograms = False

    @abstractmethod
    def scalar(self, name: str, value: float, step: int) -> object:
        """One number."""

    def levels(self, name: str, values: Floats, step: int) -> None:  # noqa: B027
        """All singular values of a matrix."""

    def close(self) -> None:  # noqa: B027
        """End what it has begun; what it has found is left as it was."""


class Function(Logger):
    """A function of a name, a number and a step."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def scalar(self, name: str, value: float, step: int) -> object:
        return self._log(name, value, step)


class TensorBoard(Logger):
    """Scalars and histograms in a folder beside the store."""

    histograms = True

    def __init__(self, out: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(out.with_name(f"{out.stem}-tensorboard")))

    def scalar(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)

    def levels(self, name: str, values: Floats, step: int) -> None:
        self._writer.add_histogram(f"{_PREFIX}{name}/singular values", values, step, bins=_BINS)

    def close(self) -> None:
        self._writer.close()


class WandB(Logger):
    """Scalars and histograms in the run that goes on, or in one of its own, called as the store."""

    histograms = True

    def __init__(self, out: Path) -> None:
        import wandb

        self._wandb, self._own = wandb, wandb.run is None
        self._run = wandb.run or wandb.init(project="sgdyson", name=out.stem)
        # a step of its own: the training may have told other numbers of later ones
        self._run.define_metric(f"{_PREFIX}step")
        self._run.define_metric(f"{_PREFIX}*", step_metric=f"{_PREFIX}step")

    def scalar(self, name: str, value: float, step: int) -> object:
        return self._run.log({name: value, f"{_PREFIX}step": step})

    def levels(self, name: str, values: Floats, step: int) -> None:
        histogram = self._wandb.Histogram(np_histogram=np.histogram(values, _BINS))
        self._run.log({f"{_PREFIX}{name}/singular values": histogram, f"{_PREFIX}step": step})

    def close(self) -> None:
        if self._own:
            self._run.finish()


class MLflow(Logger):
    """Scalars in the run that goes on, or in one of its own, called as the store."""

    def __init__(self, out: Path) -> None:
        import mlflow

        self._mlflow, self._own = mlflow, mlflow.active_run() is None
        self._run = mlflow.active_run() or mlflow.start_run(run_name=out.stem)

    def scalar(self, name: str, value: float, step: int) -> object:
        plain = re.sub(r"[^\w./ -]", "_", name, flags=re.ASCII)  # all that it takes
        run = self._run.info.run_id
        return self._mlflow.log_metric(plain, value, step=step, run_id=run)

    def close(self) -> None:
        active = self._mlflow.active_run()
        if self._own and active is not None and active.info.run_id == self._run.info.run_id:
            self._mlflow.end_run()


LOGGERS: Mapping[str, tuple[Callable[[Path], Logger], str]] = {
    "tensorboard": (TensorBoard, "torch tensorboard"), "wandb": (WandB, "wandb"),
    "mlflow": (MLflow, "mlflow"),
}  # fmt: skip


def logger_of(log: Any, out: Path) -> Logger | None:
    """That of a word, or of a function.

    Args:
        log: "tensorboard", "wandb" or "mlflow"; a function of a name, a number and a step; None.
        out: of the store, which names what is begun.

    Raises:
        InvalidInputError: another word, a library that is not installed or does not begin.
    """
    if log is None or callable(log):
        return None if log is None else Function(log)
    require(
        isinstance(log, str) and log in LOGGERS,
        f"log = {log!r} must be one of {', '.join(LOGGERS)}, or a function of a name, a number and"
        " a step.",
    )
    make, packages = LOGGERS[log]
    try:
        return make(out)
    except ImportError as error:
        raise InvalidInputError(
            f'log = "{log}" needs a library that is not installed ({error}); install it with: pip'
            f" install {packages}."
        ) from error
    except Exception as error:  # of the library's own kinds: no server, no password, no disk
        words = " ".join(str(error).split())[:300].rstrip(".")
        raise InvalidInputError(f'log = "{log}" cannot begin: {words}.') from error
