"""When a run is recorded."""

import numpy as np

from ..errors import require

_LONGEST = 1 << 14
_STILL, _MOVING = 0.005, 0.02  # relative change of a spectrum between two records


class Cadence:
    """Which steps are recorded.

    Args:
        every: steps between records; "log" for steps 0, 1, 2, 4, 8, ...; or "adaptive", which
            doubles the interval while spectra change by less than 0.5 % from record to record, and
            halves it when one changes by more than 2 %.
    """

    def __init__(self, every: int | str) -> None:
        require(
            every in ("log", "adaptive")
            if isinstance(every, str)
            else isinstance(every, int | np.integer) and not isinstance(every, bool) and every >= 1,
            f'every = {every!r} must be a whole number of at least 1, "log" or "adaptive".',
        )
        self.every = every
        self._interval, self._last, self._next = 1, 0, 0

    def due(self, step: int) -> bool:
        """Whether this step is recorded."""
        if self.every == "log":
            return step & (step - 1) == 0
        if self.every == "adaptive":
            return step >= self._next or step < self._last  # of a training that goes back
        return step % int(self.every) == 0

    def recorded(self, step: int, change: float | None) -> None:
        """Take note of a record and of the largest relative change known by then."""
        if change is not None and change < _STILL:
            self._interval = min(2 * self._interval, _LONGEST)
        elif change is not None and change > _MOVING:
            self._interval = max(self._interval // 2, 1)
        self._last, self._next = step, step + self._interval
