"""What a tracker hands on beside its records, to loggers and to the series of scalars.

Whatever fails here is told once, and costs no record.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ._loggers import Logger
from ._settings import number

Tell = Callable[[str], object]


class Done(NamedTuple):
    """What a record has found for others than the store.

    Attributes:
        step: of the record.
        change: largest relative change of a spectrum since the last record.
        scalars: for a logger.
        levels: singular values by matrix, for one that takes them.
        seconds: that it took.
    """

    step: int
    change: float | None
    scalars: list[tuple[str, float, int]]
    levels: Mapping[str, np.ndarray]
    seconds: float


class Post:
    """To a logger, and to whatever keeps scalars, until they fail.

    Args:
        logger: None where there is none.
        keep: takes the name of a series, a step and a value.
        tell: is told what failed.
    """

    def __init__(
        self, logger: Logger | None, keep: Callable[[str, int, float], object], tell: Tell
    ) -> None:
        self._logger, self._keep, self._tell, self._deaf = logger, keep, tell, False

    @property
    def scalars(self) -> bool:
        """Whether anybody takes them."""
        return self._logger is not None

    @property
    def levels(self) -> bool:
        """Whether anybody takes all singular values."""
        return self._logger is not None and self._logger.histograms

    def send(self, done: Done) -> None:
        """A record, to the logger."""
        if self._logger is None:
            return
        try:
            for scalar in done.scalars:
                self._logger.scalar(*scalar)
            for name, values in done.levels.items():
                self._logger.levels(name, values, done.step)
        except Exception as error:
            self._logger = None
            self._tell(f"log= has failed and is not called any more: {error!r}")

    def keep(self, name: str, value: Any, step: int) -> None:
        """A number of the user's, to the store."""
        if self._deaf:
            return
        try:
            self._keep(str(name), int(step), number(value))
        except (TypeError, ValueError) as error:
            self._tell(f"log_scalar: {name} = {value!r} is not one number ({error})")
        except Exception as error:
            self._deaf = True
            self._tell(f"log_scalar has failed and keeps nothing any more: {error!r}")

    def close(self) -> None:
        """Nothing comes any more for the logger."""
        logger, self._logger = self._logger, None
        try:
            if logger is not None:
                logger.close()
        except Exception as error:
            self._tell(f"log= could not be closed: {error!r}")
