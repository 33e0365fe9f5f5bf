"""Levels that come to a given place: laws at a time, of a whole path, and of pairs."""

import numpy as np
import pytest
from scipy import stats

from compared_levels import FALSE_ALARM, smallest_pvalue
from sgdyson.dyson import MatrixBridge
from sgdyson.ensembles import GaussianEnsemble, WishartEnsemble
from sgdyson.errors import InvalidInputError


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_at_a_time_it_is_a_gaussian_ensemble(beta):
    """However many times are between: sigma^2 = 2 g^2 t (T - t)/T."""
    bridge = MatrixBridge(3, beta, noise=0.7, duration=2.0)
    run = bridge.simulate([0.0, 0.2, 0.5, 1.4, 2.0], replicas=1500, seed=1)
    levels = run.levels.values[..., ::-1]
    for place, time in ((1, 0.2), (3, 1.4)):
        width = np.sqrt(2 * 0.49 * time * (2 - time) / 2)
        gas = GaussianEnsemble(3, beta, width).eigenvalues(4000, 2)
        assert smallest_pvalue(levels[:, place], gas) > FALSE_ALARM
        free = GaussianEnsemble(3, beta, np.sqrt(2 * 0.49 * time)).eigenvalues(4000, 2)
        assert place == 1 or smallest_pvalue(levels[:, place], free) < FALSE_ALARM
    np.testing.assert_allclose(levels[:, [0, -1]], 0, atol=1e-12)
    # the trace is a Brownian bridge: covariance n 2 g^2 s (T - t)/T
    trace = levels.sum(axis=2)
    exact = 3 * 2 * 0.49 * 0.5 * (2 - 1.4) / 2
    products = trace[:, 2] * trace[:, 3]
    assert abs(products.mean() - exact) < 4 * products.std() / np.sqrt(1500)


def test_the_summit_of_a_watermelon():
    """4 max^2 of the top one of n bridges that do not meet: the largest level of real noise.

    G. B. Nguyen and D. Remenik, Ann. Inst. H. Poincare B 53, 2005 (2017): X^T X, X of (n+1) x n.
    Of times h apart a Brownian path's summit is 0.5826 sqrt(h) lower (M. Broadie, P. Glasserman
    and S. Kou, Math. Finance 7, 325 (1997)).
    """
    n, times = 3, np.linspace(0, 1, 401)
    run = MatrixBridge(n, 2, noise=np.sqrt(0.5)).simulate(times, replicas=800, seed=3)
    summit = run.levels.values[..., 0].max(axis=1) + 0.5826 * np.sqrt(times[1])
    law = WishartEnsemble(n, n + 1, 1).eigenvalues(20_000, 4)[:, -1]
    assert stats.ks_2samp(4 * summit**2, law).pvalue > FALSE_ALARM
    for wrong in (WishartEnsemble(n, n, 1), WishartEnsemble(n, n + 1, 2)):
        other = wrong.eigenvalues(20_000, 5)[:, -1]
        assert stats.ks_2samp(4 * summit**2, other).pvalue < FALSE_ALARM


@pytest.mark.parametrize("beta", [1, 2, 4])
@pytest.mark.parametrize("back", [False, True])
def test_a_pair_from_a_point_to_levels(beta, back):
    """The gap is the length of a bridge in 1 + beta dimensions; backwards the same."""
    bridge, time, ends = MatrixBridge(2, beta, 0.8, 1.5), 0.6, (0.5, [2.0, -0.4])
    first, last = ends[::-1] if back else ends
    run = bridge.simulate(
        [1.5 - time if back else time], replicas=1500, seed=5, initial_levels=first,
        final_levels=last,
    )  # fmt: skip
    levels = run.levels.values[:, 0]
    variance = 2 * 0.64 * time * (1.5 - time) / 1.5
    gap, mean = levels[:, 0] - levels[:, 1], 2.4 * time / 1.5

    def pvalue(mean):
        law = stats.ncx2(1 + beta, mean**2 / (2 * variance))
        return stats.kstest(gap**2 / (2 * variance), law.cdf).pvalue

    assert pvalue(mean) > FALSE_ALARM
    assert pvalue(1.4 * mean) < FALSE_ALARM
    centre = levels.mean(axis=1)
    moved = 0.5 + (0.8 - 0.5) * time / 1.5
    assert stats.kstest((centre - moved) / np.sqrt(variance / 2), "norm").pvalue > FALSE_ALARM


