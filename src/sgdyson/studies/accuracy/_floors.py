"""The floor under the error of a machine and of a student, and of a network on real data."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
import xarray as xr

from ..._types import Floats
from ...engine import simulate
from ...models import MLP, GaussianRBM, TeacherStudent
from ...optimizers import SGD
from ...stats import Estimate, mean_over_replicas
from .._weights import recorded_weights
from ._distance import at_the_fixed_point, divergence, good_weights, squared_error

RATE = 0.1
BATCHES = (4, 8, 16, 32, 64)
_TRAINED = 1297  # of the 1797 digits
_DECAY = 0.01  # so that a network has a stationary state


class Floor(NamedTuple):
    """The error that no length of training lowers, at one setting.

    Attributes:
        learning_rate: alpha.
        batch_size: |B|.
        measured: the mean error.
        predicted: by `prediction.accuracy_limit`; NaN of a network.
        leading: to leading order in alpha/|B|; NaN of a network.
        theory_error: what the prediction may be off by.
    """

    learning_rate: float
    batch_size: float
    measured: Estimate
    predicted: float = np.nan
    leading: float = np.nan
    theory_error: float = 0.0

    @property
    def ratio(self) -> float:
        """alpha/|B|."""
        return self.learning_rate / self.batch_size


def machine(share: float = 1.0) -> GaussianRBM:
    """A Gaussian RBM that begins at this share of the weights where learning without noise ends."""
    model = GaussianRBM.scalar_field(6, rbm_mass=3.5)
    start = share * at_the_fixed_point(model)
    return GaussianRBM.scalar_field(6, rbm_mass=3.5, initial_weights=start)


def student() -> TeacherStudent:
    """The student of all parts of the study, noisy enough to be far from its teacher."""
    return TeacherStudent((3.0, 2.0, 2.0, 1.0), label_noise=1.0)


def machine_floors(
    replicas: int, updates: int, seed: int, batches: Sequence[int] = (8, 16, 32, 64, 128)
) -> list[Floor]:
    """Kullback-Leibler divergence from the target, in nats."""
    model, floors = machine(), []
    for batch in batches:
        run = simulate(model, learning_rate=RATE, batch_size=batch, replicas=replicas,
                       updates=updates, record_every=40, record_from=400, seed=seed,
                       record_weights=True, progress=False)  # fmt: skip
        error = divergence(good_weights(run), model.rbm_mass, model.target_kernel)
        theory = model.predict(RATE, batch)
        # relative error of widths and spacings, whose squares the divergence is
        size = 2 * float(theory.next_order.max()) * theory.accuracy_limit
        floors.append(Floor(RATE, batch, mean_over_replicas(error), theory.accuracy_limit,
                           theory.leading.accuracy_limit, size))  # fmt: skip
    return floors


def student_floors(
    replicas: int, updates: int, seed: int, batches: Sequence[int] = BATCHES
) -> list[Floor]:
    """|W - W_t|^2, whose prediction is exact."""
    model, floors = student(), []
    for batch in batches:
        run = simulate(model, learning_rate=RATE, batch_size=batch, replicas=replicas,
                       updates=updates, record_every=20, record_from=150, seed=seed,
                       record_weights=True, progress=False)  # fmt: skip
        error = mean_over_replicas(squared_error(good_weights(run), model.teacher))
        limit = model.predict(RATE, batch).accuracy_limit
        # the error is proportional to alpha where alpha vanishes: that limit, at this alpha
        small = model.predict(RATE * 1e-3, batch).accuracy_limit * 1e3
        floors.append(Floor(RATE, batch, error, limit, small))
    return floors


def network_floors(
    replicas: int, updates: int, seed: int, batches: Sequence[float] = (*BATCHES, np.inf)
) -> list[Floor]:
    """Test loss of a network on digits less that of the whole gradient, from the same start.

    Weight decay of 0.01 lets the training come to rest. The difference is taken replica by replica.
    """
    inputs, test = _digits()
    losses = []
    for batch in batches:
        run = simulate(inputs, learning_rate=0.2, batch_size=batch, replicas=replicas,
                       updates=updates, record_every=updates // 8, seed=seed,
                       optimizer=SGD(weight_decay=_DECAY), record_weights=True,
                       progress=False)  # fmt: skip
        # of the last half of the training
        losses.append(_test_loss(inputs, run, test)[:, -4:].mean(axis=1))
    at_rest = losses[-1]
    # replica by replica: what a start has in common with itself cancels
    return [Floor(0.2, batch, mean_over_replicas(loss - at_rest))
            for batch, loss in zip(batches[:-1], losses[:-1], strict=True)]  # fmt: skip


def _digits() -> tuple[MLP, tuple[np.ndarray, np.ndarray]]:
    """A network on the first rows, and the rest as a test."""
    whole = MLP.digits(hidden=(16,))
    model = MLP(whole.inputs[:_TRAINED], whole.targets[:_TRAINED], hidden=(16,))
    return model, (whole.inputs[_TRAINED:], whole.targets[_TRAINED:])


def _test_loss(model: MLP, run: xr.Dataset, test: tuple[np.ndarray, np.ndarray]) -> Floats:
    """Loss of what a network has not seen, (replica, time)."""
    loss = jax.jit(jax.vmap(jax.vmap(lambda w: model.loss(w, test))))
    return np.asarray(loss(recorded_weights(model, run)), np.float64)
