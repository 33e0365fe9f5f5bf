r"""Real, complex or quaternion numbers, of Dyson index beta = 1, 2, 4, as matrices that JAX takes.

A matrix A + B j of quaternions is the complex one ((A, B), (-B*, A*)) of twice the size: sums,
products and adjoints go over into each other, and each singular value comes twice. With
$\langle |z|^2 \rangle = 1$ every one of the beta components has the variance 1/beta.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from .._checks import shown, whole
from .._normals import normals
from ..errors import require
from ..spectra import levels_of_gram


class Numbers(NamedTuple):
    """What the entries of weights, samples and noise are.

    Attributes:
        beta: 1, 2 or 4.
    """

    beta: int

    @property
    def copies(self) -> int:
        """Rows for one row of numbers, and times that each level comes."""
        return 2 if self.beta == 4 else 1

    def lift(self, matrix: Array) -> Array:
        """A real matrix, or a complex one if beta = 2, as one of these numbers."""
        if self.beta == 4:
            return quaternions(matrix.astype(complex), jnp.zeros(matrix.shape, complex))
        return matrix if self.beta == 1 else matrix.astype(complex)

    def eye(self, n: int) -> Array:
        """The identity."""
        return self.lift(jnp.eye(n))

    def normals(self, key: PRNGKeyArray, shape: tuple[int, int]) -> Array:
        r"""A matrix of independent normal numbers, $\langle |z|^2 \rangle = 1$."""
        if self.beta == 1:
            return normals(key, shape)
        parts = normals(key, (self.beta, *shape)) * self.beta**-0.5
        first = jax.lax.complex(parts[0], parts[1])
        return first if self.beta == 2 else quaternions(first, jax.lax.complex(parts[2], parts[3]))

    def cholesky(self, matrix: Array) -> Array:
        """The lower triangular root, itself of these numbers; NaN where there is none.

        Of quaternions it is the complex one with the two rows of each quaternion side by side: the
        diagonal blocks are then multiples of the identity, whose root is diagonal.
        """
        if self.beta < 4:
            return jnp.linalg.cholesky(matrix, symmetrize_input=False)
        n = len(matrix) // 2
        together = np.arange(2 * n).reshape(2, n).T.ravel()  # 0, n, 1, n + 1, ...
        apart = np.argsort(together)
        root = jnp.linalg.cholesky(matrix[together][:, together], symmetrize_input=False)
        return root[apart][:, apart]

    def exact(self, matrix: Array) -> Array:
        """The same without what rounding did to the second half of quaternions."""
        if self.beta < 4:
            return matrix
        rows, columns = (size // 2 for size in matrix.shape)
        return quaternions(matrix[:rows, :columns], matrix[:rows, columns:])

    def levels(self, weights: np.ndarray) -> np.ndarray:
        """Eigenvalues of W^dagger W, descending, each once."""
        # equal levels of the complex form are neighbours once they descend
        return levels_of_gram(weights)[..., :: self.copies]


def numbers_of(beta: int) -> Numbers:
    """The numbers that belong to a beta that a user gave.

    Raises:
        InvalidInputError: another one than 1, 2 or 4.
    """
    require(
        whole("beta", beta) in (1, 2, 4),
        f"beta = {shown(beta)} must be 1 (real weights), 2 (complex) or 4 (quaternion).",
    )
    return Numbers(int(beta))


def quaternions(first: Array, second: Array) -> Array:
    """((A, B), (-B*, A*))."""
    return jnp.block([[first, second], [-second.conj(), first.conj()]])


def dagger(matrix: Array) -> Array:
    """The adjoint: of a real matrix its transpose, and nothing more is computed."""
    return matrix.T if not jnp.iscomplexobj(matrix) else matrix.conj().T
