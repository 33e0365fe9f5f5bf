"""Which pairs are the bulk's, what many matrices cost a p-value, and where a surmise has a say."""

from types import SimpleNamespace

import numpy as np
import pytest
from known_levels import START, ornstein_uhlenbeck, tracked

from sgdyson.errors import InvalidInputError
from sgdyson.tracking import Run, _dyson_test, dyson_test
from sgdyson.tracking._level_steps import Frame, frame_of


def test_pairs_with_a_level_above_the_bulk_are_the_outliers(monkeypatch):
    chosen = []

    def index_of(noise, pairs):
        chosen.append(pairs.astype(int).tolist())
        return SimpleNamespace(index=len(chosen))

    noise = SimpleNamespace(pairs=np.ones((6, 2), bool))
    bulk = SimpleNamespace(is_noise=True, outliers=2)
    monkeypatch.setattr(_dyson_test, "index_of", index_of)
    monkeypatch.setattr(_dyson_test, "fit_bulk", lambda s, shape: bulk)
    inside, outside = _dyson_test._parts(noise, np.arange(6.0, 0.0, -1.0), (9, 6))
    assert chosen[inside - 1] == [[0, 0]] * 2 + [[1, 1]] * 4
    assert chosen[outside - 1] == [[1, 1]] * 2 + [[0, 0]] * 4


@pytest.fixture
def many(monkeypatch):
    """Four matrices of independent entries, of which one may have a level that is off."""

    def test_of(pvalue):
        def tested(run, name, start):
            if name == "frozen":
                raise InvalidInputError("at rest.")
            random = np.random.default_rng(ord(name))
            squares = random.chisquare(8, (2, 60, 5, 2)) / 8
            noise = SimpleNamespace(mixed=squares[0], alone=squares[1], updates=480,
                                    pairs=np.ones((5, 2), bool))  # fmt: skip
            levels = pvalue if name == "b" else 0.5
            return SimpleNamespace(pvalue_levels=levels, repulsion=9.0), noise

        monkeypatch.setattr(_dyson_test, "_tested", tested)
        return _dyson_test._all_tested(SimpleNamespace(names=["a", "b", "frozen", "c", "d"]), 0)

    return test_of


@pytest.mark.parametrize(
    ("smallest", "verdict"),
    [(0.004, "Dyson Brownian motion"), (0.0026, "Dyson Brownian motion"), (0.0024, "neither")],
)
def test_the_smallest_of_four_p_values_counts_four_times(many, smallest, verdict):
    found = many(smallest)
    assert found.verdict == verdict
    assert found.pvalue_one > 0.01
    assert list(found.matrices) == ["a", "b", "c", "d"]
    assert found.refused == {"frozen": "at rest"}


@pytest.mark.parametrize(("drift", "told"), [(0.5, 0.25), (0.011, 0.25), (0.009, None)])
def test_the_surmise_is_told_of_levels_that_do_not_drift(tmp_path, monkeypatch, drift, told):
    run = Run(tracked(tmp_path / "r", ornstein_uhlenbeck(), START, 200))
    looked = []

    def measured(name, values, shape):
        looked.append((name, values, shape))
        return SimpleNamespace(ks_wigner=SimpleNamespace(pvalue=0.25))

    monkeypatch.setattr(_dyson_test, "_drift", lambda recorded, noise: drift)
    monkeypatch.setattr(_dyson_test, "measure_values", measured)
    assert dyson_test(run, "w").surmise == told
    if told:
        ((name, values, shape),) = looked
        assert (name, shape) == ("w", (20, 12))
        np.testing.assert_array_equal(values, run.values("w")[-1])
    else:
        assert looked == []


def test_vectors_keep_the_signs_that_they_had_an_update_before():
    """A decomposition may turn both vectors of a level: elements over time would alternate."""
    random = np.random.default_rng(1)
    matrix = random.standard_normal((9, 6))
    before = frame_of(matrix)
    after = frame_of(matrix + 1e-6 * random.standard_normal((9, 6)))
    signs = np.array([1, -1, 1, 1, -1, -1])
    turned = Frame(after.matrix, after.left * signs, after.s, after.right * signs)
    kept = turned.like(before)
    np.testing.assert_allclose(kept.left, before.left, atol=1e-4)
    np.testing.assert_allclose(kept.right, before.right, atol=1e-4)
    np.testing.assert_allclose(kept.left * kept.s @ kept.right.T, after.matrix)
