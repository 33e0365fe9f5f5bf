"""An array in a file, known by its header before any of it is read."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ._capacity import require_memory
from ._failures import reason_of
from .errors import InvalidInputError

_COPIES = 2  # the bytes of the file, and what is made of them, side by side

_SMALL = 2**24  # bytes that no one asks for: the system takes milliseconds to tell what is free


def _nothing() -> np.ndarray:
    raise InvalidInputError("nothing is stored.")


@dataclass(frozen=True)
class Stored:
    """An array in a file.

    Attributes:
        name: in the file.
        dtype: as the file calls it, or as NumPy does.
        shape: by the header.
        read: reads it; raises `InvalidInputError` with the reason where that fails.
        reason: why it is not read, where its header tells.
        share: a key that arrays with the same numbers in memory have in common.
        words: how it was made of what is in the file; empty where it was not.
        factors: reads two matrices whose product it is, where it is stored so.
        beside: files that its numbers depend on, beside those of the checkpoint.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    read: Callable[[], np.ndarray] = field(default=_nothing, repr=False)
    reason: str | None = None
    share: tuple[object, ...] | None = field(default=None, repr=False)
    words: str = ""
    factors: Callable[[], tuple[np.ndarray, np.ndarray]] | None = field(default=None, repr=False)
    beside: tuple[Path, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Half a pair of UTF-16, which JSON and pickles let through, no output could encode."""
        name = self.name.encode("utf-8", "backslashreplace").decode("utf-8")
        object.__setattr__(self, "name", name)

    @property
    def nbytes(self) -> float:
        """What it takes in its file, by the header; nothing, if it is not read."""
        if self.reason is not None:
            return 0.0
        bits = "".join(sign for sign in self.dtype.partition("_")[0] if sign.isdigit())
        return math.prod(self.shape) * (int(bits) / 8 if bits else 1)

    def load(self, *, as_stored: bool = False) -> np.ndarray:
        """The array.

        Args:
            as_stored: whether it stays in its type; there is to be room for float64 otherwise.

        Raises:
            InvalidInputError: the reason, one phrase.
        """
        if self.reason is not None:
            raise InvalidInputError(self.reason)
        wanted = _COPIES * (self.nbytes if as_stored else 8 * math.prod(self.shape))
        if wanted > _SMALL:
            require_memory(wanted, f"an array of shape {self.shape}", "read it on a larger machine")
        try:
            return self.read()
        except MemoryError as error:
            raise InvalidInputError(f"shape {self.shape} does not fit into memory") from error
        except OSError as error:
            raise InvalidInputError(f"cannot be read from the disk ({reason_of(error)})") from error


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes:
        arrays: in the order of the file.
        facts: whole numbers beside them, such as `step` and `epoch`.
    """

    arrays: Sequence[Stored]
    facts: Mapping[str, int] = field(default_factory=dict)


FACTS = ("global_step", "step", "steps", "iteration", "iter", "epoch")
