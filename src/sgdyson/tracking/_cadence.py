"""When a run is recorded."""

from dataclasses import dataclass

import numpy as np

from .._checks import settle, whole
from ..errors import require

_LONGEST = 1 << 14
_STILL, _MOVING = 0.005, 0.02  # relative change of a spectrum between two records


@dataclass(frozen=True)
class Burst:
    """Short bursts of records at consecutive steps: many single updates are seen at little cost.

    Attributes:
        length: updates in a burst, between length + 1 records.
        spacing: updates from the beginning of one burst to the next.

    Raises:
        InvalidInputError: numbers that are not whole, a spacing not above the length.

    Example:
        Four updates in every hundred are seen one by one:

        >>> from sgdyson.tracking import Cadence
        >>> cadence = Cadence(Burst(length=4, spacing=100))
        >>> [step for step in range(210) if cadence.due(step)]
        [0, 1, 2, 3, 4, 100, 101, 102, 103, 104, 200, 201, 202, 203, 204]
    """

    length: int = 8
    spacing: int = 500

    def __post_init__(self) -> None:
        settle(self, length=whole("length", self.length), spacing=whole("spacing", self.spacing))
        require(
            self.spacing > self.length,
            f"spacing = {self.spacing} must be above length = {self.length}; every=1 records all.",
        )


Every = int | str | Burst


class Cadence:
    """Which steps are recorded.

    Args:
        every: steps between records; "log" for steps 0, 1, 2, 4, 8, ...; "adaptive", which
            doubles the interval while spectra change by less than 0.5 % from record to record, and
            halves it when one changes by more than 2 %; or "burst", nine consecutive steps out of
            500, or a `Burst` of other numbers.
    """

    def __init__(self, every: Every) -> None:
        require(
            every in ("log", "adaptive", "burst")
            if isinstance(every, str)
            else isinstance(every, int | np.integer | Burst)
            and not isinstance(every, bool)
            and (isinstance(every, Burst) or every >= 1),
            f'every = {every!r} must be a whole number of at least 1, "log", "adaptive", "burst" or'
            " a Burst.",
        )
        self.every: Every = Burst() if every == "burst" else every
        self._interval, self._last, self._next = 1, 0, 0

    def due(self, step: int) -> bool:
        """Whether this step is recorded."""
        if self.every == "log":
            return step & (step - 1) == 0
        if self.every == "adaptive":
            return step >= self._next or step < self._last  # of a training that goes back
        if isinstance(self.every, Burst):
            return step % self.every.spacing <= self.every.length
        return step % int(self.every) == 0

    def lone(self, step: int) -> bool:
        """Whether it is recorded, the step before is not, and it begins no burst."""
        begins = isinstance(self.every, Burst) and step % self.every.spacing == 0
        return self.due(step) and not self.due(step - 1) and not begins

    def recorded(self, step: int, change: float | None) -> None:
        """Take note of a record and of the largest relative change known by then."""
        if change is not None and change < _STILL:
            self._interval = min(2 * self._interval, _LONGEST)
        elif change is not None and change > _MOVING:
            self._interval = max(self._interval // 2, 1)
        self._last, self._next = step, step + self._interval
