"""What the user tells of the update: learning rate, batch size, numbers of the optimiser."""

from collections.abc import Callable, Mapping

from ..errors import require
from ._settings import Rate, Settings, number, rates


class Told:
    """Asked at each record; what cannot be had is told once, and left out.

    Args:
        learning_rate: a number, one for each matrix, or a function that tells them.
        batch_size: samples of an update, or a function that tells them.
        numbers: of the optimiser.
        tell: is told what failed.

    Raises:
        InvalidInputError: a batch size that is not positive.
    """

    def __init__(
        self,
        learning_rate: Rate | Callable[[], Rate] | None,
        batch_size: float | Callable[[], float] | None,
        numbers: Mapping[str, float],
        tell: Callable[[str], object],
    ) -> None:
        require(
            batch_size is None or callable(batch_size) or batch_size > 0,
            f"batch_size = {batch_size!r} must be a positive number of samples.",
        )
        self._rate, self._size, self._numbers = learning_rate, batch_size, dict(numbers)
        self._tell = tell

    def now(self) -> Settings:
        """What holds now."""
        batch = self.batch()
        common = self._numbers | ({} if batch is None else {"batch_size": batch})
        try:
            rate = rates(self._rate)
        except Exception as error:
            self._tell(f"learning_rate= could not be had: {error!r}")
            return Settings(common)
        return Settings(common | rate.common, rate.own)

    def batch(self) -> float | None:
        """Samples of an update; None where they are not told."""
        try:
            batch = self._size() if callable(self._size) else self._size
            return None if batch is None else number(batch)
        except Exception as error:
            self._tell(f"batch_size= could not be had: {error!r}")
            return None
