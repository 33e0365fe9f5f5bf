"""Types by the names under which `help()` shows them, in place of what they stand for."""

import numpy as np
from numpy import typing as npt
from typing_extensions import TypeAliasType

# whatever NumPy makes an array of: numbers, sequences of numbers, arrays of other libraries
ArrayLike = TypeAliasType("ArrayLike", npt.ArrayLike)
Floats = TypeAliasType("Floats", npt.NDArray[np.float64])
Flags = TypeAliasType("Flags", npt.NDArray[np.bool_])
WholeNumbers = TypeAliasType("WholeNumbers", npt.NDArray[np.int64])
AnyArray = TypeAliasType("AnyArray", npt.NDArray[np.generic])
