"""Levels over time of independent replicas, with what is known of how they were made."""

from dataclasses import dataclass, field

import numpy as np

from .._types import Floats, WholeNumbers
from ..errors import require
from ..spectra import Multiplet


@dataclass(frozen=True)
class History:
    """Levels of one setting.

    Attributes:
        source: the file, and the setting and matrix in it.
        levels: (replica, time, level), descending, of one matrix.
        learning_rate: alpha, where known.
        batch_size: |B|, where known.
        label_noise: epsilon of the labels, where known.
        matrix: its name, where the model has several.
        replicas: the number by which each replica is known.
        multiplets: by the model, where there is one; None is a guess from the levels.
        stationary: the records begin after a burn-in.
        notes: guesses that were made in reading, one sentence each.
        beta: Dyson index of the weights: 1 where they are real, 2 complex, 4 quaternion.
        shared_inputs: all replicas saw the inputs of one finite data set.

    Examples:
        >>> import numpy as np
        >>> history = History("mine", np.array([[[2.0, 1.0]], [[2.5, 0.5]]]), learning_rate=0.1)
        >>> history.levels.shape  # replica, time, level
        (2, 1, 2)
    """

    source: str
    levels: Floats = field(repr=False)
    learning_rate: float | None = None
    batch_size: float | None = None
    label_noise: float | None = None
    matrix: str | None = None
    replicas: WholeNumbers | None = field(default=None, repr=False)
    multiplets: list[Multiplet] | None = None
    stationary: bool = False
    notes: tuple[str, ...] = ()
    beta: int = 1
    shared_inputs: bool = False

    def __post_init__(self) -> None:
        require(
            self.levels.ndim == 3 and self.levels.size > 0,
            f"{self.source}: levels of shape {self.levels.shape} must be (replica, time, level),"
            " none of them zero.",
        )

    @property
    def names(self) -> WholeNumbers:
        """The number of each replica."""
        numbers = self.replicas
        return np.arange(len(self.levels)) if numbers is None else numbers


def copies(levels: Floats) -> list[list[int]]:
    """Places of replicas whose histories are the same to the last bit, a list for each history.

    Levels of zeros alone, as of a replica that has not begun, are no history.
    """
    groups: dict[bytes, list[int]] = {}
    for place, history in enumerate(levels):
        if history.any():
            # bytes: replicas of one seed agree in every bit, and others in not nearly as many
            groups.setdefault(history.tobytes(), []).append(place)
    return [group for group in groups.values() if len(group) > 1]
