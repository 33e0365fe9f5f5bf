"""The entries of a matrix in another order, each order as likely as any other."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from ._blocks import Matrix

_HEAPS = 256
_MANY = range(2**16, 2**23)  # entries that a cache does not hold, but memory does several times


def shuffled(matrix: Matrix, seed: int) -> Matrix:
    """The entries in another order.

    Entries of two or four bytes are moved as they are, and any others as float32. With the bit
    generator SFC64, the fastest at this.
    """
    narrow = matrix.dtype.itemsize <= 4 and matrix.dtype.kind not in "iu"
    entries = (matrix if narrow else matrix.astype(np.float32)).flatten()
    bits = entries.view({1: np.uint8, 2: np.uint16, 4: np.uint32}[entries.dtype.itemsize])
    random = np.random.Generator(np.random.SFC64(seed))
    if bits.size in _MANY:
        bits = _by_heaps(bits, random)
    else:
        random.shuffle(bits)
    return bits.view(entries.dtype).reshape(matrix.shape)


def _by_heaps(bits: Matrix, random: np.random.Generator) -> Matrix:
    """Throw each entry on a heap by chance, shuffle each heap, and put them side by side.

    Every order is as likely as any other (C. R. Rao, Sankhya 23, 305 (1961); M. Sandelius, J. Royal
    Statist. Soc. B 24, 479 (1962)). A heap stays in the cache, where an entry of all of them
    would wait for memory.
    """
    # a random byte names one of 256 heaps, each as likely
    heaps = np.frombuffer(random.bytes(bits.size), np.uint8).astype(np.int32)
    # SciPy's transposition of one sparse row is a counting sort that reads its input once
    row = csr_array((bits, heaps, np.array([0, bits.size], np.int32)), shape=(1, _HEAPS))
    columns = row.tocsc()
    for first, last in zip(columns.indptr[:-1], columns.indptr[1:], strict=True):
        heap = columns.data[first:last]
        heap[:] = heap[random.permutation(last - first)]
    return np.asarray(columns.data)
