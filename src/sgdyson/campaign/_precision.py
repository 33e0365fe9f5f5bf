"""Adaptive precision: more replicas of a setting until its error is below the target."""

from .._types import Floats
from ..spectra import spacings
from ..stats import mean_over_replicas
from ._setting import Setting

_GROWTH = 4  # times as many replicas, at most, in one round


def replicas_for(target: float, setting: Setting, levels: Floats, total: int, size: int) -> int:
    """Replicas of the next round, whole chunks; those there are where no more are needed.

    Args:
        target: of the standard error.
        setting: which quantity it is of, and how many replicas it may have.
        levels: (replica, time, level), without diverged replicas.
        total: replicas that there are.
        size: of a chunk.
    """
    error, wanted = _error(setting, levels), total
    if not error <= target:  # an error of NaN is above it too
        # An error falls as one over the root of the replicas. A tenth more, since the error is
        # itself an estimate, and a growth that is bounded, since one of few replicas is a poor one.
        wanted = int(total * min(1.1 * (error / target) ** 2, _GROWTH))
    # whole chunks, rounded down here and up below: a chunk is run as one program
    most = max(setting.most_replicas // size * size, total)
    return max(total, min(-(-wanted // size) * size, most))


def _error(setting: Setting, levels: Floats) -> float:
    """Standard error of the setting's quantity."""
    first = levels[..., 0]
    if setting.quantity == "level_mean":
        return mean_over_replicas(first).error
    if setting.quantity == "level_width":
        # the error of a root: d(sigma) = d(sigma^2) / 2 sigma
        return mean_over_replicas((first - first.mean()) ** 2).error / (2 * float(first.std()))
    pairs = [group for group in setting.multiplets() or [] if group.is_pair]
    return mean_over_replicas(spacings(levels, pairs[0])).error
