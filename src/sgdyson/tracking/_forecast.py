"""Where the singular values of a run will be: the stochastic equation of its own levels, ahead."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from .._checks import whole
from .._types import Floats, WholeNumbers
from ..errors import InvalidInputError, require
from ._dynamics import coulomb_repulsion
from ._run import Run

_PATHS, _STEPS, _MOST, _TRIALS = 256, 48, 128, 6
_FEWEST = 8
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True)
class Forecast:
    r"""Levels ahead, by $d\xi_i = [c_i - \gamma(\xi_i - \ell_i(t)) + F_i(\xi) - F_i(\ell)]\,dt +
    g_i\,dB_i$, where $\ell$ is the line that the level follows.

    Attributes:
        steps: (time,) updates of the run, the last first that is not yet there.
        mean: (time, level).
        low: (time, level) 5 % quantile; with `high` a band of 90 %.
        high: (time, level) 95 % quantile.
        friction: gamma, per update; 0 where levels wander freely.
        diffusion: (level,) g^2, per update, over times as long as between the points.
        drift: (level,) slope of the line, per update.
        factor: by which the band was multiplied, so that bands of the past held what came.
    """  # noqa: D205

    steps: WholeNumbers
    mean: Floats
    low: Floats
    high: Floats
    friction: float
    diffusion: Floats
    drift: Floats
    factor: float = 1.0

    def coverage(self, levels: Floats) -> float:
        """Share of levels (time, level), recorded at `steps`, inside the band."""
        return float(np.mean((levels >= self.low) & (levels <= self.high)))


@dataclass(frozen=True)
class _Law:
    """What the past tells."""

    place: Floats  # (level,) of the line at the last point
    slope: Floats  # per update
    uncertain: Floats  # (level,) standard error of the slope
    friction: float
    diffusion: Floats
    push: Floats  # (level,) mean repulsion, which the line holds already
    interval: float


def forecast(
    run: xr.Dataset | Run, name: str, steps: int, *, seed: int = 0, points: int = 12
) -> Forecast:
    """Mean and band of each singular value of a matrix, ahead of the last record.

    Friction, diffusion and drift are measured over the past as far back as four times the way
    ahead: the drift of all levels together is taken for real only as far as it stands above what
    diffusion makes. Repulsion is that of the measured diffusion, as in `coulomb_repulsion`. The
    band is then widened, or narrowed, by one factor: forecasts of the same kind from earlier
    records, as many as the past holds, up to six, must have covered what came.

    Args:
        run: of `open_run`.
        name: of the matrix.
        steps: updates ahead.
        seed: of the paths.
        points: times at which it is told, evenly.

    Raises:
        InvalidInputError: no such matrix, a past shorter than three times the way ahead or with
            fewer than eight records, or levels that do not move.
    """
    run = Run(run)
    steps, points = whole("steps", steps), whole("points", points)
    s, (rows, columns) = run.values(name), run.shape(name)
    good = np.isfinite(s).all(axis=1)
    require(bool(good.any()), f"{name} has no record.")
    past = _Past(run.steps[good], s[good], abs(rows - columns), _memory(run, name))
    span = int(past.times[-1] - past.times[0])
    require(
        span >= 3 * steps,
        f"{span} updates of {name} are recorded, and three times the {steps} ahead are needed to"
        f" hold a forecast against what came; look at most {span // 3} ahead.",
    )
    plain = past.ahead(steps, points, seed)
    require(bool(plain.diffusion.any()), f"{name} is at rest: there is nothing to forecast.")
    factor = past.factor(steps, points, seed)
    reach = [factor * (end - plain.mean) for end in (plain.low, plain.high)]
    return replace(
        plain, low=np.maximum(plain.mean + reach[0], 0.0), high=plain.mean + reach[1], factor=factor
    )


def _memory(run: Run, name: str) -> float:
    """Updates that the optimiser's average of gradients remembers, several times."""
    beta = max(float(np.nan_to_num(run.setting(q, name)).max()) for q in ("momentum", "beta1"))
    # beta^(4/(1 - beta)) is at most e^-4
    return 4 / (1 - beta) if 0 < beta < 1 else 1.0


