import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.spectra import levels_of_weights


@pytest.mark.parametrize("shape", [(3, 5), (5, 5), (7, 5), (2, 4, 7, 5), (6, 2, 5)])
def test_levels_are_the_eigenvalues_of_the_gram_matrix(shape):
    w = np.random.default_rng(1).normal(size=shape)
    levels = levels_of_weights(w)
    assert levels.shape == (*shape[:-2], 5)
    expected = np.linalg.eigvalsh(np.swapaxes(w, -1, -2) @ w)[..., ::-1]
    np.testing.assert_allclose(levels, expected, atol=1e-12)
    assert np.all(np.diff(levels, axis=-1) <= 0)
    np.testing.assert_allclose(levels.sum(axis=-1), np.sum(w**2, axis=(-1, -2)))
    assert np.all(levels[..., shape[-2] :] == 0)  # what too few hidden units cannot learn


def test_refuses():
    with pytest.raises(InvalidInputError, match=r"shape \(3,\)"):
        levels_of_weights(np.ones(3))
    with pytest.raises(InvalidInputError, match="diverged"):
        levels_of_weights([[1.0, np.nan]])
