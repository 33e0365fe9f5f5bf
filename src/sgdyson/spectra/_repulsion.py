"""The Coulomb force between two levels, read off the steps of their spacing."""

from dataclasses import dataclass

import numpy as np

from .._checks import positive, reals, shown, whole
from .._types import ArrayLike, Floats, WholeNumbers
from ..errors import require

_FEWEST = 2  # steps in a bin, for a variance


@dataclass(frozen=True)
class CoulombForce:
    r"""Drift and diffusion of a spacing, binned in S(t); all arrays (bin,).

    Attributes:
        edges: (bin + 1,), of the bins in S.
        spacing: mean S in the bin.
        inverse_spacing: mean 1/S in the bin, larger than 1/spacing.
        drift: mean of S(t+1) - S(t), per update.
        drift_error: its standard error, clustered by replica.
        diffusion: variance of S(t+1) - S(t), per update.
        diffusion_error: its standard error, clustered by replica.
        counts: number of steps in the bin.
        interval: updates from one record to the next.
    """

    edges: Floats
    spacing: Floats
    inverse_spacing: Floats
    drift: Floats
    drift_error: Floats
    diffusion: Floats
    diffusion_error: Floats
    counts: WholeNumbers
    interval: float


def repulsion(
    spacings: ArrayLike, bins: int | ArrayLike = 20, interval: float = 1.0
) -> CoulombForce:
    r"""Measure $dS = (2 \beta g^2/S - \gamma S)\,dt + 2 g\,dB$ of a pair from its trajectories.

    The variance of the increment is about the drift of its bin. Bins must be narrow enough for
    the drift to be nearly constant within: the spread of the drift adds its square to the variance.

    Args:
        spacings: (replica, time), S at records one `interval` apart.
        bins: number of bins of equal counts, or their edges; steps from S outside are left out.
        interval: updates between records.

    Returns:
        The curves; `coulomb_drift`, `coulomb_diffusion` and `finite_step` are what theory says.

    Raises:
        InvalidInputError: fewer than two replicas or times, NaN, a negative or vanishing spacing,
            edges that do not rise, a bin with fewer than two steps, an interval not above zero.

    Examples:
        Spacings that all grow by 0.1 in two updates drift by 0.05, and do not diffuse:

        >>> import numpy as np
        >>> curve = repulsion(1.0 + 0.1 * np.arange(5) + np.zeros((2, 1)), bins=2, interval=2.0)
        >>> curve.drift.round(9), curve.diffusion.round(9)
        (array([0.05, 0.05]), array([0., 0.]))
    """
    s = _trajectories(spacings)
    positive("interval", interval)
    start, step = s[:, :-1], np.diff(s, axis=1)
    edges = _edges(bins, start)
    place = np.digitize(start, edges)  # 0 and bin + 1 lie outside
    place[start == edges[-1]] = len(edges) - 1  # as in a histogram, the last bin has its edge
    by_bin = _Bins(place, len(edges) - 1)
    counts = by_bin.counts
    require(
        bool(np.all(counts >= _FEWEST)),
        f"The emptiest bin holds {counts.min()} steps; use wider bins or fewer of them.",
    )
    drift = by_bin.mean(step)
    residual = step - by_bin.spread(drift)
    variance = by_bin.mean(residual**2)
    diffusion = variance * counts / (counts - 1)  # the drift was fitted to the same steps
    return CoulombForce(
        edges=edges,
        spacing=by_bin.mean(start),
        inverse_spacing=by_bin.mean(1.0 / start),
        drift=drift / interval,
        drift_error=by_bin.error(residual) / interval,
        diffusion=diffusion / interval,
        diffusion_error=by_bin.error(residual**2 - by_bin.spread(variance)) / interval,
        counts=counts,
        interval=interval,
    )


class _Bins:
    """Sums over bins 1 to n of steps (replica, time); bins 0 and n + 1 are dropped."""

    def __init__(self, place: WholeNumbers, n: int) -> None:
        self.place, self.n, self.replicas = place, n, len(place)
        self.flat = (place + (n + 2) * np.arange(len(place))[:, None]).ravel()
        self.counts = np.bincount(place.ravel(), minlength=n + 2)[1:-1]

    def by_replica(self, x: Floats) -> Floats:
        """(replica, bin) sums of `x`."""
        sums = np.bincount(self.flat, x.ravel(), minlength=self.replicas * (self.n + 2))
        return np.asarray(sums.reshape(self.replicas, -1)[:, 1:-1])

    def mean(self, x: Floats) -> Floats:
        return np.asarray(self.by_replica(x).sum(axis=0) / self.counts)

    def spread(self, curve: Floats) -> Floats:
        """The bin's value at each step."""
        return np.asarray(np.pad(curve, 1)[self.place])

    def error(self, deviation: Floats) -> Floats:
        """Standard error of a bin mean, replicas being independent, from deviations of mean 0."""
        sums = self.by_replica(deviation)
        variance = np.sum(sums**2, axis=0) * self.replicas / (self.replicas - 1)
        return np.asarray(np.sqrt(variance) / self.counts)


def _trajectories(spacings: ArrayLike) -> Floats:
    s = reals("spacings", spacings, "leave out the replicas that diverged")
    require(
        s.ndim == 2 and s.shape[0] >= 2 and s.shape[1] >= 2,
        f"spacings have shape {s.shape}; give (replica, time) with at least 2 of each.",
    )
    require(
        bool(s.min() > 0),
        f"spacings must be above zero, the smallest is {s.min():.3g}; take the larger level minus"
        " the smaller.",
    )
    return s


def _edges(bins: int | ArrayLike, start: Floats) -> Floats:
    if np.ndim(bins) == 0:
        edges = np.quantile(start, np.linspace(0.0, 1.0, whole("bins", bins) + 1))
    else:
        edges = reals("edges of bins", bins)
    require(
        edges.ndim == 1 and edges.size >= 2 and bool(np.all(np.diff(edges) > 0)),
        f"The edges of the bins are {shown(edges.tolist())}; they must rise.",
    )
    return edges
