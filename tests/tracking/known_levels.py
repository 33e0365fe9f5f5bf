"""Noise and tracked runs whose levels obey a law that is known."""

import numpy as np

from sgdyson.tracking import Burst, Tracker, open_run

BURSTS = Burst(8, 25)


def bands(updates):
    """a_ij = dW_ij near the diagonal: of levels whose frame is that of the axes."""
    n = updates.shape[-1]
    rows = []
    for d in range(-2, 3):
        line = np.zeros(updates.shape[:-1], updates.dtype)
        i = np.arange(max(0, -d), min(n, n - d))
        line[..., i] = updates[..., i, i + d]
        rows.append(line)
    return np.stack(rows, axis=-1)


def noise(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def complex_noise(shape, seed=0):
    return noise(shape, seed) + 1j * noise(shape, seed + 99)


def tracked(path, move, weights, updates=600, every=BURSTS, **settings):
    """A run of one matrix, each step by `move(weights, step)`."""
    with Tracker(path, every=every, dynamics=True, **settings) as tracker:
        for step in range(updates):
            tracker.update(step, {"w": weights})
            weights = move(weights, step)
    return open_run(path)


def ornstein_uhlenbeck(seed=1, friction=0.01, kick=0.01):
    random = np.random.default_rng(seed)
    return lambda w, step: (1 - friction) * w + kick * random.standard_normal(w.shape)


START = 0.07 * noise((20, 12), 5)
