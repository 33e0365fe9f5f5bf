"""Dyson Brownian motion: of matrices, exactly, and of their levels, in any potential."""

from ._bridges import MatrixBridge as MatrixBridge
from ._circular import CircularProcess as CircularProcess
from ._eigenvalues import EigenvalueProcess as EigenvalueProcess
from ._matrices import MatrixProcess as MatrixProcess
from ._matrices import WishartProcess as WishartProcess
from ._walled import JacobiProcess as JacobiProcess
from ._walled import LaguerreProcess as LaguerreProcess
