"""The engine: labelled results, bit-identity, divergence, optimisers, bad input."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import sgdyson
from sgdyson import GaussianRBM, Model, TeacherStudent, simulate
from sgdyson.engine import block as _block
from sgdyson.engine._arguments import factory
from sgdyson.errors import InvalidInputError

MODELS = {
    "rbm": GaussianRBM.scalar_field(4, 4, mass=1.0, rbm_mass=2.5),
    "gibbs": GaussianRBM.scalar_field(4, 3, mass=1.0, rbm_mass=2.5, sampler="gibbs"),
    "independent": GaussianRBM.scalar_field(4, 6, mass=1.0, rbm_mass=2.5, sampler="independent"),
    "online": TeacherStudent((2.0, 2.0)),
    "quenched": TeacherStudent((3.0, 2.0, 1.0), data="quenched", batches=10, shared_inputs=True),
}
SETTING = {
    "learning_rate": 0.05, "batch_size": 9, "replicas": 5, "updates": 24, "record_every": 4,
    "seed": 3, "progress": False,
}  # fmt: skip


def run(model="rbm", **changes):
    return simulate(MODELS[model] if isinstance(model, str) else model, **(SETTING | changes))


@pytest.mark.parametrize("name", MODELS)
class TestEveryModel:
    def test_the_result_is_labelled_and_says_how_it_was_made(self, name):
        found = run(name, record_weights=True)
        assert found.levels.dims == ("replica", "time", "level")
        assert found.levels.dtype == np.float64
        np.testing.assert_array_equal(found.time, np.arange(0, 25, 4))
        assert (np.diff(found.levels, axis=2) <= 0).all()
        assert found.diverged.dtype == bool
        model = MODELS[name]
        np.testing.assert_array_equal(found.levels, model.levels(found.weights.values))
        expected = {k: v for k, v in SETTING.items() if k not in ("replicas", "progress")}
        expected |= model.settings() | {"sgdyson_version": sgdyson.__version__}
        assert expected.items() <= found.attrs.items()
        json.dumps(found.attrs)

    def test_a_replica_has_the_same_bits_in_every_ensemble(self, name):
        few = run(name, replicas=range(3, 6))
        size = _block.block_size(MODELS[name], "cpu")
        many = run(name, replicas=size + 4)
        np.testing.assert_array_equal(few.levels, many.levels[3:6])
        late = run(name, replicas=range(size + 1, size + 3))
        np.testing.assert_array_equal(late.levels, many.levels[size + 1 : size + 3])
        assert len(np.unique(many.levels[:, -1, 0])) == size + 4

    def test_records_do_not_disturb_the_run(self, name):
        rare, often = run(name, record_every=24), run(name, record_every=3)
        np.testing.assert_array_equal(rare.levels[:, 1], often.levels[:, 8])

    def test_another_rate_seed_or_length_needs_no_second_compilation(self, name):
        run(name)
        compiled = []
        jax.monitoring.register_event_duration_secs_listener(
            lambda event, _seconds, **_: compiled.append(event)
        )
        try:
            run(name, learning_rate=0.03, seed=8)
            run(name, updates=30, record_every=5, record_from=7)
        finally:
            jax.monitoring.clear_event_listeners()
        assert not [event for event in compiled if "backend_compile" in event]

    def test_seeds_and_rates_matter(self, name):
        first = run(name).levels[:, -1, 0]
        for change in ({"seed": 4}, {"learning_rate": 0.06}):
            assert not np.isclose(first, run(name, **change).levels[:, -1, 0]).any()


def test_long_stretches_are_cut_without_a_trace(monkeypatch):
    whole = run(updates=300, record_every=150)
    monkeypatch.setattr(_block, "_UPDATES_AT_ONCE", 64 * 7)
    np.testing.assert_array_equal(whole.levels, run(updates=300, record_every=150).levels)


@pytest.mark.parametrize("room", [1, 4])
def test_records_that_do_not_fit_into_one_call_come_in_several(monkeypatch, room):
    whole = run(updates=33, record_every=3, record_from=5)
    monkeypatch.setattr(_block, "_MOST_RECORDS", room)
    cut = run(updates=33, record_every=3, record_from=5)
    np.testing.assert_array_equal(whole.levels, cut.levels)
    alone = run(updates=32, record_every=8)
    np.testing.assert_array_equal(alone.levels[:, -1], cut.sel(time=27).levels)


CHILD = """
import os, sys, numpy as np, jax
cores, devices = int(sys.argv[1]), int(sys.argv[2])
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
jax.config.update("jax_num_cpu_devices", devices)
from sgdyson import GaussianRBM, simulate
model = GaussianRBM.scalar_field(10, 10)
found = simulate(model, learning_rate=0.1, batch_size=32, replicas=150, updates=40,
                 record_every=20, seed=1, progress=False)
