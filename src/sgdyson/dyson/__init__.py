"""Dyson Brownian motion: of matrices, exactly, and of their levels, in any potential."""

from ._bridges import MatrixBridge as MatrixBridge
from ._circular import CircularProcess as CircularProcess
from ._eigenvalues import EigenvalueProcess as EigenvalueProcess
from ._jacobi import JacobiProcess as JacobiProcess
from ._laguerre import LaguerreProcess as LaguerreProcess
from ._matrices import MatrixProcess as MatrixProcess
from ._matrices import WishartProcess as WishartProcess
