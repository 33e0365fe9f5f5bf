"""Squared noise of the steps of levels, in blocks of time; what is drift, or alternates, set apart.

Levels that do not move, and levels whose steps alternate in sign, are no noise and are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space

from .._types import Flags, Floats
from ..errors import require
from ._not_noise import alternation, is_smooth

NULL = 0.01  # of the typical step: a level that moves less does not diffuse with the others
_ROUNDING = 1e-13
_MOST_BLOCKS, _FEWEST_BURSTS = 40, 8


@dataclass(frozen=True)
class NoiseSquares:
    """Mean squares by block of time, of pairs i, j = i + d; zero where they are left out.

    In units of the typical one of the levels near, and of its time.

    Attributes:
        alone: (block, level, d - 1), of a_ii and a_jj, their mean.
        mixed: (block, level, d - 1), of (a_ij + a_ji)/sqrt 2.
        pairs: (level, d - 1), which are there.
        null: levels that do not move.
        alternating: levels whose steps alternate.
        diffusion: (level,) mean square of a_ii in units of the matrix, per update.
        updates: how many there are.
        correlation: of a step with the next, where steps alternate so much that it must be told.
    """

    alone: Floats
    mixed: Floats
    pairs: Flags
    null: tuple[int, ...]
    alternating: tuple[int, ...]
    diffusion: Floats
    updates: int
    correlation: float | None


def noise_squares(bursts: Sequence[NDArray[np.inexact]], scale: float) -> NoiseSquares:
    """From bursts of consecutive steps.

    Args:
        bursts: (step, level, 2h + 1) each, see `level_steps`.
        scale: of the levels, whose rounding is no noise.

    Raises:
        InvalidInputError: nothing that moves, or no noise in it.
    """
    contrasts = [_contrasts(burst) for burst in bursts]
    alone = np.concatenate([_alone(c) for c in contrasts])
    # single steps have no contrast within them: what they share is the drift, one degree of freedom
    if all(len(burst) == 1 for burst in bursts) and len(alone) > 1:
        alone = (alone - alone.mean(axis=0)) * (len(alone) / (len(alone) - 1)) ** 0.5
    mixed = np.concatenate([np.abs(_mixed(c)) ** 2 for c in contrasts])
    size = np.sqrt(np.mean(alone**2, axis=0))
    still = size <= _ROUNDING * scale
    require(
        not (still.all() or is_smooth([_alone(burst) for burst in bursts], ~still)),
        "its levels move without noise: what is left of their steps beside a steady drift is"
        " smooth, or rounding.",
    )
    null = np.asarray(still | (size < NULL * np.median(size[~still])))
    alternates = alternation([
        np.concatenate([_alone(burst)[..., None], _mixed(burst)], axis=2) for burst in bursts
    ])  # fmt: skip
    left_out = alternates.levels & ~null
    left = ~(null | left_out)
    half = mixed.shape[2]
    pairs = np.stack([left & _shifted(left, d) for d in range(1, half + 1)], axis=1)
    blocks = _blocks([len(c) for c in contrasts])
    squares = np.where(left, _by_block(alone**2, blocks), 0.0)
    mixed = np.where(pairs, _by_block(mixed, blocks), 0.0)
    unit = _units(squares, mixed, left, pairs)
    both = np.stack([(squares + _shifted(squares.T, d).T) / 2 for d in range(1, half + 1)], axis=2)
    a, m = (np.where(pairs, x / unit, 0.0) for x in (both, mixed))
    return NoiseSquares(
        a,
        m,
        pairs,
        _places(null),
        _places(left_out),
        size**2,
        sum(map(len, bursts)),
        alternates.correlation,
    )


def _contrasts(burst: NDArray[np.inexact]) -> NDArray[np.inexact]:
    """Orthonormal sums of steps in which a drift, and a part that alternates, cancel."""
    return np.asarray(np.tensordot(_basis(len(burst)), burst, axes=1))


@lru_cache(maxsize=64)
def _basis(steps: int) -> Floats:
    if steps == 1:
        return np.ones((1, 1))
    constant, alternating = np.ones(steps), (-1.0) ** np.arange(steps)
    return np.asarray(null_space(np.stack([constant, alternating][: steps - 1])).T)


def _alone(steps: NDArray[np.inexact]) -> Floats:
    half = steps.shape[2] // 2
    return np.asarray(steps[:, :, half].real, dtype=np.float64)


def _mixed(steps: NDArray[np.inexact]) -> NDArray[np.inexact]:
    """(a_ij + a_ji*)/sqrt 2 of j = i + d, (step, level, d - 1); zero where there is no j."""
    half = steps.shape[2] // 2
    mixed = np.zeros((*steps.shape[:2], half), steps.dtype)
    for d in range(1, min(half, steps.shape[1] - 1) + 1):
        above, below = steps[:, :-d, half + d], steps[:, d:, half - d]
        mixed[:, :-d, d - 1] = (above + below.conj()) / 2**0.5
    return mixed


def _shifted(values: NDArray[Any], d: int) -> NDArray[Any]:
    """That of level i + d, along the first axis; zero beyond the last."""
    return np.concatenate([values[d:], np.zeros_like(values[:d])])


def _blocks(lengths: list[int]) -> list[NDArray[np.intp]]:
    """Which contrasts make a block: whole bursts where there are enough, else each its own."""
    ends = np.cumsum(lengths)
    places = [np.arange(end - n, end) for n, end in zip(lengths, ends, strict=True)]
    if len(places) < _FEWEST_BURSTS:
        return [np.array([place]) for place in range(ends[-1])]
    # blocks of whole bursts: what one burst shares must not stand on both sides of a border
    parts = np.array_split(np.arange(len(places)), min(len(places), _MOST_BLOCKS))
    return [np.concatenate([places[i] for i in block]) for block in parts]


def _by_block(squares: Floats, blocks: list[NDArray[np.intp]]) -> Floats:
    return np.stack([squares[block].mean(axis=0) for block in blocks])


def _units(squares: Floats, mixed: Floats, left: Flags, pairs: Flags) -> Floats:
    """Levels that are noisy, and times that are, count as much as the others: (block, level, 1).

    Each square enters once, alone or mixed: as exchanging them changes nothing where the index is
    1, a ratio of means is not moved by its weights.
    """
    own, joint = squares.mean(axis=0), mixed.mean(axis=0).sum(axis=1)
    typical = np.ones(len(left))
    for i in np.flatnonzero(left):
        near = slice(max(i - 2, 0), i + 3)
        count = left[near].sum() + pairs[near].sum()
        typical[i] = (own[near].sum() + joint[near].sum()) / count
    sums = (squares / typical).sum(axis=1) + (mixed / typical[:, None]).sum(axis=(1, 2))
    of_time = np.where(sums > 0, sums, 1.0) / (left.sum() + pairs.sum())
    return np.asarray((of_time[:, None] * typical)[:, :, None])


def _places(flags: Flags) -> tuple[int, ...]:
    return tuple(int(i) for i in np.flatnonzero(flags))
