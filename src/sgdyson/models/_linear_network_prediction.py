r"""The joint Langevin process of all layers of a linear network, about its balanced minimum.

Weight decay $\lambda$ makes every layer $W_l = \mathrm{diag}(w_i)$, but for rotations of the hidden
units, with $(w_i^D - d_i) w_i^{D-2} + \lambda = 0$. The fluctuations $\delta_l$ of two mirrored
entries ij and ji of all layers interact with each other and with nothing else: 2D numbers with the
Hessian

$$J^T J + \lambda + r_i \partial^2 P_{ii} + r_j \partial^2 P_{jj}, \qquad
\delta P_{ij} = \sum_l w_i^{D-l} w_j^{l-1} \delta_{l,ij},$$

$r_i = w_i^D - d_i$, and the noise $J^T G$ of the gradient, $G_{ij}$ of variance $[\epsilon^2 +
r_i^2 (1+\delta_{ij})]/|B|$ and $\langle G_{ij} G_{ji} \rangle = r_i r_j/|B|$. Their stationary
covariance under any linear optimiser solves a Lyapunov equation. Derivation: docs, "Theory".
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Float
from scipy import integrate, optimize

from ..errors import NoPredictionError
from ..optimizers import Optimizer, effective_rate
from ..optimizers.stationary import stationary_covariance
from ._leading import LeadingOrder, Levels, mixing
from ._noisy_matrix import NoisyMatrix
from ._prediction import Prediction
from ._theory import Theory, given

Matrix = Float[np.ndarray, "n n"]


def predict_linear_network(
    teacher: Matrix,
    hidden: tuple[int, ...],
    label_noise: float,
    learning_rate: float,
    batch_size: float,
    optimizer: Optimizer | None,
) -> dict[str, Prediction]:
    """Predictions by name: the product, and every layer."""
    decay = float(getattr(optimizer, "weight_decay", 0.0))
    modes = _checked_modes(teacher, hidden, decay)
    depth, n = len(hidden) + 1, len(modes)
    layer = np.array([_balanced(mode, decay, depth) for mode in modes])
    residual = layer**depth - modes
    names = ["product", *(f"w{number}" for number in range(1, depth + 1))]
    joint = partial(stationary_covariance, optimizer, learning_rate)
    moments = _entry_moments(names, layer, residual, label_noise, batch_size, joint)
    alpha = effective_rate(optimizer, learning_rate)
    slowest = np.array([
        np.linalg.eigvalsh(_block(layer[[i, i]], residual[[i, i]], same=True, depth=depth)[0])[0]
        for i in range(n)
    ]) + decay  # fmt: skip

    def prediction(name: str) -> Prediction:
        levels = layer**depth if name == "product" else layer
        power = 1 if name == "product" else depth

        variance, mirrored = moments[name]
        covariance = (variance + variance.T) / 4 + mirrored / 2  # of the symmetric part
        bent = alpha * depth * layer ** (2 * depth - 2) * (n + 1) / (2 * batch_size)
        leading = LeadingOrder(
            learning_rate=learning_rate,
            batch_size=batch_size,
            levels=levels,
            target_modes=modes,
            learnt=np.full(n, True),
            curvature=slowest,
            covariance=covariance,
            width=np.sqrt(np.diag(covariance)),
            mean_shift=np.full(n, np.nan),
            relaxation_time=1 / (alpha * slowest),
            next_order=mixing(levels, covariance) + np.diag(covariance) / levels**2 + bent,
            _curve=partial(_learning_curve, modes, decay, depth, alpha, power),
            drift_shift=np.full(n, np.nan),
            accuracy_limit=variance.sum() + (residual**2).sum() if name == "product" else np.nan,
        )
        matrix = NoisyMatrix(levels, variance, mirrored, np.zeros(n))
        return Prediction(
            leading, Theory(partial(given, matrix), np.diag(covariance) / levels**2 + bent)
        )

    return {name: prediction(name) for name in names}


def _entry_moments(
    names: list[str],
    layer: Levels,
    residual: Levels,
    label_noise: float,
    batch_size: float,
    joint: Callable[[Matrix, Matrix], Matrix],
) -> dict[str, Float[np.ndarray, "2 level level"]]:
    """By matrix: variance of each entry, and its covariance with its mirror image.

    Args:
        names: of the product and of every layer.
        layer: singular values of a layer.
        residual: of the product, less the teacher's.
        label_noise: epsilon.
        batch_size: |B| or infinity.
        joint: stationary covariance of the layers' entries of a pair of modes, from the Hessian
            and the noise of the gradient.
    """
    depth, n = len(names) - 1, len(layer)
    moments = {name: np.zeros((2, n, n)) for name in names}
    for i in range(n):
        for j in range(i, n):
            hessian, rows = _block(layer[[i, j]], residual[[i, j]], same=i == j, depth=depth)
            gradient = _gradient_noise(label_noise, residual[[i, j]], same=i == j) / batch_size
            # noise of the product's gradient reaches the layers by the chain rule
            covariance = joint(hessian, rows[0].T @ gradient @ rows[0])
            for name, entries in zip(names, rows, strict=True):
                first, last = entries[0], entries[-1]
                moments[name][0, [i, j], [j, i]] = (
                    first @ covariance @ first, last @ covariance @ last,
                )  # fmt: skip
                moments[name][1, [i, j], [j, i]] = first @ covariance @ last
    return moments


def _checked_modes(teacher: Matrix, hidden: tuple[int, ...], decay: float) -> Levels:
    """Eigenvalues of the teacher, descending, where a theory is known."""
    diagonal = teacher.shape[0] == teacher.shape[1] and not np.any(
        teacher - np.diag(np.diag(teacher))
    )
    if not diagonal or (np.diag(teacher) <= 0).any():
        raise NoPredictionError("LinearNetwork is predicted for diagonal, positive teachers alone.")
    if min(hidden) < len(teacher):
        raise NoPredictionError(
            f"hidden = {hidden} is narrower than the teacher's {len(teacher)} levels; the levels"
            " left out make noise that is not predicted."
        )
    if decay <= 0:
        raise NoPredictionError(
            "LinearNetwork has a stationary state only with weight decay, which balances its"
            " layers; take an optimizer such as SGD(weight_decay=0.1)."
        )
    return np.sort(np.diag(teacher))[::-1]


def _balanced(mode: float, decay: float, depth: int) -> float:
    r"""The largest root of $w^{2D-2} - d\, w^{D-2} + \lambda$."""

    def slope(w: float) -> float:
        return float(w ** (2 * depth - 2) - mode * w ** (depth - 2) + decay)

    # where the polynomial is least; it rises from there on, and its root there is the stable one
    lowest = (mode * (depth - 2) / (2 * depth - 2)) ** (1 / depth)
    if slope(lowest) >= 0:
        raise NoPredictionError(
            f"weight decay {decay} is too strong: the level {mode} of the teacher is not learnt."
        )
    return float(optimize.brentq(slope, lowest, mode ** (1 / depth), xtol=1e-15))


def _block(
    w: Levels, residual: Levels, *, same: bool, depth: int
) -> tuple[Matrix, list[Float[np.ndarray, "entry variable"]]]:
    """Hessian of the loss, and the entries ij and ji of the product and of each layer as rows.

    Variables are the entries ij of all layers, then the entries ji; for i = j there is one set.
    """
    layers = np.arange(depth)
    # of W_D ... W_1 layer l, counted from 0, has D - 1 - l layers on its left, l on its right
    product = np.zeros((2, 2 * depth))
    product[0, :depth] = w[0] ** (depth - 1 - layers) * w[1] ** layers
    product[1, depth:] = w[1] ** (depth - 1 - layers) * w[0] ** layers
    early, late = np.triu_indices(depth, 1)
    bend = np.zeros((2 * depth, 2 * depth))
    between, outside = late - early - 1, depth - 1 - late + early
    bend[late, depth + early] = residual[0] * w[0] ** outside * w[1] ** between
    bend[depth + late, early] = residual[1] * w[1] ** outside * w[0] ** between
    unit = np.eye(2 * depth)
    rows = [product, *(unit[[layer, depth + layer]] for layer in range(depth))]
    if same:  # ij and ji are one entry: fold the second set of variables onto the first
        fold = np.vstack([np.eye(depth), np.eye(depth)])
        rows = [(row @ fold)[:1] for row in rows]
        # / 2: of one entry both blocks hold the same product of two layers
        bend = fold.T @ bend @ fold / 2
    return rows[0].T @ rows[0] + bend + bend.T, rows


def _gradient_noise(noise: float, residual: Levels, *, same: bool) -> Matrix:
    r"""Covariance of the entries ij and ji of $(R (C - 1) - \epsilon\, \Xi X^T/|B|)$, times |B|."""
    if same:
        return np.array([[noise**2 + 2 * residual[0] ** 2]])
    return noise**2 * np.eye(2) + np.outer(residual, residual)


def _learning_curve(
    modes: Levels,
    decay: float,
    depth: int,
    alpha: float,
    power: int,
    initial: Levels,
    updates: Levels,
) -> Float[np.ndarray, "time level"]:
    """Levels of a layer's power, those of the product at power 1."""
    start = initial ** (power / depth)
    return _balanced_growth(start, modes, decay, depth, alpha, updates) ** (depth / power)


def _balanced_growth(
    start: Levels, modes: Levels, decay: float, depth: int, alpha: float, updates: Levels
) -> Float[np.ndarray, "time level"]:
    r"""$\dot w = -\alpha [(w^D - d) w^{D-1} + \lambda w]$ of aligned, balanced layers."""

    def velocity(_: float, w: Levels) -> Levels:
        return np.asarray(-alpha * ((w**depth - modes) * w ** (depth - 1) + decay * w))

    end = max(float(updates[-1]), 1.0)
    solution = integrate.solve_ivp(
        velocity, (0.0, end), start, "LSODA", t_eval=updates, rtol=1e-10, atol=1e-12
    )
    return np.asarray(solution.y.T)
