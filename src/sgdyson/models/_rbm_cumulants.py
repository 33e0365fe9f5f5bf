r"""Third cumulants of the joint process of an RBM, to leading order.

$\langle z^a_{ij} z^b_{jk} z^c_{ki} \rangle = (1, 2, 8)\, t^{abc}_{ijk}$ with no, two or three equal
indices: eight numbers for each triple, which one update maps linearly onto themselves, plus what
its quadratic terms and the noise of the samples add.
"""

import numpy as np

from ._rbm_joint import Blocks, Cube, Linear, Setting
from ._rbm_terms import Quadratic, chain_quadratic, weight_quadratic

Third = np.ndarray  # (2, 2, 2, level, level, level)


def third_cumulants(s: Setting, linear: Linear) -> tuple[Third, Third]:
    """T before an update, and between its two steps."""
    n = len(s.target)
    # moments over their multiplicity, as t is: 1 + delta_ij for two equal indices
    unit = (1 + np.eye(n))[..., None, None]
    before, between = linear.before / unit, linear.between / unit
    first = _of_quadratic(chain_quadratic(s), before @ linear.chain.mT, 1)
    first += _of_samples(s, linear, before)
    second = _of_quadratic(weight_quadratic(s), between @ linear.weights.mT, 0)
    cumulants, middle = np.zeros_like(first), np.zeros_like(first)
    # one i at a time: the maps of all triples together would be 128 n^3 numbers
    for i in range(n):
        chain, weights = _on_triples(linear.chain, i), _on_triples(linear.weights, i)
        source, weight_source = _flat(first[:, :, :, i]), _flat(second[:, :, :, i])
        t = np.linalg.solve(np.eye(8) - weights @ chain, weights @ source + weight_source)
        cumulants[:, :, :, i], middle[:, :, :, i] = _back(t), _back(chain @ t + source)
    return cumulants, middle


def multiplicity(n: int) -> Cube:
    """1, 2 or 8 of the index triples."""
    same = np.eye(n)
    count = 1 + same[:, :, None] + same[None] + same[:, None, :]
    count[np.arange(n), np.arange(n), np.arange(n)] = 8
    return np.asarray(count)


def noise_response(s: Setting) -> np.ndarray:
    r"""Response of $\Sigma = A^k C A^k$, the samples' part that is not new, to m and c."""
    a, h, _ = s.contraction(s.x)
    response = np.zeros((len(a), len(a), 2))
    memory = s.propagator * a
    response[..., 0] = h * (memory[None, :] + memory[:, None])
    response[..., 1] = np.outer(a, a)
    return response


def _of_quadratic(terms: list[Quadratic], left: Blocks, which: int) -> Third:
    """Wick: a quadratic term in one place, linear parts in the two others."""
    n = len(left)
    cumulants = np.zeros((2, 2, 2, n, n, n))
    for kernel, a, b in terms:
        for p in range(2):
            for c in range(2):
                cumulants[which, p, c] += np.einsum(
                    "ikj,ki,kj->ijk", kernel, left[..., a, c], left[..., b, p]
                )
    return _cyclic(cumulants)


def _of_samples(s: Setting, linear: Linear, before: Blocks) -> Third:
    """The noise of Gaussian samples: its variance follows z, and it is skewed (Wishart)."""
    n, p = len(s.target), s.propagator
    a, _, _ = s.contraction(s.x)
    old_share, new_share = a**2, 1 - a**2
    row = linear.chain[..., 1, :]
    moved = np.einsum("ijab,ijbc,ijc->ija", linear.chain, before, row)
    old = np.einsum("ijab,ijbc,ijc->ija", linear.chain, before, noise_response(s))
    cumulants = np.zeros((2, 2, 2, n, n, n))
    for which in range(2):
        cumulants[which, 1, 1] = (
            moved[..., which][:, :, None] * p - old[..., which][:, :, None] * (old_share * p)
        ) / s.batch
    cumulants = _cyclic(cumulants)
    i, j, k = np.ogrid[:n, :n, :n]
    cumulants[1, 1, 1] += p[i] * p[j] * p[k] / s.batch**2 * (
        new_share[i] * new_share[j] * new_share[k] + old_share[i] * new_share[j] * new_share[k]
        + new_share[i] * old_share[j] * new_share[k] + new_share[i] * new_share[j] * old_share[k]
    )  # fmt: skip
    return cumulants


def _cyclic(cumulants: Third) -> Third:
    """The same with the term in the second and in the third place."""
    turned = np.einsum("bcajki->abcijk", cumulants) + np.einsum("cabkij->abcijk", cumulants)
    return np.asarray(cumulants + turned)


def _on_triples(step: Blocks, i: int) -> np.ndarray:
    """The map of one step on the eight numbers of each (j, k), shape (j, k, 8, 8)."""
    n = len(step)
    product = np.einsum("jap,jkbq,kcr->jkabcpqr", step[i], step, step[:, i], optimize=True)
    return np.asarray(product.reshape(n, n, 8, 8))


def _flat(third: np.ndarray) -> np.ndarray:
    n = third.shape[-1]
    return np.moveaxis(third.reshape(8, n, n), 0, -1)[..., None]


def _back(flat: np.ndarray) -> np.ndarray:
    n = flat.shape[0]
    return np.moveaxis(flat[..., 0], -1, 0).reshape(2, 2, 2, n, n)
