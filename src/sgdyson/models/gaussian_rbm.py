"""The Gaussian restricted Boltzmann machine, which learns a kernel it can be compared with."""

from __future__ import annotations

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from .._checks import positive, shown, whole
from .._types import ArrayLike
from ..errors import NoPredictionError, require
from ..optimizers import Optimizer
from ._arrays import fingerprint
from ._data_moments import data_moments
from ._largest_rate import largest_rate
from ._numbers import Numbers, dagger, numbers_of
from ._prediction import Prediction
from ._rbm_options import check_options, checked_weights
from ._rbm_phases import Phases
from ._rbm_prediction import predict_rbm, stable_rate
from ._samplers import Sampler, data_factor, make_sampler
from ._target import checked_data, checked_kernel, data_and_moment, scalar_field_kernel
from .model import Model, check_rates
from .network import rows

Weights = Array  # (hidden, visible)


class GaussianRBM(Model):
    r"""Energy $\mu^2 \varphi^T\varphi/2 + h^T h/2 - h^T W \varphi$, kernel $K = \mu^2 - W^T W$.

    Stochastic ascent on the likelihood of a Gaussian target with kernel $K_\varphi$,
    $W' = W + \alpha W (K_\varphi^{-1} - C_B)$: the data average is the exact one, the model
    average $C_B$ is taken over |B| persistent chains (Aarts, Lucini and Park, arXiv:2407.16427,
    section on the Gaussian RBM). Levels are the eigenvalues of $X = W^T W$.

    Fields and weights of beta = 2 are complex, of beta = 4 quaternions, and the Dyson index is an
    inverse temperature: $P \propto e^{-\beta E}$, so that again $\langle \varphi
    \varphi^\dagger \rangle = K^{-1}$ and $W' = W + \alpha W (K_\varphi^{-1} - C_B)$. Weights of
    quaternions are complex matrices $((A, B), (-B^*, A^*))$ of twice the size, and each level is
    given once.

    Args:
        target_kernel: $K_\varphi$, symmetric and positive, shape (N, N); Hermitian if beta = 2.
        rbm_mass: mu; modes with kappa >= mu^2 cannot be learnt.
        n_hidden: hidden units; N when not given.
        gibbs_sweeps: sweeps of the chains between two updates, k.
        sampler: "collapsed" (exact in law for the chains, at a cost free of k and |B|), "gibbs"
            (the chains sweep by sweep) or "independent" (fresh samples each update).
        initial_width: standard deviation of the entries of W before the first update.
        positive_phase: "exact" (the data average is known) or "minibatch" (it is taken over |B|
            samples in every update: of the target, or of the user's data under `from_data`).
        chains: "persistent" (chains go on from update to update, PCD-k) or "data" (they begin at
            |B| samples of the data in every update, CD-k; those of the mini-batch if there is one).
        initial_weights: W itself before the first update, shape (n_hidden, N), instead.
        beta: 1, 2 or 4: real, complex or quaternion weights.
        data: rows of samples from which mini-batches are drawn, with replacement; see `from_data`.

    Raises:
        InvalidInputError: a value that breaks one of these rules.

    Examples:
        A mode of kernel kappa is learnt up to X = mu^2 - kappa:

        >>> rbm = GaussianRBM([[1.0, 0.0], [0.0, 3.0]], rbm_mass=2.0)
        >>> rbm.predict(0.01, 64).leading.levels.round(12)
        array([3., 1.])
    """

    target_kernel: np.ndarray
    target_covariance: np.ndarray
    initial_weights: np.ndarray | None
    rbm_mass: float = eqx.field(static=True)
    n_hidden: int = eqx.field(static=True)
    gibbs_sweeps: int = eqx.field(static=True)
    sampler: str = eqx.field(static=True)
    initial_width: float = eqx.field(static=True)
    data: np.ndarray | None
    positive_phase: str = eqx.field(static=True)
    chains: str = eqx.field(static=True)
    _numbers: Numbers = eqx.field(static=True)

    def __init__(
        self,
        target_kernel: ArrayLike,
        *,
        rbm_mass: float,
        n_hidden: int | None = None,
        gibbs_sweeps: int = 3,
        sampler: str = "collapsed",
        initial_width: float = 0.1,
        initial_weights: ArrayLike | None = None,
        beta: int = 1,
        positive_phase: str = "exact",
        chains: str = "persistent",
        data: ArrayLike | None = None,
    ) -> None:
        self._numbers = numbers_of(beta)
        self.target_kernel = checked_kernel(target_kernel, self.beta)
        self.target_covariance = np.linalg.inv(self.target_kernel)
        self.rbm_mass = positive(
            "rbm_mass", rbm_mass, "its square bounds the modes that can be learnt"
        )
        self.n_hidden = self.n_visible if n_hidden is None else whole("n_hidden", n_hidden)
        self.gibbs_sweeps = whole("gibbs_sweeps", gibbs_sweeps)
        self.sampler = sampler
        self.initial_width = positive("initial_width", initial_width, "W = 0 never learns")
        shape = (self.n_hidden, self.n_visible)
        self.initial_weights = checked_weights(initial_weights, shape, self.beta)
        self.positive_phase, self.chains = positive_phase, chains
        require(
            data is None or self.beta == 1,
            f"data with beta = {self.beta}: mini-batches of a user's data are real, beta = 1.",
        )
        check_options(sampler, positive_phase, chains)
        self.data = None if data is None else checked_data(data, self.target_kernel)

    @classmethod
    def scalar_field(
        cls,
        n_visible: int,
        n_hidden: int | None = None,
        mass: float = 2.0,
        rbm_mass: float = 3.0,
        lattice_dim: int = 1,
        gibbs_sweeps: int = 3,
        sampler: str = "collapsed",
        **options: Any,
    ) -> Self:
        r"""The target of the paper: a free scalar field on a periodic lattice.

        $\kappa_k = m^2 + \sum_d (2 - 2 \cos 2\pi k_d/L)$, $L^d$ = n_visible: modes come in
        degenerate multiplets.

        Args:
            n_visible: lattice sites, the d-th power of a whole number.
            n_hidden: hidden units; n_visible when not given.
            mass: m of the field.
            rbm_mass: mu.
            lattice_dim: d.
            gibbs_sweeps: see the class.
            sampler: see the class.
            options: `initial_width`, `initial_weights`, `positive_phase`, `chains`, `beta`, see the
                class.
        """
        kernel = scalar_field_kernel(n_visible, mass, lattice_dim)
        return cls(
            kernel, rbm_mass=rbm_mass, n_hidden=n_hidden, gibbs_sweeps=gibbs_sweeps,
            sampler=sampler, **options,
        )  # fmt: skip

    @classmethod
    def from_data(cls, samples: ArrayLike, *, rbm_mass: float, **options: Any) -> Self:
        """Learn data: the target kernel is the inverse of their second moment.

        Args:
            samples: shape (sample, visible), of zero mean (subtract it first), with more samples
                than visible units; complex ones for beta = 2.
            rbm_mass: mu.
            options: arguments of the class beside `target`, such as `n_hidden` or `sampler`.
        """
        data, second_moment = data_and_moment(samples, options.get("beta"))
        from_samples = (
            options.get("positive_phase") == "minibatch" or options.get("chains") == "data"
        )
        return cls(
            np.linalg.inv(second_moment),
            rbm_mass=rbm_mass,
            data=data if from_samples else None,
            **options,
        )

    @property
    def beta(self) -> int:
        """1, 2 or 4: of real, complex or quaternion weights."""
        return self._numbers.beta

    @property
    def n_visible(self) -> int:
        """Visible units, N."""
        return len(self.target_kernel)

    @property
    def target_modes(self) -> np.ndarray:
        r"""$\kappa_i$, the target kernel's eigenvalues in ascending order."""
        return np.asarray(np.linalg.eigvalsh(self.target_kernel))

    def init(self, key: PRNGKeyArray) -> Weights:
        """W_0, with entries of mean square initial_width^2."""
        if self.initial_weights is not None:
            return self._numbers.lift(jnp.asarray(self.initial_weights))
        return self.initial_width * self._numbers.normals(key, (self.n_hidden, self.n_visible))

    def start(self, key: PRNGKeyArray, batch_size: float) -> Array:
        """|B| chains at phi = 1; none where they begin at the data in every update."""
        if self.chains == "data":
            make_sampler(self.sampler, 1).start(1, batch_size)  # which may refuse a batch
            return jnp.zeros((0,))
        return self._sampler.start(self.n_visible, batch_size)

    def gradient(
        self, key: PRNGKeyArray, weights: Weights, memory: Array, batch_size: float
    ) -> tuple[Weights, Array]:
        r"""$W (C_B - K_\varphi^{-1})$; NaN once an eigenvalue of W^T W has reached mu^2."""
        numbers = self._numbers
        target = numbers.lift(jnp.asarray(self.target_covariance))
        chains = memory
        if self.draws_data:
            key, data_key = jax.random.split(key)
            drawn = self._drawn(data_key, target, batch_size)
            chains = drawn if self.chains == "data" else memory
            if self.positive_phase == "minibatch":
                # of an infinite batch F F^T is the average, otherwise the sum
                count = 1.0 if batch_size == jnp.inf else batch_size
                target = drawn @ dagger(drawn) / count
        average, after = self._sampler.average(key, weights, self.rbm_mass, chains, batch_size)
        memory = memory if self.chains == "data" else after
        kernel = self.rbm_mass**2 * numbers.eye(self.n_visible) - dagger(weights) @ weights
        # LAPACK stops at the first pivot that is not positive and leaves NaN behind
        defined = numbers.cholesky(kernel)[-1, -1]
        # 0 times NaN is NaN: no branch is needed, and a finite gradient stays what it is
        return numbers.exact(weights @ (average - target)) + 0.0 * defined, memory

    @property
    def draws_data(self) -> bool:
        """Whether an update takes samples of the data."""
        return self.positive_phase == "minibatch" or self.chains == "data"

    def _drawn(self, key: PRNGKeyArray, target: Array, batch_size: float) -> Array:
        """F of `data_factor`, from the user's data if there are any."""
        if self.data is None or batch_size == jnp.inf:
            root = self._numbers.cholesky(target)
            if self.sampler == "gibbs":  # which follows each of its chains
                return root @ self._numbers.normals(key, (self.n_visible, int(batch_size)))
            return data_factor(self._numbers, key, root, batch_size)
        return jnp.asarray(self.data)[rows(key, int(batch_size), len(self.data))].T

    def levels(self, weights: np.ndarray) -> np.ndarray:
        """Eigenvalues of W^T W, descending."""
        return self._numbers.levels(weights)

    def matrix_names(self) -> tuple[str, ...]:
        """All levels are those of the one weight matrix."""
        return ("weights",) * self.n_visible

    def predict(
        self,
        learning_rate: float,
        batch_size: float,
        optimizer: Optimizer | None = None,
        *,
        order: int = 1,
    ) -> Prediction:
        """The law of the stationary levels; see `Prediction`.

        Args:
            learning_rate: alpha.
            batch_size: |B|, or infinity.
            optimizer: a linear one of `sgdyson.optimizers`; None is plain SGD.
            order: of the moments in 1/|B|: 1, or 2 where it is derived, see `Prediction.at_order`.

        Raises:
            NoPredictionError: an optimiser, or order 2, without a theory here.
        """
        check_rates(learning_rate, batch_size)
        sweeps = None if self.sampler == "independent" else self.gibbs_sweeps
        prediction = predict_rbm(
            self.target_modes, self.rbm_mass, self.n_hidden, learning_rate, batch_size, sweeps,
            optimizer, self._phases(),
        )  # fmt: skip
        return prediction.at_order(order)

    def stability_limit(self, batch_size: float = np.inf) -> float:
        r"""Alpha from which the noise-free dynamics leaves its fixed point.

        An entry of $X = W^T W$ between modes i and j is pulled back by $\alpha r = \alpha (x_i +
        x_j)/(\kappa_i \kappa_j)$ per update, by chains that keep the share m of their covariance:
        $u' = m u + (1 - m)\,\delta$, $\delta' = \delta - \alpha r u'$, which is stable for
        $\alpha r < 2 (1 + m)/(1 - m)$. Of independent samples m = 0; chains that begin at
        the data have $\alpha r < 2/(1 - m)$. Mini-batches only lower the limit, and theirs has no
        closed form: `suggested_rate` asks the prediction.

        Args:
            batch_size: infinity alone.

        Raises:
            NoPredictionError: no mode that can be learnt; a finite batch.
        """
        if batch_size != np.inf:
            raise NoPredictionError(
                f"stability_limit of batch_size = {shown(batch_size)} has no closed form; take"
                " math.inf for its upper bound, or suggested_rate(batch_size)."
            )
        theory = self.predict(1e-3, np.inf).leading
        if not theory.learnt.any():
            raise NoPredictionError("stability_limit: no mode can be learnt at this rbm_mass.")
        sweeps = None if self.sampler == "independent" else self.gibbs_sweeps
        levels = theory.levels[theory.learnt]
        return stable_rate(levels, self.rbm_mass**2, sweeps, restarts=self.chains == "data")

    def suggested_rate(self, batch_size: float, neglected: float = 0.1) -> float:
        """The largest learning rate, to two digits, at which theory still says all but a little.

        There the first term that the linear scaling rule neglects is this share of a width, which
        keeps levels far from divergence too; learning takes the shortest time.

        Args:
            batch_size: |B|.
            neglected: of a width.

        Raises:
            InvalidInputError: a share that is not positive.
            NoPredictionError: no mode that can be learnt.

        Examples:
            >>> rbm = GaussianRBM.scalar_field(6, mass=1.5, rbm_mass=3.0)
            >>> bool(rbm.suggested_rate(16) < rbm.suggested_rate(64) < rbm.stability_limit())
            True
        """
        share = positive("neglected", neglected)

        def next_order(rate: float) -> float:
            leading = self.predict(rate, batch_size).leading
            return float(leading.next_order[leading.learnt].max())

        return largest_rate(next_order, share, self.stability_limit())

    def _phases(self) -> Phases:
        """How an update averages, with the fourth moments of the user's data."""
        minibatch, restarts = self.positive_phase == "minibatch", self.chains == "data"
        if self.data is None or not self.draws_data:
            return Phases(self.beta, minibatch, restarts)
        modes = self.data @ np.linalg.eigh(self.target_kernel)[1]
        return Phases(self.beta, minibatch, restarts, data_moments(modes))

    def settings(self) -> dict[str, Any]:
        """Plain values for the attributes of a result."""
        return {
            "model": "gaussian_rbm",
            "n_visible": self.n_visible,
            "n_hidden": self.n_hidden,
            "rbm_mass": self.rbm_mass,
            "gibbs_sweeps": self.gibbs_sweeps,
            "sampler": self.sampler,
            "initial_width": self.initial_width,
            "target_modes": self.target_modes.tolist(),
            "beta": self.beta,
            "positive_phase": self.positive_phase,
            "chains": self.chains,
            **({} if self.data is None else {"data": fingerprint(self.data)}),
        }

    @property
    def _sampler(self) -> Sampler:
        return make_sampler(self.sampler, self.gibbs_sweeps, self.beta)
