"""When a run is recorded."""

import math
import time
from dataclasses import dataclass
from typing import Self

import numpy as np

from .._checks import settle, whole
from ..errors import require

_LONGEST = 1 << 14
_FARTHEST = 1 << 24
_STILL, _MOVING = 0.005, 0.02  # relative change of a spectrum between two records
_SHARE = 0.04  # of the time of training, that bursts of a chosen spacing may take


@dataclass(frozen=True)
class Burst:
    """Short bursts of records at consecutive steps: many single updates are seen at little cost.

    Attributes:
        length: updates in a burst, between length + 1 records.
        spacing: updates from the beginning of one burst to the next.

    Raises:
        InvalidInputError: numbers that are not whole, a spacing not above the length.

    Examples:
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


class Meter:
    """Seconds of a training, and of watching it: a context around what watches.

    Attributes:
        training: outside the context, since it was entered first.
        watching: inside.
    """

    def __init__(self) -> None:
        self.training = self.watching = 0.0
        self._began, self._ended = 0.0, math.inf

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        self.training += max(self._began - self._ended, 0.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = time.perf_counter()
        self.watching += self._ended - self._began

    def beside(self, seconds: float) -> None:
        """Add those of work in a thread of its own, less those spent waiting for it."""
        self.watching += seconds


class Cadence:
    """Which steps are recorded.

    Args:
        every: steps between records; "log" for steps 0, 1, 2, 4, 8, ...; "adaptive", which
            doubles the interval while spectra change by less than 0.5 % from record to record, and
            halves it when one changes by more than 2 %; "burst", nine consecutive steps out of 500,
            or of 1000, 2000, ... where bursts would else have taken over 4 % of the time of
            training when the next one begins; or a `Burst`, which stays what it is.
        alone: whether nobody else must come to the same steps, as the other processes of a
            distributed run must, which would measure other times: "burst" is `Burst()` there.
    """

    def __init__(self, every: Every, *, alone: bool = True) -> None:
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
        self.meter = Meter()
        self._chosen = every == "burst" and alone
        self._begin, self._start, self._watched = 0, -1, 0.0

    def due(self, step: int) -> bool:
        """Whether this step is recorded."""
        if self.every == "log":
            # n and n - 1 share no bit for 0 and for powers of two alone
            return step & (step - 1) == 0
        if self.every == "adaptive":
            return step >= self._next or step < self._last  # of a training that goes back
        if isinstance(self.every, Burst):
            # <=: so many updates lie between one record more
            return (step - self._begin) % self.every.spacing <= self.every.length
        return step % int(self.every) == 0

    def lone(self, step: int) -> bool:
        """Whether it is recorded, the step before is not, and it begins no burst."""
        burst = isinstance(self.every, Burst) and self.every
        begins = burst and (step - self._begin) % burst.spacing == 0
        return self.due(step) and not self.due(step - 1) and not begins

    def recorded(self, step: int, change: float | None) -> None:
        """Take note of a record and of the largest relative change known by then."""
        if change is not None and change < _STILL:
            self._interval = min(2 * self._interval, _LONGEST)
        elif change is not None and change > _MOVING:
            self._interval = max(self._interval // 2, 1)
        self._last, self._next = step, step + self._interval
        if self._chosen:
            self._choose(step)

    def _choose(self, step: int) -> None:
        """The spacing, at the last record of a burst: what one costs is known by then."""
        assert isinstance(self.every, Burst)
        self._start = step if self._start < 0 else self._start
        length, place = self.every.length, (step - self._begin) % self.every.spacing
        if place == 0:
            self._watched = self.meter.watching
        if place != length:
            return
        # this record is in work yet: it is as dear as the others of its burst
        watching = self._watched + (self.meter.watching - self._watched) * (1 + 1 / length)
        left = watching / _SHARE - self.meter.training
        updates = left * (step - self._start) / max(self.meter.training, 1e-9)
        spacing = Burst().spacing
        while spacing < length + updates and spacing < _FARTHEST:
            spacing *= 2
        self._begin, self.every = step - length, Burst(length, spacing)