np.save(sys.argv[3], found.levels.values)
"""


def test_cores_and_devices_do_not_change_a_bit(tmp_path, every_core):
    path = tmp_path / "two.npy"
    subprocess.run([sys.executable, "-c", CHILD, "2", "2", str(path)], check=True, timeout=300)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    alone = simulate(GaussianRBM.scalar_field(10, 10), learning_rate=0.1, batch_size=32,
                     replicas=150, updates=40, record_every=20, seed=1, progress=False)  # fmt: skip
    np.testing.assert_array_equal(alone.levels, np.load(path))


class TestDivergence:
    def test_it_is_flagged_frozen_and_kept_apart(self):
        # levels of width 0.3 at a distance of 1 from mu^2: some replicas leave the stable region
        model = GaussianRBM.scalar_field(4, 4, mass=1.0, rbm_mass=2.0, initial_width=0.3)
        found = run(model, batch_size=4, learning_rate=0.05, replicas=200, updates=600,
                    record_every=10, record_weights=True)  # fmt: skip
        lost = found.diverged.values
        assert 0 < lost.sum() < 200
        assert np.isfinite(found.levels).all()
        np.testing.assert_array_equal(lost, found.diverged_at >= 0)
        for replica in np.flatnonzero(lost):
            after = found.time.values >= int(found.diverged_at[replica])
            weights = found.weights.values[replica][after]
            np.testing.assert_array_equal(weights, weights[:1].repeat(len(weights), axis=0))
            assert found.levels.values[replica, -1, 0] >= 2.0**2
        kept = found.levels.values[~lost]
        assert (kept < 2.0**2).all()

    def test_it_is_the_update_whose_weights_would_not_be_finite(self):
        """Descent on w^4 squares and cubes itself: the update that overflows is known exactly."""
        model = Model.from_loss(lambda w, _: jnp.sum(w**4), lambda _: jnp.full((2, 2), 2.0),
                                np.zeros(4))  # fmt: skip
        w, last = np.float64(2.0), -1
        with np.errstate(over="ignore", invalid="ignore"):
            while np.isfinite(w):
                w, last = w - 4 * w**3, last + 1
        found = run(model, learning_rate=1.0, updates=last + 3, record_every=1, replicas=1)
        assert last > 3
        assert found.diverged_at.values.tolist() == [last]
        moves = np.diff(found.levels.values[0, :, 0]) != 0
        assert np.flatnonzero(moves).tolist() == list(range(last))

    def test_a_replica_that_failed_stays_where_it_was_for_good(self):
        """One row of the data in twenty has no finite gradient; the rows after it would move on."""
        rows = np.ones(20)
        rows[7] = np.inf
        model = Model.from_loss(lambda w, batch: jnp.sum(w) * jnp.mean(batch),
                                lambda _: jnp.full((2, 2), 2.0), rows)  # fmt: skip
        found = run(model, learning_rate=0.01, batch_size=1, updates=100, record_every=1)
        failed = found.diverged_at.values
        assert ((failed >= 0) & (failed < 90)).any()
        for last, levels in zip(failed, found.levels.values[..., 0], strict=True):
            moves = np.flatnonzero(np.diff(levels) != 0)
            assert len(moves) == (last if last >= 0 else 100)

    def test_a_step_too_long_loses_every_student(self):
        found = run("online", learning_rate=3.0, updates=200, record_every=100)
        assert found.diverged.all()
        assert not MODELS["online"].predict(3.0, 9).learnt.any()
        assert not run("online").diverged.any()


def test_optimisers():
    plain = run().levels
    np.testing.assert_array_equal(plain, run(optimizer=optax.sgd(0.05)).levels)
    np.testing.assert_array_equal(plain, run(optimizer=optax.sgd).levels)
    momentum = optax.sgd(0.05, momentum=0.9)
    heavy = run(optimizer=momentum)
    assert not np.isclose(plain[:, -1], heavy.levels[:, -1]).any()
    assert factory(momentum, 0.05) == factory(momentum, 0.1)  # or each run would compile anew
    assert run(optimizer=optax.adam).attrs["optimizer"] == "optax.adam"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"learning_rate": -0.1}, "-0.1"),
        ({"learning_rate": math.nan}, "nan"),
        ({"batch_size": 0}, "0"),
        ({"batch_size": 2.5}, r"2\.5"),
        ({"replicas": 0}, "replicas = 0"),
        ({"replicas": range(5, 5)}, "range"),
        ({"updates": 0}, "updates = 0"),
        ({"record_every": 25}, "record_every = 25"),
        ({"seed": -1}, "-1"),
        ({"optimizer": "adam"}, "adam"),
    ],
)
def test_bad_arguments_are_named(changes, named):
    with pytest.raises(InvalidInputError, match=named):
        run(**changes)


def test_ctrl_c_stops_within_seconds(every_core):
    code = CHILD.replace("updates=40", "updates=40_000_000").replace(
        "record_every=20", "record_every=10_000_000"
    )
    code = code.replace("progress=False", "progress=lambda _: print(flush=True)")
    # a shell's background job, and so its children, would ignore the signal
    code = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n" + code
    command = [sys.executable, "-c", code, "2", "1", os.devnull]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert child.stdout is not None
        assert child.stdout.readline()  # it is at work
        child.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert child.wait(timeout=60) != 0
        assert time.monotonic() - began < 30
    finally:
        child.kill()
        child.communicate()


KEEPS = """
import sys
import jax
import numpy as np
from sgdyson import TeacherStudent, simulate
from sgdyson.engine import block
missed = []
jax.monitoring.register_event_listener(lambda event, **_: missed.append("cache_misses" in event))
for path in sys.argv[1:]:
    for program in (block._START, block._ADVANCE):  # as in a new process
        program._programs.clear()
    jax.clear_caches()
    missed.clear()
    run = simulate(TeacherStudent((2.0, 1.0)), learning_rate=0.1, batch_size=4, workers=2,
                   replicas=4096, updates=4, record_every=2, seed=1, progress=False)
    np.save(path, run.levels.values)
    print(sum(missed))
"""


def test_programs_that_jax_keeps_give_the_same_bits_on_all_workers(tmp_path, every_core):
    """A program out of JAX's own cache is not whole when it is handed on to another worker."""
    kept = os.environ | {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "kept")}
    kept |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    one = simulate(TeacherStudent((2.0, 1.0)), learning_rate=0.1, batch_size=4, workers=1,
                   replicas=4096, updates=4, record_every=2, seed=1, progress=False)  # fmt: skip
    paths = [tmp_path / "compiled.npy", tmp_path / "kept.npy"]
    command = [sys.executable, "-c", KEEPS, *map(str, paths)]
    done = subprocess.run(command, env=kept, check=True, stdout=subprocess.PIPE, text=True)
    compiled, again = map(int, done.stdout.split())
    assert again == 0 < compiled  # all are taken from what the first run kept
    for path in paths:
        np.testing.assert_array_equal(np.load(path), one.levels)
