"""Numbers of a page: as few and as short as a picture needs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._types import Floats


def plain(values: Floats) -> Any:
    """Five digits are enough for a picture; what is not finite is null."""
    if values.ndim > 1:
        return [plain(row) for row in values]
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values]


def spread(count: int, most: int) -> NDArray[np.intp]:
    """At most so many of so many places, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