def test_it_is_a_bridge_of_paths_that_do_not_meet():
    """beta = 2, by rejection: two Brownian bridges, kept where they never meet on a fine grid.

    Karlin and McGregor: from a point to 2 and 0 the gap at t has the density S sinh(S B/2 s)
    exp(-S^2/4 t - S^2/4 s), s = T - t, for unit variance. Bridges from 0.02 and 0 stand for it.
    """
    random, steps, tries = np.random.default_rng(2), 400, 40_000
    h, x, met = 1 / steps, np.tile([0.02, 0.0], (tries, 1)), np.zeros(tries, bool)
    ends, half = np.array([2.0, 0.0]), None
    for k in range(steps):
        left = 1 - k * h
        width = np.sqrt(h * max(left - h, 0) / left)
        new = x + h / left * (ends - x) + width * random.standard_normal(x.shape)
        before, after = x[:, 0] - x[:, 1], new[:, 0] - new[:, 1]
        # a bridge of variance 2 between two times passes zero with probability exp(-a b/h)
        met |= (after <= 0) | (random.random(tries) < np.exp(-before * after / h))
        x = new
        half = after.copy() if k == steps // 2 - 1 else half
    gaps = half[~met]
    assert len(gaps) > 500
    bridge = MatrixBridge(2, 2, np.sqrt(0.5))
    run = bridge.simulate([0.5], replicas=3000, seed=6, final_levels=[2.0, 0.0])
    found = run.levels.values[:, 0, 0] - run.levels.values[:, 0, 1]
    assert stats.ks_2samp(found, gaps).pvalue > FALSE_ALARM
    assert stats.ks_2samp(found, np.abs(half)).pvalue < FALSE_ALARM  # power: those that met too


def test_a_replica_is_the_same_in_every_ensemble():
    few, many = (MatrixBridge(2).simulate([0.5], replicas=n, seed=4) for n in (2, 5))
    np.testing.assert_array_equal(few.levels, many.levels[:2])
    assert few.attrs["process"] == "MatrixBridge"


@pytest.mark.parametrize(
    ("act", "named"),
    [
        (lambda: MatrixBridge(2, 3), "beta = 3 .*have no matrix"),
        (lambda: MatrixBridge(2, noise=0.0), r"noise = 0\.0"),
        (lambda: MatrixBridge(2, duration=-1.0), r"duration = -1\.0"),
        (lambda: MatrixBridge(2).simulate([0.5, 1.5], replicas=1, seed=0), "duration = 1"),
        (lambda: MatrixBridge(2).simulate([0.5, 0.2], replicas=1, seed=0), "rise"),
        (
            lambda: MatrixBridge(2).simulate(
                [0.5], replicas=1, seed=0, initial_levels=[1, 0], final_levels=[2, 1]
            ),
            "one point: of two sets of levels",
        ),
        (
            lambda: MatrixBridge(2).simulate([0.5], replicas=1, seed=0, final_levels=[1, 2, 3]),
            "one number or 2",
        ),
    ],
)
def test_bad_arguments_are_named(act, named):
    with pytest.raises(InvalidInputError, match=named):
        act()


def test_replicas_of_neighbouring_seeds_have_nothing_in_common():
    """Nor have two of one seed; a replica is the same in a larger ensemble."""
    bridge, times = MatrixBridge(3), [0.25, 0.5]
    runs = [bridge.simulate(times, replicas=4, seed=seed).levels.values for seed in (0, 1, 2)]
    assert len(np.unique(np.concatenate(runs)[:, 0, 0])) == 12
    few = bridge.simulate(times, replicas=2, seed=1).levels.values
    np.testing.assert_array_equal(few, runs[1][:2])
