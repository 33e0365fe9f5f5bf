"""The error against the number of samples that were seen, at constant and at falling rates."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._types import Floats
from ...engine import simulate
from ...models import TeacherStudent
from ...optimizers import SGD, Scheduled
from ...stats import Estimate, means_over_replicas
from ._distance import divergence, good_weights, squared_error
from ._floors import machine, student

BATCH = 8


class Falling(NamedTuple):
    r"""$1/(1 + t/\tau)$: the rate falls as 1/t, and an optimiser keeps its bits from run to run."""

    tau: float

    def __call__(self, update: Any) -> Any:
        return 1 / (1 + update / self.tau)


class Curve(NamedTuple):
    """The error along training.

    Attributes:
        name: of the rates.
        samples: seen, updates times |B|.
        error: at each.
        predicted: exact; None of the machine.
        floor: of a constant rate; None of a falling one.
    """

    name: str
    samples: Floats
    error: list[Estimate]
    predicted: Floats | None = None
    floor: float | None = None


def student_curves(replicas: int, updates: int, seed: int) -> list[Curve]:
    """|W - W_t|^2 at three constant rates, and at one that falls as 1/t from the largest."""
    model = student()
    return [
        _curve(model, f"alpha = {rate:g}{'/(1 + t/tau)' if falling else ''}", rate, falling,
               replicas, updates, seed)
        for rate, falling in ((0.3, None), (0.1, None), (0.03, None), (0.3, Falling(1 / 0.3)))
    ]  # fmt: skip


def _curve(
    model: TeacherStudent, name: str, rate: float, falling: Falling | None, replicas: int,
    updates: int, seed: int,
) -> Curve:  # fmt: skip
    optimizer = Scheduled(SGD(), falling.__call__) if falling else None
    run = simulate(model, learning_rate=rate, batch_size=BATCH, replicas=replicas, updates=updates,
                   record_every=5, seed=seed, optimizer=optimizer, record_weights=True,
                   progress=False)  # fmt: skip
    error, chosen = squared_error(good_weights(run, 0), model.teacher), _even(run.sizes["time"])
    rates = rate * (falling(np.arange(updates)) if falling else np.ones(updates))
    # from the measured start, whose own scatter is thus no error
    exact = expected_error(model, rates, float(error[:, 0].mean()))[run.time.values[chosen]]
    floor = None if falling else model.predict(rate, BATCH).accuracy_limit
    return Curve(name, run.time.values[chosen] * BATCH, means_over_replicas(error[:, chosen]),
                 exact, floor)  # fmt: skip


def expected_error(model: TeacherStudent, rates: Floats, start: float) -> Floats:
    r"""$\langle |W - W_t|^2 \rangle$ before each update and after the last, without approximation.

    $e' = e\,[1 - 2\alpha + \alpha^2 (1 + (N+1)/|B|)] + \alpha^2 N (N+1) A/|B|$ for fresh inputs.
    """
    n, noise = model.n, float(model.label_noise) ** 2
    errors = [start]
    for rate in rates:
        left = 1 - 2 * rate + rate**2 * (1 + (n + 1) / BATCH)
        errors.append(errors[-1] * left + rate**2 * n * (n + 1) * noise / BATCH)
    return np.array(errors)


def machine_curves(replicas: int, updates: int, seed: int) -> list[Curve]:
    """Divergence at two constant rates and at one that falls as 1/t, from half the weights on."""
    model, curves = machine(0.5), []
    # the slowest mode is pulled back at the rate 2 alpha x/kappa^2 = alpha/7.5: alpha tau must be
    # larger than 7.5/2 for the error to fall as 1/t
    for rate, tau in ((0.1, None), (0.03, None), (0.1, 100.0)):
        name = f"alpha = {rate:g}{'/(1 + t/tau)' if tau else ''}"
        optimizer = Scheduled(SGD(), Falling(tau).__call__) if tau else None
        run = simulate(model, learning_rate=rate, batch_size=BATCH, replicas=replicas,
                       updates=updates, record_every=20, seed=seed, optimizer=optimizer,
                       record_weights=True, progress=False)  # fmt: skip
        error = divergence(good_weights(run, 0), model.rbm_mass, model.target_kernel)
        chosen = _even(run.sizes["time"])
        floor = None if tau else model.predict(rate, BATCH).accuracy_limit
        curves.append(Curve(name, run.time.values[chosen] * BATCH,
                            means_over_replicas(error[:, chosen]), None, floor))  # fmt: skip
    return curves


def _even(times: int) -> NDArray[np.int64]:
    """Places of records, evenly spread in the logarithm of time, the start left out."""
    # the first few round to the same record
    return np.unique(np.geomspace(1, times - 1, 24).round().astype(int))
