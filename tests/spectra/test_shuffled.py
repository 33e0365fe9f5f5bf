"""Entries in another order: every order as often as any other, whatever the type of the entries."""

from itertools import permutations

import ml_dtypes
import numpy as np
import pytest
from scipy.stats import chisquare

from sgdyson.spectra import _shuffled
from sgdyson.spectra._shuffled import shuffled

ORDERS = {order: number for number, order in enumerate(permutations(range(4)))}
DRAWS = 6000


def pvalue(shuffle):
    """Of the numbers of times that each order of four entries was found."""
    entries = np.arange(4, dtype=np.float32).reshape(2, 2)
    found = [ORDERS[tuple(shuffle(entries, seed).ravel().astype(int))] for seed in range(DRAWS)]
    return chisquare(np.bincount(found, minlength=24)).pvalue


@pytest.fixture
def by_heaps(monkeypatch):
    monkeypatch.setattr(_shuffled, "_MANY", range(2**23))
    monkeypatch.setattr(_shuffled, "_HEAPS", 2)
    whole = np.random.Generator

    class Coins(whole):
        def bytes(self, length):
            return bytes(byte % 2 for byte in super().bytes(length))

    monkeypatch.setattr(_shuffled.np.random, "Generator", Coins)


def test_every_order_of_a_few_is_as_likely(by_heaps):
    """With two heaps, so that most have several entries; a false alarm in a thousand."""
    assert pvalue(shuffled) > 1e-3


def test_heaps_that_keep_their_order_would_be_noticed(by_heaps, monkeypatch):
    monkeypatch.setattr(_shuffled.np.random.Generator, "permutation", lambda _, n: np.arange(n))
    assert pvalue(shuffled) < 1e-10


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("shape", [(30, 20), (300, 400)])
def test_the_entries_are_all_there_and_elsewhere(kind, shape):
    w = np.random.default_rng(0).standard_normal(shape).astype(kind)
    out = shuffled(w, 1)
    assert out.shape == shape
    assert np.array_equal(np.sort(out, axis=None), np.sort(w.astype(out.dtype), axis=None))
    assert np.mean(out == w) < 0.02
    assert np.array_equal(out, shuffled(w, 1))
    assert not np.array_equal(out, shuffled(w, 2))


def test_places_do_not_depend_on_the_type():
    w = np.random.default_rng(0).standard_normal((300, 400)).astype(np.float16)
    assert np.array_equal(shuffled(w, 1), shuffled(w.astype(np.float64), 1))
