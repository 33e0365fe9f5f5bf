"""Eigenvalues of many symmetric tridiagonal matrices, on all cores.

SciPy's own wrapper of LAPACK's dsterf holds Python's lock while it works; the same routine called
through ctypes lets it go, and threads serve.
"""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg import cython_lapack

from .._threads import cores

Levels = Float[np.ndarray, "sample level"]
_WORTH_A_THREAD = 100_000  # operations n^2 of all matrices, below which a pool costs more
_FEW_LEVELS = 32  # below, threads spend more on handing Python's lock to each other than on LAPACK
_STRETCHES = 8  # of matrices, for each core


def tridiagonal_levels(diagonal: Levels, off: Levels) -> Levels:
    """Ascending eigenvalues of symmetric tridiagonal matrices, one a row."""
    # copies: LAPACK overwrites both
    levels = np.array(diagonal, dtype=np.float64, order="C")
    if levels.shape[1] == 1:
        return levels
    side = np.array(off, dtype=np.float64, order="C")
    if levels.shape[1] < _FEW_LEVELS or levels.size * levels.shape[1] < _WORTH_A_THREAD:
        _overwrite_each(levels, side)
        return levels
    parts = min(len(levels), _STRETCHES * cores())
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(_overwrite_each, np.array_split(levels, parts), np.array_split(side, parts)))
    return levels


def _overwrite_each(diagonals: np.ndarray, offs: np.ndarray) -> None:
    for diagonal, off in zip(diagonals, offs, strict=True):
        _overwrite(diagonal, off)


def _overwrite(diagonal: np.ndarray, off: np.ndarray) -> None:
    """Eigenvalues in place of the diagonal; `off` is destroyed."""
    size, info = ctypes.c_int(diagonal.size), ctypes.c_int(0)
    _dsterf()(ctypes.byref(size), diagonal.ctypes.data, off.ctypes.data, ctypes.byref(info))
    assert info.value == 0, "the QL iteration of LAPACK did not converge"


@cache
def _dsterf() -> Any:
    """The routine that SciPy offers to compiled code, `void dsterf(int*, d*, d*, int*)`."""
    capsule = cython_lapack.__pyx_capi__["dsterf"]
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    address = ctypes.pythonapi.PyCapsule_GetPointer
    address.restype, address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    pointer = address(capsule, name(capsule))
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(pointer)