@dataclass(frozen=True)
class _Past:
    times: WholeNumbers
    levels: Floats
    excess: int
    memory: float

    def ahead(self, steps: int, points: int, seed: int) -> Forecast:
        times, levels = _even(self.times, self.levels, 4 * steps, self.memory)
        law = _measured(times, levels, self.excess)
        ahead = np.unique(np.ceil(np.linspace(0, steps, points + 1)[1:])).astype(np.int64)
        paths = _paths(law, levels[-1], ahead, self.excess, np.random.default_rng(seed))
        low, high = np.quantile(paths, [_LOW, _HIGH], axis=0)
        return Forecast(times[-1] + ahead, paths.mean(axis=0), low, high, law.friction,
                        law.diffusion, law.slope)  # fmt: skip

    def factor(self, steps: int, points: int, seed: int) -> float:
        """By which earlier bands had to be multiplied to hold nine tenths of what came."""
        reaches = []
        span = self.times[-1] - self.times[0]
        for back in range(1, min(_TRIALS, (span - 2 * steps) // steps) + 1):
            before = self.times <= self.times[-1] - back * steps
            earlier = replace(self, times=self.times[before], levels=self.levels[before])
            try:
                trial = earlier.ahead(steps, points, seed)
            except InvalidInputError:  # too few records there
                break
            near = np.abs(self.times[:, None] - trial.steps).argmin(axis=0)
            fits = np.abs(self.times[near] - trial.steps) <= max(steps / 20, 1)
            off = (self.levels[near] - trial.mean)[fits]
            half = np.where(
                off > 0, (trial.high - trial.mean)[fits], (trial.mean - trial.low)[fits]
            )
            reaches.append((np.abs(off) / np.maximum(half, 1e-300)).ravel())
        return float(np.quantile(np.concatenate(reaches), _HIGH - _LOW)) if reaches else 1.0


def _even(
    times: WholeNumbers, levels: Floats, reach: int, memory: float
) -> tuple[WholeNumbers, Floats]:
    """Records of the last `reach` updates, nearly even, of a burst one: others tell no more."""
    first = times[np.searchsorted(times, times[-1] - reach)]
    apart = max((times[-1] - first) / _MOST, memory, 1.0)
    kept = [len(times) - 1]
    for place in range(len(times) - 2, -1, -1):
        if times[place] < first:
            break
        if times[kept[-1]] - times[place] >= apart * 0.75:
            kept.append(place)
    chosen = np.array(kept[::-1])
    # of a burst the records lie together, and the next ones far off
    gaps = np.diff(times[chosen])
    typical = gaps.mean()
    chosen = chosen[np.concatenate([[True], gaps > typical / 4])]
    require(
        len(chosen) >= _FEWEST,
        f"{len(chosen)} records lie apart within the last {reach} updates; {_FEWEST} are needed:"
        " record more often, or look farther or less far ahead.",
    )
    return times[chosen], levels[chosen]


def _measured(times: WholeNumbers, x: Floats, excess: int) -> _Law:
    """One friction for all levels; a slope and a diffusion of each."""
    t = (times - times[-1]).astype(float)
    apart = np.diff(t)
    slope = (x[-1] - x[0]) / -t[0]
    ways = np.diff(x, axis=0) - slope * apart[:, None]
    g2 = np.sum(ways**2 / apart[:, None], axis=0) / (len(apart) - 1)
    interval = float(apart.mean())
    friction = _friction(t, x @ np.full(x.shape[1], 1 / x.shape[1]))
    tilt = np.sqrt(g2 / -t[0])
    place = x[-1]
    if friction > 0:
        fit = np.polyfit(t, x, 1)
        # of a level at rest the line is known better: by all points that are independent
        number = max(-t[0] * friction, 1.0)
        # of n points evenly over a time T a slope has the variance 12 var/(n T^2)
        tilt = np.minimum(tilt, np.sqrt(12 * x.var(axis=0) / number) / -t[0])
        slope = fit[0]
    share = _kept(slope, tilt)
    if friction > 0:
        place = share * fit[1] + (1 - share) * x.mean(axis=0)
    push = _force(x, g2, excess, interval).mean(axis=0)
    return _Law(place, share * slope, share**0.5 * tilt, friction, g2, push, interval)


def _kept(slope: Floats, tilt: Floats) -> float:
    """How much of the slopes is more than their errors make, of all levels together."""
    moving = tilt > 0
    chi2 = float(np.mean((slope[moving] / tilt[moving]) ** 2)) if moving.any() else 0.0
    # slopes of nothing but noise have the mean square 1 in units of their errors
    return max(0.0, 1 - 1 / chi2) if chi2 > 0 else 0.0


def _friction(t: Floats, common: Floats) -> float:
    """That of the mean of all levels, which repulsion hardly moves; 0 unless it stands out.

    Of K points about a fitted line the correlation comes out too small by (2 + 4 rho)/K (M. G.
    Kendall, Biometrika 41, 403 (1954), with a trend).
    """
    rest = common - np.polyval(np.polyfit(t, common, 1), t)
    k = len(t) - 1
    if k <= 8 or not rest.any():
        return 0.0
    rho = float(np.sum(rest[1:] * rest[:-1]) / np.sum(rest[:-1] ** 2))
    rho = (rho * k + 2) / (k - 4)
    if rho > 1 - 2 * (max(1 - rho**2, 2 / k) / k) ** 0.5:
        return 0.0
    return float(-np.log(max(rho, 0.05)) / np.diff(t).mean())


def _paths(
    law: _Law, start: Floats, ahead: WholeNumbers, excess: int, random: np.random.Generator
) -> Floats:
    """(path, time, level), descending: levels that would cross have met, and go on in order."""
    x = np.repeat(start[None], _PATHS, axis=0)
    slope = law.slope + law.uncertain * random.standard_normal(x.shape)
    now, paths = 0.0, []
    for end in ahead:
        parts = max(1, round(_STEPS * (end - now) / float(ahead[-1])))
        dt = (end - now) / parts
        for _ in range(parts):
            push = _force(x, law.diffusion, excess, law.interval) - law.push
            line = law.place + slope * now
            # exact for the linear pull; the push is Euler's, of a size that `_force` bounds
            x = line + slope * dt + (x - line) * np.exp(-law.friction * dt) + push * dt
            x = x + np.sqrt(law.diffusion * dt) * random.standard_normal(x.shape)
            x = np.sort(np.abs(x), axis=1)[:, ::-1]
            now += dt
        paths.append(x)
    return np.stack(paths, axis=1)


def _force(x: Floats, g2: Floats, excess: int, interval: float) -> Floats:
    """Repulsion, no stronger than levels can feel it between two points."""
    with np.errstate(divide="ignore", invalid="ignore"):
        force = np.nan_to_num(coulomb_repulsion(x, excess, g2))
    most = np.sqrt(g2 / interval)
    return np.clip(force, -most, most)
