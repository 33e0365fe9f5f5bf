"""What Dyson Brownian motion predicts to leading order, in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float
from scipy import special

from .._checks import positive
from .._types import ArrayLike
from ..errors import NoPredictionError, require

Levels = Float[np.ndarray, "level"]

_GRID = 4000  # times at which a learning curve is looked at
_LONGEST = 1e12  # updates


@dataclass(frozen=True)
class LeadingOrder:
    r"""The linear scaling rule: the stationary state to leading order in alpha/|B|.

    Levels descend.

    Attributes:
        learning_rate: alpha.
        batch_size: |B|; infinity for the noise-free dynamics.
        levels: the noise-free fixed point $x_i^*$.
        target_modes: what each level learns (RBM: eigenvalues $\kappa_i$ of the target kernel;
            teacher-student: the teacher's eigenvalues).
        learnt: False where the model cannot learn the mode; its level stays at zero.
        curvature: $\Omega_i$ of the drift potential at its minimum.
        covariance: $V_{ij} = \langle |M_{ij}|^2 \rangle$ of the fluctuation matrix M in the
            target's eigenbasis: off the diagonal all beta components of an entry together.
        common: $\langle M_{ii} M_{jj} \rangle$, by which all levels move together.
        width: $\sigma_i$ of the Coulomb gas, $\sigma_i^2 = V_{ii}$ less `common`; of a single
            level, its standard deviation $\sqrt{V_{ii}}$.
        mean_spacing: $\langle S \rangle = \sqrt{\pi} \sigma_i$ of a degenerate pair that is learnt
            (of a pair whose noise has a preferred direction, see `mean_length`); $4 \sigma_i/
            \sqrt\pi$ and $16 \sigma_i/3 \sqrt\pi$ for beta = 2, 4; NaN of any other level, which
            has no spacing of this law.
        mean_shift: mean of the level (of its multiplet) minus `levels`, from the fluctuations.
        relaxation_time: in updates, of level i about its fixed point.
        next_order: size of the first neglected term, relative to each width.
        drift_shift: $E_i = \langle X_{ii} \rangle - x_i^*$, in the target's eigenbasis:
            `mean_shift` without the repulsion of other levels; NaN where it is not known.
        accuracy_limit: mean distance from the target that no length of training lowers, in the
            units of `Prediction.accuracy_limit`; NaN where it has no closed form.
        beta: Dyson index of the levels: 1, 2 or 4.
    """

    learning_rate: float
    batch_size: float
    levels: Levels
    target_modes: Levels
    learnt: Bool[np.ndarray, level]
    curvature: Levels
    covariance: Float[np.ndarray, "level level"]
    width: Levels
    mean_shift: Levels
    relaxation_time: Levels
    next_order: Levels
    _curve: Callable[[Levels, Levels], Float[np.ndarray, "time level"]] = field(repr=False)
    drift_shift: Levels
    common: Levels | float = 0.0
    accuracy_limit: float = np.nan
    beta: int = 1
    _start: Callable[[float], Levels] | None = field(default=None, repr=False)

    @property
    def mean_spacing(self) -> Levels:
        r"""$\sqrt{\pi} \sigma_i$ of a pair, in the units of the levels; NaN of any other level.

        The spacing is the length of $(M_{ii} - M_{jj}, 2 M_{ij})$, j the partner of i: of beta + 1
        numbers of variance $2 \sigma^2$, $2 \sigma \Gamma(\beta/2 + 1)/\Gamma((\beta + 1)/2)$.
        """
        partner = degenerate(self.levels) & ~np.eye(len(self.levels), dtype=bool)
        # without a partner argmax is 0; the last line makes NaN of what follows from it
        across = self.covariance[np.arange(len(self.levels)), partner.argmax(axis=1)]
        if self.beta == 1:
            # variances of M_ii - M_jj, from which what both share cancels, and of 2 M_ij
            spacing = mean_length(2 * (np.diag(self.covariance) - self.common), 4 * across)
        else:  # there is no noise with a preferred direction
            # the mean length of beta + 1 components of variance 2 sigma^2 each
            spacing = 2 * self.width * special.gamma(self.beta / 2 + 1)
            spacing = spacing / special.gamma((self.beta + 1) / 2)
        return np.where((partner.sum(axis=1) == 1) & self.learnt, spacing, np.nan)

    @property
    def friction(self) -> Levels:
        r"""$\gamma_i$ of the spacing, $dS = (2 \beta g^2/S - \gamma S) dt + 2 g\,dB$."""
        return np.asarray(1.0 / self.relaxation_time)

    @property
    def diffusion(self) -> Levels:
        r"""$g_i^2 = \gamma_i \sigma_i^2$ of the spacing, in units of level^2 per update.

        The spacing of a pair then has the stationary law $S^\beta e^{-S^2/(4\sigma^2)}$.
        """
        return np.asarray(self.friction * self.width**2)

    def learning_curve(
        self, initial_levels: ArrayLike, updates: ArrayLike
    ) -> Float[np.ndarray, "time level"]:
        """Noise-free levels after each of `updates`, from a start aligned with the target.

        Args:
            initial_levels: shape (level,), level i growing into mode i.
            updates: shape (time,), counts of updates, not negative and not decreasing.

        Returns:
            Levels of shape (time, level), in the order of `levels`.
        """
        start = np.asarray(initial_levels, dtype=float)
        times = np.atleast_1d(np.asarray(updates, dtype=float))
        require(
            start.shape == self.levels.shape and bool((start >= 0).all()),
            f"initial_levels = {initial_levels!r} must be {len(self.levels)} numbers from 0 up.",
        )
        require(
            times.ndim == 1 and bool((times >= 0).all() and (np.diff(times) >= 0).all()),
            f"updates = {updates!r} must be counts of updates in rising order.",
        )
        return self._curve(start, times)

    def learning_time(self, initial_width: float, within: float = 0.01) -> Levels:
        r"""Updates until each level has come within a share of its fixed point, without noise.

        From random weights, of a `GaussianRBM` $t = \frac{\kappa}{2 \alpha x^*} [\mu^2 \ln(x/x_0) +
        \kappa \ln\frac{x^* - x_0}{x^* - x}]$, with the typical $x_0 = \frac2\beta w^2
        e^{\psi(\beta (M - i)/2)}$ of mode i, the i-th to grow (counted from 0): as long as W is
        small its columns grow by themselves, and what mode i has of its own is the part that is
        orthogonal to those of faster modes. A student's mean begins at 0.

        Args:
            initial_width: w, standard deviation of an entry of the weights before the first update.
            within: relative distance.

        Returns:
            Shape (level,); NaN of a mode that is not learnt.

        Raises:
            NoPredictionError: a model whose start has no theory; see `learning_curve`.
        """
        width, share = positive("initial_width", initial_width), positive("within", within)
        if self._start is None:
            raise NoPredictionError(
                "learning_time: levels of this model's random start are not known; give levels of"
                " your own to learning_curve."
            )
        start, away = self._start(width), share * self.levels
        # relaxation times do not know how long a small start grows: doubled until all have arrived
        end = float(np.max(self.relaxation_time[self.learnt], initial=1.0))
        while np.any(np.abs(self._curve(start, np.array([0.0, end]))[-1] - self.levels)[self.learnt]
                     > away[self.learnt]) and end < _LONGEST:  # fmt: skip
            end *= 2
        times = np.concatenate([[0.0], np.geomspace(1e-6 * end, end, _GRID)])
        apart = np.abs(self._curve(start, times) - self.levels)
        return np.array([
            _last_above(times, apart[:, i], away[i]) if self.learnt[i] else np.nan
            for i in range(len(self.levels))
        ])  # fmt: skip


def _last_above(times: Levels, values: Levels, limit: float) -> float:
    """When values that end below a limit cross it for the last time, logarithms interpolated."""
    above = np.flatnonzero(values > limit)
    if not above.size:
        return 0.0
    last = int(above[-1])
    if last + 1 == len(times):
        return np.inf
    high, low = np.log(np.maximum(values[[last, last + 1]], 1e-300))
    share = (high - np.log(limit)) / (high - low)
    return float(times[last] + share * (times[last + 1] - times[last]))


def mean_length(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    r"""Mean length of a plane Gaussian vector whose components have these variances.

    $a \sqrt{2/\pi}\, E(1 - b^2/a^2)$ for standard deviations a >= b, E the complete elliptic
    integral of parameter m; $a \sqrt{\pi/2}$ where they are equal.
    """
    small, large = np.minimum(first, second), np.maximum(first, second)
    finite = np.isfinite(large) & (large > 0)
    ratio = np.where(finite, small, 1.0) / np.where(finite, large, 1.0)
    # SciPy's E takes the parameter m = 1 - b^2/a^2, not the modulus sqrt(m)
    return np.asarray(np.sqrt(large * 2 / np.pi) * special.ellipe(1 - ratio))


def degenerate(levels: Levels) -> Bool[np.ndarray, "level level"]:
    """Which pairs of fixed points coincide, but for rounding."""
    # fixed points of one mode differ by the rounding of eigvalsh, those of two by far more
    scale = 1e-9 * max(float(np.max(np.abs(levels))), 1e-300)
    return np.asarray(np.abs(levels[:, None] - levels[None, :]) <= scale)


def has_partner(levels: Levels) -> Bool[np.ndarray, level]:
    """Whether another fixed point coincides with it."""
    return np.asarray(degenerate(levels).sum(axis=1) > 1)


def level_repulsion_shift(levels: Levels, covariance: Float[np.ndarray, "level level"]) -> Levels:
    r"""$\sum_j V_{ij}/(x_i - x_j)$ over the levels not degenerate with i: second order."""
    apart = ~degenerate(levels) & np.isfinite(covariance)
    gaps = np.where(apart, levels[:, None] - levels[None, :], 1.0)
    return np.asarray(np.sum(np.where(apart, covariance, 0.0) / gaps, axis=1))


def mixing(levels: Levels, covariance: Float[np.ndarray, "level level"]) -> Levels:
    r"""$\sum_j V_{ij}/(x_i - x_j)^2$: weight of other levels' eigenvectors in that of level i."""
    apart = ~degenerate(levels) & np.isfinite(covariance)
    gaps = np.where(apart, levels[:, None] - levels[None, :], 1.0)
    return np.asarray(np.sum(np.where(apart, covariance, 0.0) / gaps**2, axis=1))
