"""Straight lines through correlated points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve
from scipy.special import chdtrc

from .._checks import real_array, truth
from .._types import ArrayLike, Floats
from ..errors import require
from ._estimate import Estimate
from ._samples import finite


@dataclass(frozen=True)
class LineFit:
    r"""y = intercept + slope x, fitted by generalised least squares.

    Attributes:
        slope: with its standard error from the covariance of the points.
        intercept: with its standard error; exactly zero for a line through the origin.
        covariance: (2, 2), of (slope, intercept).
        chi2: $r^T C^{-1} r$ of the residuals r.
        dof: points less fitted parameters.
    """

    slope: Estimate
    intercept: Estimate
    covariance: Floats
    chi2: float
    dof: int

    @property
    def pvalue(self) -> float:
        """Chance of a larger chi2 if the line is true; 1 without degrees of freedom."""
        return float(chdtrc(self.dof, self.chi2)) if self.dof else 1.0

    def __call__(self, x: ArrayLike) -> Floats:
        """The line at `x`, same shape."""
        return np.asarray(self.intercept.value + self.slope.value * real_array("x", x))

    def error_at(self, x: ArrayLike) -> Floats:
        """Standard error of the line at `x`, same shape."""
        x = real_array("x", x)
        (slope, both), (_, intercept) = self.covariance
        return np.asarray(np.sqrt(slope * x**2 + 2 * both * x + intercept))


def fit_line(
    x: ArrayLike,
    y: ArrayLike | Sequence[Estimate],
    y_error: ArrayLike | None = None,
    *,
    covariance: ArrayLike | None = None,
    through_origin: bool = False,
) -> LineFit:
    r"""Generalised least squares, $\hat p = (A^T C^{-1} A)^{-1} A^T C^{-1} y$.

    Errors are those of the points, never rescaled by chi2 (Aitken, Proc. R. Soc. Edinburgh 55, 42
    (1936)).

    Args:
        x: (n,), known exactly.
        y: (n,) numbers, or n estimates, whose errors are used.
        y_error: (n,) standard errors of independent points.
        covariance: (n, n) of the points, instead of `y_error` and of the errors of estimates.
        through_origin: fit the slope alone.

    Returns:
        The line; effective sizes are the number of points.

    Raises:
        InvalidInputError: no errors, errors given twice or not positive, shapes that do not match,
            a covariance that is not symmetric and positive, too few different x.

    Examples:
        >>> line = fit_line([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], [0.1, 0.1, 0.1])
        >>> round(line.slope.value, 9), round(line.intercept.value, 9), round(line.chi2, 9)
        (2.0, 1.0, 0.0)
    """
    x, y, matrix = _points(x, y, y_error, covariance)
    columns = [x] if truth("through_origin", through_origin) else [x, np.ones_like(x)]
    parameters = len(columns)
    require(
        len(np.unique(x)) >= parameters and bool(np.any(x != 0)),
        f"{parameters} parameters need as many different x, of which one at least is not 0; "
        f"got x = {x.tolist()}.",
    )
    factor = _cholesky(matrix)
    design = np.stack(columns, axis=1)
    weighted = cho_solve((factor, True), design)  # C^-1 A
    fitted_covariance = np.linalg.inv(design.T @ weighted)
    fitted = fitted_covariance @ (weighted.T @ y)
    residual = y - design @ fitted
    # through the origin the intercept is 0, without an error
    full = np.zeros((2, 2))
    full[:parameters, :parameters] = fitted_covariance
    slope, intercept = (
        Estimate(value, float(np.sqrt(variance)), float(len(x)))
        for value, variance in zip((*fitted.tolist(), 0.0), np.diag(full), strict=False)
    )
    chi2 = float(residual @ cho_solve((factor, True), residual))
    return LineFit(slope, intercept, full, chi2, len(x) - parameters)


def _points(
    x: ArrayLike,
    y: ArrayLike | Sequence[Estimate],
    y_error: ArrayLike | None,
    covariance: ArrayLike | None,
) -> tuple[Floats, Floats, Floats]:
    """x, y and the covariance matrix of y."""
    if isinstance(y, Sequence) and any(isinstance(point, Estimate) for point in y):
        estimates = [point for point in y if isinstance(point, Estimate)]
        require(len(estimates) == len(y), "y mixes numbers and estimates; give one kind.")
        if y_error is None and covariance is None:
            y_error = [point.error for point in estimates]
        y = [point.value for point in estimates]
    require(
        (y_error is None) != (covariance is None),
        "A line needs the errors of its points once; give either y_error or covariance.",
    )
    x, y = finite(x, "x"), finite(y, "y")
    require(
        x.ndim == 1 and x.shape == y.shape,
        f"x has shape {x.shape} and y {y.shape}; give two lists of one length.",
    )
    if y_error is None:
        assert covariance is not None
        matrix = finite(covariance, "covariance")
    else:
        errors = np.broadcast_to(finite(y_error, "y_error"), x.shape)
        require(
            bool(np.all(errors > 0)),
            f"y_error has {errors.min()} as its smallest entry; standard errors must be positive.",
        )
        matrix = np.diag(errors**2)
    n = len(x)
    require(
        matrix.shape == (n, n) and bool(np.allclose(matrix, matrix.T)),
        f"covariance has shape {matrix.shape}; give a symmetric ({n}, {n}) matrix for {n} points.",
    )
    return x, y, matrix


def _cholesky(matrix: Floats) -> Floats:
    # Cholesky passes where rounding has made zero a hair positive, and the line would be of noise
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    require(
        smallest > 1e-14 * float(np.trace(matrix)),
        f"covariance has {smallest:.3g} as its smallest eigenvalue; it must be positive: use more "
        "replicas than points, or drop points that repeat others.",
    )
    return np.asarray(np.linalg.cholesky(matrix))
