"""One record: the spectra of all matrices, and what is known beside them."""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import require
from ..spectra import Skipped, singular_values_of, weight_matrices
from ._gradients import Moments
from ._keys import Keys
from ._level_steps import Frame, frame_after, frame_of, steps_in
from ._settings import Settings
from ._vectors import Vectors, leading

Shape = tuple[int, ...]
_SAMPLE = 64  # entries that are looked at first
_SMALL, _LARGE = 1 << 10, 1 << 14  # entries that are kept as they are; of which one is held
_NOTHING = np.zeros(0)
Spectra = dict[str, np.ndarray]
Find = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


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
        live: called after each decomposition.
        shapes: of all that was ever recorded, by name.
        keys: of the arrays, by name.
        dynamics: whether to tell what each update does to levels and their neighbours.
        velocities: whether to tell what it does to levels alone.
        vectors: leading levels of which to tell what is left of their vectors since the last
            record.
    """

    split: int | dict[str, int]
    live: Callable[[], object]
    shapes: dict[str, Shape] = field(default_factory=dict)
    keys: Keys = field(default_factory=lambda: Keys({}))
    layout: str | Mapping[str, str] = "auto"
    dynamics: bool = False
    velocities: bool = False
    vectors: int = 0
    _vectors: dict[str, Vectors] = field(default_factory=dict)
    _frames: dict[str, Frame] = field(default_factory=dict)
    _frames_of: int = -1
    _last: Spectra = field(default_factory=dict)
    _contents: dict[str, bytes] = field(default_factory=dict)
    _digests: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)

    def record(
        self,
        arrays: Iterable[tuple[str, Any]],
        moments: Mapping[str, Moments],
        before: Mapping[str, np.ndarray],
        settings: Settings,
        find: Find = singular_values_of,
        *,
        step: int = 0,
        soon: bool = False,
    ) -> Record:
        """Measure the matrices among these arrays.

        Args:
            arrays: names and weights.
            moments: signal and noise of gradients, by matrix.
            before: weights one update before, where they are to be compared.
            settings: what holds.
            find: singular values of several matrices.
            step: number of updates.
            soon: whether the next update is to be recorded too.
        """
        values = {name: np.array(value) for name, value in settings.common.items()}
        record = Record({}, values, [])
        sizes = {n: np.shape(value) for n, value in arrays} if isinstance(arrays, list) else None
        old = dict(self._matrices(before.items(), [], sizes))
        resumed = bool(self.shapes) and not self._last
        known = set(self.shapes)
        self._frames = self._frames if self._frames_of == step - 1 else {}
        small: list[tuple[str, np.ndarray]] = []
        for name, matrix in self._matrices(arrays, record.skipped, sizes):
            self._know(name, matrix.shape)
            record.spectra[name] = self._last.get(name, _NOTHING)  # in the order of the model
            still = self._stands_still(name, matrix)
            frame = self._follow(name, matrix, old.get(name), values)
            if self.dynamics and soon:
                self._frames[name] = frame = frame_after(matrix, frame, still)
                record.spectra[name] = frame.s
            elif not still:
                small.append((name, matrix))
            if self.vectors:
                self._compare(name, matrix, frame if self.dynamics and soon else None, values)
            if matrix.size > _LARGE:  # so that no two of them are held at once
                self._decompose(small, record.spectra, find)
        self._decompose(small, record.spectra, find)
        self._frames_of = step
        for name, s in record.spectra.items():
            self._tell_of(name, s, values, moments, settings)
        if resumed and record.spectra:
            check_some_known(known, record.spectra)
        record.change = self._change(record.spectra)
        self._last = record.spectra
        return record

    def _follow(
        self, name: str, matrix: np.ndarray, before: np.ndarray | None,
        values: dict[str, np.ndarray],
    ) -> Frame | None:  # fmt: skip
        """What the last update has done to the levels, in the frame of the matrix before it."""
        frame, key = self._frames.pop(name, None), self.keys[name]
        if frame is None and before is not None:
            frame = frame_of(before)
        if frame is None:
            return None
        band = steps_in(frame, matrix)
        if self.dynamics:
            values[f"steps_{key}"] = band.ravel()
        if self.velocities:
            values[f"velocity_{key}"] = band[:, band.shape[1] // 2].copy()
        return frame

    def _compare(
        self, name: str, matrix: np.ndarray, frame: Frame | None, values: dict[str, np.ndarray]
    ) -> None:
        """What is left of the leading vectors of the last record."""
        before, now = self._vectors.get(name), leading(matrix, self.vectors, frame)
        if before is not None:
            values[f"kept_{self.keys[name]}"] = now.kept(before).ravel()
        self._vectors[name] = now

    def _decompose(
        self, matrices: list[tuple[str, np.ndarray]], spectra: Spectra, find: Find
    ) -> None:
        """All of these, and empty the list."""
        decomposed = find([matrix for _, matrix in matrices])
        spectra.update(zip([name for name, _ in matrices], decomposed, strict=True))
        matrices.clear()
        self.live()

    def _tell_of(
        self, name: str, s: np.ndarray, values: dict[str, np.ndarray],
        moments: Mapping[str, Moments], settings: Settings,
    ) -> None:  # fmt: skip
        key = self.keys[name]
        values[f"s_{key}"] = s
        if name in moments:
            values[f"signal_{key}"], values[f"noise_{key}"] = map(np.array, moments[name])
        if settings.own:
            for quantity, value in settings.differing(name).items():
                values[f"{quantity}_{key}"] = np.array(value)

    def attributes(self) -> dict[str, dict[str, Any]]:
        """Attributes of the arrays of spectra."""
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
        for matrix in weight_matrices(arrays, self.split, self.layout, sizes):
            if isinstance(matrix, Skipped):
                skipped.append(matrix)
            else:
                yield matrix

    def _know(self, name: str, shape: Shape) -> None:
        """A matrix may come late, as one that begins as zero, but may not change its shape."""
        known = self.shapes.setdefault(name, shape)
        require(known == shape, f"{name} had the shape {known} and now has {shape}.")

    def _stands_still(self, name: str, matrix: np.ndarray) -> bool:
        """The spectrum; a matrix that has not moved by a bit is not decomposed once more."""
        if matrix.size <= _SMALL:
            content = matrix.tobytes()
            still = self._contents.get(name) == content and name in self._last
            self._contents[name] = content
            return still
        sample = matrix.ravel()[:: max(matrix.size // _SAMPLE, 1)].tobytes()
        before = self._digests.get(name)
        digest = b""
        if before is None or before[0] == sample:  # else it has moved for sure
            # 128 bits in place of a copy of the matrix; two contents share one with no chance that
            # counts
            digest = hashlib.blake2b(np.ascontiguousarray(matrix).data, digest_size=16).digest()
        self._digests[name] = (sample, digest)
        return bool(digest) and before == (sample, digest) and name in self._last

    def _change(self, spectra: Spectra) -> float | None:
        if list(spectra) == list(self._last):  # nearly always: one look at all
            return _largest_change(list(self._last.values()), list(spectra.values()))
        both = [name for name in spectra if name in self._last]
        return _largest_change([self._last[n] for n in both], [spectra[n] for n in both])


def _largest_change(before: list[np.ndarray], after: list[np.ndarray]) -> float | None:
    if not after:
        return None
    starts = np.cumsum([0, *(len(s) for s in after[:-1])])
    now = np.concatenate(after)
    moved = np.add.reduceat((now - np.concatenate(before)) ** 2, starts)
    return math.sqrt(np.max(moved / np.add.reduceat(now**2, starts)))


def check_some_known(known: Iterable[str], names: Iterable[str]) -> None:
    """A store that is gone on with must be of this model."""
    known, names = list(known), list(names)
    require(
        not known or bool(set(known) & set(names)),
        f"the store holds {', '.join(known[:3])}, and the model {', '.join(names[:3])}: no matrix"
        " of one is in the other; choose another name for the store.",
    )
