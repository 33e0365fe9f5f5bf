import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgdyson.errors import InvalidInputError
from sgdyson.spectra import (
    Multiplet,
    multiplet_levels,
    multiplets,
    single_levels,
    spacings,
    unit_spacings,
)


@pytest.mark.parametrize(("n", "sizes"), [(10, [1, 2, 2, 2, 2, 1]), (7, [1, 2, 2, 2])])
def test_lattice_scalar_field(n, sizes):
    """All modes of the periodic lattice are double but k = 0 and, for even n, k = n/2."""
    kappa = 4 + 2 - 2 * np.cos(2 * np.pi * np.arange(n) / n)
    targets = np.sort(9 - kappa)[::-1]
    groups = multiplets(targets)
    assert [len(g.indices) for g in groups] == sizes
    assert [g.is_single for g in groups] == [s == 1 for s in sizes]
    assert [g.is_pair for g in groups] == [s == 2 for s in sizes]
    assert groups[0].target_level == pytest.approx(5)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 4)), min_size=1, max_size=8))
def test_every_level_belongs_to_one_multiplet(runs):
    values = dict(runs)  # target -> degeneracy
    targets = [v for v in sorted(values, reverse=True) for _ in range(values[v])]
    groups = multiplets(targets)
    assert [i for g in groups for i in g.indices] == list(range(len(targets)))
    assert [g.target_level for g in groups] == sorted(values, reverse=True)
    assert [len(g.indices) for g in groups] == [values[v] for v in sorted(values, reverse=True)]


def test_tolerance():
    targets = [3.0, 2.01, 2.0, 0.0, 0.0]
    assert [g.indices for g in multiplets(targets)] == [(0,), (1,), (2,), (3, 4)]
    assert [g.indices for g in multiplets(targets, tolerance=0.01)] == [(0,), (1, 2), (3, 4)]
    assert multiplets([0.0, 0.0]) == [Multiplet((0, 1), 0.0)]
    assert len(multiplets([1.0, 1.0 + 1e-15])) == 1  # out of order by rounding alone


LEVELS = np.array([[[9.0, 7.0, 6.5, 3.0, 2.0, 0.5]], [[8.0, 7.5, 6.0, 4.0, 2.5, 1.0]]])


def test_spacings_of_pairs_and_more():
    np.testing.assert_allclose(spacings(LEVELS, Multiplet((1, 2), 7.0)), [[0.5], [1.5]])
    triple = spacings(LEVELS, Multiplet((3, 4, 5), 2.0))
    np.testing.assert_allclose(triple, [[[1.0, 1.5]], [[1.5, 1.5]]])
    np.testing.assert_allclose(single_levels(LEVELS, Multiplet((0,), 8.5)), [[9.0], [8.0]])
    assert multiplet_levels(LEVELS, Multiplet((1, 2), 7.0)).shape == (2, 1, 2)


def test_unit_spacings_have_mean_one():
    s = unit_spacings([[1.0, 2.0], [3.0, 6.0]])
    assert s.mean() == pytest.approx(1)
    np.testing.assert_allclose(s, np.array([[1, 2], [3, 6]]) / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: multiplets([1.0, 2.0]), "not in descending order"),
        (lambda: multiplets([1.0, np.nan]), "NaN"),
        (lambda: multiplets([]), "finite"),
        (lambda: multiplets([1.0], tolerance=-1.0), "negative"),
        (lambda: spacings(LEVELS, Multiplet((0,), 1.0)), "use single_levels"),
        (lambda: single_levels(LEVELS, Multiplet((0, 1), 1.0)), "2 levels"),
        (lambda: spacings(LEVELS, Multiplet((5, 6), 1.0)), r"\(5, 6\)"),
        (lambda: spacings(LEVELS[..., ::-1], Multiplet((0, 1), 1.0)), "descending"),
        (lambda: unit_spacings([0.0, 0.0]), "above zero"),
        (lambda: unit_spacings([]), "above zero"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(InvalidInputError, match=message):
        call()
