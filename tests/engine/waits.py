"""Run by test_never_waits.py in a process of its own: all of it ends, or the process is killed."""

import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular

import sgdyson
from sgdyson import GaussianRBM, Model, TeacherStudent
from sgdyson.optimizers import SGD, Muon

SETTING = {"learning_rate": 1e-3, "batch_size": 16, "record_every": 6, "seed": 1, "progress": False}


def run(model, workers, updates=6, replicas=16, **changes):
    setting = SETTING | {"updates": updates, "replicas": replicas, "workers": workers} | changes
    result = sgdyson.simulate(model, **setting)
    assert not result.diverged.any()
    return result.levels.values


def every_factorisation(n):
    """A loss that calls whatever XLA hands to LAPACK, or splits over its pool, in batches."""

    def loss(w, batch):
        gram = w @ w.T + jnp.eye(n) + 1e-3 * batch[:, None, None] * jnp.eye(n)
        root = jnp.linalg.cholesky(gram)
        inverse = solve_triangular(root, jnp.broadcast_to(w, root.shape), lower=True)
        values = jnp.linalg.eigvalsh(gram).sum() + jnp.linalg.svd(gram, compute_uv=False).sum()
        wave = jnp.abs(jnp.fft.fft(gram, axis=-1)).sum()
        q = jnp.linalg.qr(gram)[1].sum() + jnp.linalg.solve(gram, w[None]).sum()
        return 1e-3 * (inverse.sum() + values + wave + q + jnp.linalg.slogdet(gram)[1].sum())

    def init(key):
        return 0.1 * jax.random.normal(key, (n, n))

    return Model.from_loss(loss, init, lambda key, size: jax.random.uniform(key, (int(size),)))


def same_for_all(model, workers=(1, 2, 4), **changes):
    first, *others = [run(model, number, **changes) for number in workers]
    for other in others:
        np.testing.assert_array_equal(other, first)


def small(sizes=(48,), workers=(2, 4)):
    for n in sizes:
        for sampler in ("collapsed", "independent"):
            rbm = GaussianRBM.scalar_field(
                n, mass=1.5, rbm_mass=3.0, sampler=sampler, initial_width=n**-0.5
            )
            same_for_all(rbm, workers)
            print(sampler, n, flush=True)


def own_loss(sizes=(48,), workers=(2, 4), workers_of_muon=(4,)):
    for n in sizes:
        same_for_all(every_factorisation(n), workers, batch_size=4)
        same_for_all(every_factorisation(n), workers_of_muon, batch_size=4, optimizer=Muon())
        print("loss", n, flush=True)


def beside_others():
    """Two threads that simulate, beside one that factorises on the pool JAX made for the user."""
    rbm = GaussianRBM.scalar_field(64, mass=1.5, rbm_mass=3.0, initial_width=0.1)
    enough = threading.Event()

    def user():
        gram = jnp.broadcast_to(2 * jnp.eye(64), (32, 64, 64))
        while not enough.is_set():
            jax.jit(jnp.linalg.cholesky)(gram).block_until_ready()

    threads = [threading.Thread(target=run, args=(rbm, 2)) for _ in range(2)]
    own = threading.Thread(target=user)
    own.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    enough.set()
    own.join()
    print("beside", flush=True)


def every_model():
    """The other models, and the gibbs sampler: slow."""
    models = [TeacherStudent(tuple(np.linspace(1, 3, n))) for n in (10, 64, 256)]
    models += [
        GaussianRBM.scalar_field(n, mass=1.5, rbm_mass=3.0, sampler="gibbs", initial_width=n**-0.5)
        for n in (48, 128)
    ]
    models += [sgdyson.models.LinearNetwork((2.0, 1.0))]
    for model in models:
        optimizer = SGD(weight_decay=0.1) if "Linear" in type(model).__name__ else None
        same_for_all(model, optimizer=optimizer)
        print(type(model).__name__, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "short":
        small()
        own_loss()
        beside_others()
    else:
        small((10, 40, 64, 96, 128, 256), (1, 2, 4))
        own_loss((10, 48, 128), (1, 2, 4), (1, 2, 4))
        every_model()
    print("done")
