r"""Learning from D samples: the error against the *true* target, with noise and without."""

from typing import NamedTuple

import numpy as np
from scipy.special import digamma

from ..._types import Floats
from ...engine import simulate
from ...models import GaussianRBM, TeacherStudent
from ...stats import Estimate, mean_over_replicas
from ._distance import (
    at_the_fixed_point,
    divergence,
    divergence_of_kernels,
    good_weights,
    squared_error,
)

_MASS = 6.0  # of the machine, so high that it can learn every mode of the data
_RATE = 0.02  # of the machine


class Generalised(NamedTuple):
    """The error of what was learnt from D samples.

    Attributes:
        samples: D.
        ratio: alpha/|B|, rising; zero is learning without noise.
        error: against the true target, one for each ratio.
        excess: over learning without noise from the same data, one for each ratio above zero.
        overfit: predicted error without noise.
    """

    samples: int
    ratio: list[float]
    error: list[Estimate]
    excess: list[Estimate]
    overfit: float


def machine_generalises(
    samples: tuple[int, ...],
    sets: int,
    replicas: int,
    updates: int,
    seed: int,
    batches: tuple[int, ...] = (64, 16, 8),
) -> list[Generalised]:
    """A Gaussian RBM that learns the second moments of D samples, at alpha = 0.02.

    Args:
        samples: D.
        sets: of data, each drawn anew.
        replicas: of each set and ratio.
        updates: of each, from the fixed point on.
        seed: of the data; the noise of a set is seeded with its number, and is the same at all D.
        batches: |B|, falling.
    """
    truth = GaussianRBM.scalar_field(4, mass=2.0, rbm_mass=_MASS).target_kernel
    root = np.linalg.cholesky(np.linalg.inv(truth))
    sizes, ratio = [], [0.0, *(_RATE / batch for batch in batches)]
    for number, count in enumerate(samples):
        errors = []
        for trial in range(sets):
            # one generator for each set, so that more sets leave these as they are
            random = np.random.default_rng([seed, number, trial])
            data = random.standard_normal((count, len(truth))) @ root.T
            kernel = np.asarray(np.linalg.inv(data.T @ data / count), np.float64)
            errors.append([divergence_of_kernels(kernel, truth), *(
                _machine_error(kernel, truth, batch, replicas, updates, trial)
                for batch in batches
            )])  # fmt: skip
        sizes.append(_generalised(count, ratio, np.array(errors),
                                  overfitting(len(truth), count)))  # fmt: skip
    return sizes


def _machine_error(
    kernel: Floats, truth: Floats, batch: int, replicas: int, updates: int, seed: int
) -> float:
    model = GaussianRBM(kernel, rbm_mass=_MASS)
    start = at_the_fixed_point(model)
    model = GaussianRBM(kernel, rbm_mass=_MASS, sampler="independent", initial_weights=start)
    run = simulate(model, learning_rate=_RATE, batch_size=batch, replicas=replicas, updates=updates,
                   record_every=updates // 10, seed=seed, record_weights=True,
                   progress=False)  # fmt: skip
    return float(divergence(good_weights(run, 4), _MASS, truth).mean())


def overfitting(n: int, samples: int) -> float:
    r"""$\langle KL \rangle$ of the kernel of greatest likelihood, from moments of Wishart's law.

    $\frac12 [D N/(D - N - 1) - N + \sum_{i<N} \psi(\frac{D - i}2) + N \ln \frac2D]$, which tends to
    $N (N + 1)/4D$.
    """
    degrees = (samples - np.arange(n)) / 2
    logarithm = digamma(degrees).sum() + n * np.log(2 / samples)
    return float(0.5 * (samples * n / (samples - n - 1) - n + logarithm))


def least_squares_error(n: int, samples: int, label_noise: float = 1.0) -> float:
    r"""$\langle |\hat W - W_t|^2 \rangle$ of the student that fits D samples best.

    The whole gradient vanishes at $\hat W - W_t = a\, C^{-1}$, C the second moment of the inputs
    and a the mean noise of the labels, independent of C, $\langle a^T a \rangle = \epsilon^2 (N +
    1)/D$. With $\langle C^{-2} \rangle$ of Wishart's law (D. von Rosen, Scand. J. Statist. 15, 97
    (1988)) it is $\epsilon^2 N (N + 1)\, D (D - 1)/[(D - N)(D - N - 1)(D - N - 3)]$: infinite for D
    <= N + 3.
    """
    left = samples - n
    if left <= 3:
        return float("inf")
    inverse = samples * (samples - 1) / (left * (left - 1) * (left - 3))
    return float(label_noise**2 * n * (n + 1) * inverse)


def student_generalises(
    samples: tuple[int, ...],
    replicas: int,
    passes: int,
    seed: int,
    parts: tuple[int, ...] = (1, 2, 4, 8),
) -> list[Generalised]:
    """A student that passes through D samples again and again, each replica through its own.

    |B| = D is least squares, without noise; smaller |B| at alpha = 0.1 see the same D samples in
    parts. Replicas of different |B| have different data.
    """
    sizes = []
    for count in samples:
        ratio, errors = [0.0], []
        for batch in (count // share for share in parts):
            model = TeacherStudent((3.0, 2.0, 2.0, 1.0), label_noise=1.0, data="quenched",
                                   batches=count // batch)  # fmt: skip
            # all samples at once make one update a pass, and are to reach their fixed point
            updates = passes * (count // batch) if batch < count else 10 * passes
            run = simulate(model, learning_rate=0.1, batch_size=batch, replicas=replicas,
                           updates=updates, record_every=updates, seed=seed, record_weights=True,
                           progress=False)  # fmt: skip
            errors.append(squared_error(good_weights(run), model.teacher).mean(axis=1))
            ratio += [0.1 / batch] if batch < count else []
        overfit = least_squares_error(model.n, count, model.label_noise)
        sizes.append(_generalised(count, ratio, _aligned(errors), overfit, paired=False))
    return sizes


def _aligned(errors: list[Floats]) -> Floats:
    """Columns of one length, where a replica or two diverged."""
    length = min(map(len, errors))
    return np.stack([column[:length] for column in errors], axis=1)


def _generalised(
    samples: int, ratio: list[float], errors: Floats, overfit: float, *, paired: bool = True
) -> Generalised:
    """Means of errors (set, ratio); the sets of all ratios are the same ones if paired."""
    means = [mean_over_replicas(column) for column in errors.T]
    excess = [mean_over_replicas(column - errors[:, 0]) for column in errors[:, 1:].T]
    if not paired:
        # sets that have nothing to do with each other: their errors add in squares
        excess = [Estimate(mean.value - means[0].value, float(np.hypot(mean.error, means[0].error)),
                           mean.effective_size) for mean in means[1:]]  # fmt: skip
    return Generalised(samples, ratio, means, excess, overfit)
