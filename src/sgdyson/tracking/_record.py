"""One record: the spectra of all matrices, and what is known beside them."""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import require
from ..spectra import Skipped, singular_values, weight_matrices
from ._gradients import Moments
from ._keys import Keys
from ._settings import Settings

Shape = tuple[int, ...]
_SAMPLE = 64  # entries that are looked at first
Spectra = dict[str, np.ndarray]


@dataclass
class Record:
    """What goes into the store.

    Attributes:
        spectra: singular values by matrix.
        values: by array of the store, the spectra among them.
        skipped: what has no spectrum.
        change: largest relative change of a spectrum since the last record; None without one.
    """

    spectra: Spectra
    values: dict[str, np.ndarray]
    skipped: list[Skipped]
    change: float | None = None


@dataclass
class Recorder:
    """Makes records; knows the matrices of those before.

    Args:
        split: parts of fused matrices.
        layout: which axes are rows, by name.
        find: singular values of a matrix.
        live: called after each matrix.
        shapes: of all that was ever recorded, by name.
        keys: of the arrays, by name.
    """

    split: int | dict[str, int]
    live: Callable[[], object]
    shapes: dict[str, Shape] = field(default_factory=dict)
    keys: Keys = field(default_factory=lambda: Keys({}))
    layout: str | Mapping[str, str] = "auto"
    _last: Spectra = field(default_factory=dict)
    _digests: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)

    def record(
        self,
        arrays: Iterable[tuple[str, Any]],
        moments: Mapping[str, Moments],
        before: Mapping[str, np.ndarray],
        settings: Settings,
        find: Callable[[np.ndarray], np.ndarray] = singular_values,
    ) -> Record:
        """Measure the matrices among these arrays."""
        values = {name: np.array(value) for name, value in settings.common.items()}
        found = Record({}, values, [])
        sizes = {n: np.shape(value) for n, value in arrays} if isinstance(arrays, list) else None
        old = dict(self._matrices(before.items(), [], sizes))
        resumed = bool(self.shapes) and not self._last
        known = set(self.shapes)
        for name, matrix in self._matrices(arrays, found.skipped, sizes):
            self._know(name, matrix.shape)
            found.spectra[name] = s = self._spectrum(name, matrix, find)
            key = self.keys[name]
            values[f"s_{key}"] = s
            if name in old:
                values[f"velocity_{key}"] = _velocity(old[name], matrix)
            if name in moments:
                values[f"signal_{key}"], values[f"noise_{key}"] = map(np.array, moments[name])
            for quantity, value in settings.differing(name).items():
                values[f"{quantity}_{key}"] = np.array(value)
            self.live()
        if resumed and found.spectra:
            check_some_known(known, found.spectra)
        found.change = self._change(found.spectra)
        self._last = found.spectra
        return found

    def attributes(self) -> dict[str, dict[str, Any]]:
        """Of the arrays of spectra."""
        return {
            f"s_{self.keys[name]}": {"name": name, "shape": list(shape), "number": number}
            for number, (name, shape) in enumerate(self.shapes.items())
        }

    def _matrices(
        self,
        arrays: Iterable[tuple[str, Any]],
        skipped: list[Skipped],
        sizes: Mapping[str, tuple[int, ...]] | None,
    ) -> Iterable[tuple[str, np.ndarray]]:
        for part in weight_matrices(arrays, self.split, self.layout, sizes):
            if isinstance(part, Skipped):
                skipped.append(part)
            else:
                yield part

    def _know(self, name: str, shape: Shape) -> None:
        """A matrix may come late, as one that begins as zero, but may not change its shape."""
        known = self.shapes.setdefault(name, shape)
        require(known == shape, f"{name} had the shape {known} and now has {shape}.")

    def _spectrum(
        self, name: str, matrix: np.ndarray, find: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """What has not moved by a bit, as a frozen matrix, is not decomposed once more."""
        sample = matrix.ravel()[:: max(matrix.size // _SAMPLE, 1)].tobytes()
        before = self._digests.get(name)
        digest = b""
        if before is None or before[0] == sample:  # else it has moved for sure
            digest = hashlib.blake2b(np.ascontiguousarray(matrix).data, digest_size=16).digest()
        self._digests[name] = (sample, digest)
        if digest and before == (sample, digest) and name in self._last:
            return self._last[name]
        return find(matrix)

    def _change(self, spectra: Spectra) -> float | None:
        changes = []
        for name, s in spectra.items():
            if name in self._last:
                moved = s - self._last[name]
                changes.append(math.sqrt((moved @ moved) / (s @ s)))
        return max(changes, default=None)


def check_some_known(known: Iterable[str], names: Iterable[str]) -> None:
    """A store that is gone on with must be of this model."""
    known, names = list(known), list(names)
    require(
        not known or bool(set(known) & set(names)),
        f"the store holds {', '.join(known[:3])}, and the model {', '.join(names[:3])}: no matrix"
        " of one is in the other; choose another name for the store.",
    )


def _velocity(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """u^T dW v of each singular value of `before`, descending."""
    if np.array_equal(before, after):
        return np.zeros(min(before.shape))
    left, _, right = np.linalg.svd(before, full_matrices=False)
    return np.asarray(np.einsum("mi,mn,in->i", left, after - before, right, optimize=True))
