"""Levels of shuffled entries: as many false alarms as it says; large entries, not correlations."""

import numpy as np
import pytest
from scipy.stats import binom

from sgdyson.spectra import spectrum
from sgdyson.spectra._shuffled import shuffled


def noise(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


def spike(shape, seed, strength):
    """Of rank one, with no entry larger than the others by much."""
    random = np.random.default_rng(seed)
    u, v = (random.choice([-1.0, 1.0], n) for n in shape)
    return strength * np.outer(u, v) / shape[0] ** 0.5


def large_entries(w, number, size):
    out = w.copy()
    for k in range(number):
        out[3 * k, 2 * k] = size
    return out


@pytest.mark.parametrize("shape", [(90, 70), (40, 60)])
def test_false_alarms_are_as_many_as_it_says(shape):
    """Correlations do not add to them: every matrix has an outlier, and 300 are shuffled."""
    traps, outliers = [], []
    for seed in range(300):
        found = spectrum("w", noise(shape, seed) + spike(shape, seed, 5), false_alarm=0.05,
                         randomise=seed)  # fmt: skip
        traps.append(found.traps)
        outliers.append(found.bulk.outliers)
    assert min(outliers) >= 1
    alarms = int(np.sum(np.array(traps) > 0))
    assert binom.sf(alarms - 1, 300, 0.05) > 1e-3
    assert binom.cdf(alarms, 300, 0.05) > 1e-3


@pytest.mark.parametrize("number", [1, 3, 12])
@pytest.mark.parametrize("shape", [(90, 70), (50, 40)])
def test_each_very_large_entry_is_one(shape, number):
    """Or less where some of many come into one row or column: the rank of these entries alone."""
    w = large_entries(noise(shape, 1), number, 40.0)
    for one in (w, w.T.astype(np.float32)):
        alone = np.where(shuffled(one, 2) > 20, 1.0, 0.0)
        assert spectrum("w", one, randomise=2).traps == np.linalg.matrix_rank(alone)


def test_entries_as_large_as_noise_has_them_are_none():
    assert spectrum("w", large_entries(noise((90, 70), 1), 3, 4.0), randomise=2).traps == 0


def test_a_mean_of_all_entries_is_one():
    assert spectrum("w", noise((90, 70), 1) + 0.5, randomise=0).traps == 1


def test_where_it_is_told():
    row = spectrum("w", 1e30 * large_entries(noise((9, 7), 1), 1, 40.0), randomise=0).to_row()
    assert row["traps"] == 1
    assert "traps" not in spectrum("w", noise((9, 7), 1)).to_row()
    assert spectrum("w", noise((9, 4), 1), randomise=0).traps is None
