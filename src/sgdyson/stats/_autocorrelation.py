"""Correlation along time: how many updates one independent sample takes."""

import numpy as np
from scipy.fft import next_fast_len

from .._checks import positive
from .._types import ArrayLike, Floats
from ..errors import InvalidInputError, require
from ._estimate import Estimate
from ._samples import finite


class ShortChainError(InvalidInputError):
    """A time series too short for its autocorrelation time; `estimate` is the time found.

    Attributes:
        estimate: of tau, most likely too small.
    """

    def __init__(self, message: str, estimate: Estimate) -> None:
        super().__init__(message)
        self.estimate = estimate


def autocorrelation_time(x: ArrayLike, window: float = 5.0, least_length: float = 50.0) -> Estimate:
    r"""Integrated autocorrelation time $\tau = 1 + 2 \sum_{t=1}^{M} \rho(t)$, in records.

    M is the smallest with $M \ge c\,\tau(M)$ (Sokal, in Functional Integration, NATO ASI B 361, 131
    (1997)) and $M \ge c\,\tau^-(M)$, the same time of $(-1)^t \rho(t)$: it is how long a series
    that alternates remembers, while its $\tau$ lies between 0 and 1; AR(1) has $\tau = (1 +
    \phi)/(1 - \phi) = 1/\tau^-$. The last term counts half. $\rho$ is averaged over replicas, about
    their common mean; the error is $\tau \sqrt{2(2M + 1)/n}$ (Madras and Sokal, J. Stat. Phys. 50,
    109 (1988)), n being replicas times records.

    Args:
        x: (replica, time), or (time,) for a single series.
        window: c.
        least_length: the series must hold this many tau.

    Returns:
        tau, positive, with n/tau, at most n, as effective size; 1 for independent records.

    Raises:
        ShortChainError: fewer records than `least_length` tau; carries the estimate.
        InvalidInputError: NaN, complex numbers, one record, or a series that never changes.
    """
    series, least_length = _series(x), positive("least_length", least_length)
    length = series.shape[1]
    rho = _autocorrelation(series)
    cut = _window(rho, positive("window", window))
    tau = float(_partial_sums(rho)[cut])
    if tau <= 0:  # in the noise: Bartlett's weights give no negative sum, of whatever series
        tau = max(float(2 * rho[:cut] @ (1 - np.arange(cut) / cut)) - 1, 1 / series.size)
    error = tau * float(np.sqrt(2.0 * (2 * cut + 1) / series.size))
    estimate = Estimate(tau, error, series.size / max(tau, 1.0))
    if length < least_length * tau:
        raise ShortChainError(
            f"{length} records are fewer than {least_length:g} autocorrelation times of about "
            f"{tau:.3g}; record longer, or take the error over replicas.",
            estimate,
        )
    return estimate


def mean_along_time(x: ArrayLike, window: float = 5.0, least_length: float = 50.0) -> Estimate:
    r"""Mean of stationary series, with the error $\sqrt{\mathrm{var}(x)\,\tau/n}$.

    For few long replicas, even a single one; with many replicas use `mean_over_replicas`.

    Args:
        x: (replica, time), or (time,).
        window: as in `autocorrelation_time`.
        least_length: as in `autocorrelation_time`.

    Returns:
        The mean, with the effective size of `autocorrelation_time`.

    Raises:
        ShortChainError: as `autocorrelation_time`.
        InvalidInputError: as `autocorrelation_time`.
    """
    series = _series(x)
    tau = autocorrelation_time(series, window, least_length)
    error = float(np.sqrt(series.var() / tau.effective_size))
    return Estimate(float(series.mean()), error, tau.effective_size)


def _series(x: ArrayLike) -> Floats:
    series = np.atleast_2d(finite(x, "x"))
    require(
        series.ndim == 2 and series.shape[1] >= 2,
        f"x has shape {np.shape(x)}; give (replica, time) or (time,) with at least 2 records.",
    )
    require(
        bool((series != series[0, 0]).any()),
        f"All {series.size} records equal {series[0, 0]}; a series that never changes has no "
        "autocorrelation time.",
    )
    return series


def _window(rho: Floats, factor: float) -> int:
    """The first lag past `factor` times of memory, of a series that drifts or alternates."""
    staggered = rho * (-1.0) ** np.arange(len(rho))
    memory = np.maximum(_partial_sums(rho), _partial_sums(staggered))
    wide_enough = np.arange(len(rho)) >= factor * np.maximum(memory, 0.0)
    wide_enough[0] = False
    return int(np.argmax(wide_enough)) if wide_enough.any() else len(rho) - 1


def _partial_sums(rho: Floats) -> Floats:
    """tau(M), the last term halved: what alternates would else leave its last term as noise."""
    return np.asarray(2.0 * np.cumsum(rho) - 1.0 - rho)


def _autocorrelation(series: Floats) -> Floats:
    """rho(t), (time,), averaged over replicas; zero padding keeps the ends apart."""
    length = series.shape[1]
    padded = next_fast_len(2 * length, real=True)
    shifted = series / 2 - series[0, 0] / 2  # keeps digits beside a large offset
    shifted = shifted / np.abs(shifted).max()
    # the common mean: about a mean of its own each replica's rho comes out too low, by tau/length
    spectrum = np.fft.rfft(shifted - shifted.mean(), padded, axis=1)
    power = np.mean(spectrum.real**2 + spectrum.imag**2, axis=0)
    sums = np.fft.irfft(power, padded)[:length]
    return np.asarray(sums / sums[0])
