"""Names of the leading order that a prediction to any order has too."""

import numpy as np
from jaxtyping import Bool, Float

from .._types import ArrayLike
from ..errors import NoPredictionError
from ..spectra import Multiplet, multiplets
from ._leading import LeadingOrder, Levels

_SLOWEST = 40  # relaxation times of the slowest level: it grows by exp(40) from its start
_AFTER = 10  # relaxation times after learning


class ReadsLeading:
    """The setting, the fixed point and its dynamics: what is the same to any order."""

    leading: LeadingOrder

    @property
    def learning_rate(self) -> float:
        """The step size, alpha."""
        return self.leading.learning_rate

    @property
    def batch_size(self) -> float:
        """|B|; infinity for the noise-free dynamics."""
        return self.leading.batch_size

    @property
    def levels(self) -> Levels:
        """The noise-free fixed point $x_i^*$."""
        return self.leading.levels

    @property
    def target_modes(self) -> Levels:
        """What each level learns, as in `LeadingOrder`."""
        return self.leading.target_modes

    @property
    def learnt(self) -> Bool[np.ndarray, "level"]:
        """False where the model cannot learn the mode; its level stays at zero."""
        return self.leading.learnt

    @property
    def curvature(self) -> Levels:
        r"""$\Omega_i$ of the drift potential at its minimum."""
        return self.leading.curvature

    @property
    def covariance(self) -> Float[np.ndarray, "level level"]:
        """$V_{ij}$ of the leading order, in the target's eigenbasis."""
        return self.leading.covariance

    @property
    def common(self) -> Levels | float:
        r"""$\langle M_{ii} M_{jj} \rangle$, by which all levels move together."""
        return self.leading.common

    @property
    def beta(self) -> int:
        """Dyson index of the levels: 1, 2 or 4."""
        return self.leading.beta

    @property
    def relaxation_time(self) -> Levels:
        """Updates in which level i relaxes to its fixed point."""
        return self.leading.relaxation_time

    @property
    def friction(self) -> Levels:
        r"""$\gamma_i$ of the spacing, as in `LeadingOrder`."""
        return self.leading.friction

    @property
    def diffusion(self) -> Levels:
        r"""$g_i^2$ of the spacing, as in `LeadingOrder`."""
        return self.leading.diffusion

    def multiplets(self) -> list[Multiplet]:
        """The levels that are learnt, grouped by what they learn, in descending order."""
        return [group for group in multiplets(self.levels) if self.learnt[group.indices[0]]]

    def learning_time(self, initial_width: float, within: float = 0.01) -> Levels:
        """Updates until each level is near its fixed point; see `LeadingOrder.learning_time`.

        Examples:
            >>> from sgdyson import GaussianRBM
            >>> rbm = GaussianRBM.scalar_field(6, mass=1.5, rbm_mass=3.0)
            >>> rbm.predict(0.05, 64).learning_time(rbm.initial_width).round()[[0, -1]]
            array([ 181., 2061.])
        """
        return self.leading.learning_time(initial_width, within)

    def settling_time(self, initial_width: float | None = None) -> int:
        """Updates after which levels are stationary: what a burn-in should be.

        40 relaxation times of the slowest level that is learnt; or, where that is longer, its
        learning time from weights of this width and 10 more.

        Args:
            initial_width: see `learning_time`; None where it does not matter.

        Raises:
            NoPredictionError: no level is learnt.
        """
        if not self.learnt.any():
            raise NoPredictionError("settling_time: the model predicts no level that is learnt.")
        slowest = float(np.max(1.0 / self.friction[self.learnt]))
        settled = _SLOWEST * slowest
        if initial_width is not None and self.leading._start is not None:
            times = self.learning_time(initial_width)
            settled = max(settled, float(np.nanmax(times)) + _AFTER * slowest)
        if not np.isfinite(settled):
            raise NoPredictionError("settling_time: a level never comes to rest at this rate.")
        return int(np.ceil(settled))

    def learning_curve(
        self, initial_levels: ArrayLike, updates: ArrayLike
    ) -> Float[np.ndarray, "time level"]:
        """Noise-free levels after each of `updates`; see `LeadingOrder.learning_curve`."""
        return self.leading.learning_curve(initial_levels, updates)
