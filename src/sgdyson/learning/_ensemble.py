"""`simulate`: an ensemble of replicas, on every core or device, into one labelled data set."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr

from .._progress import progress_bar
from .._threads import one_blas_thread
from ..errors import require
from ..models import Model
from ..models._model import check_rates
from ._block import block_size, run_block
from ._dataset import Recorder, labelled
from ._devices import devices
from ._replica import OptimizerFactory, Record, Rule

Optimizer: TypeAlias = Any  # an optax.GradientTransformation or an OptimizerFactory


def simulate(
    model: Model,
    *,
    learning_rate: float,
    batch_size: float,
    replicas: int | range,
    updates: int,
    record_every: int,
    seed: int,
    optimizer: Optimizer | None = None,
    record_from: int = 0,
    record_weights: bool = False,
    workers: int | None = None,
    progress: bool | Callable[[float], None] = True,
) -> xr.Dataset:
    """Train an ensemble of replicas and follow the levels of their weight matrices.

    Runs in float64 on all cores of this machine, or on its accelerators if JAX sees any. Replica
    r of a seed gives the same numbers, bit for bit, in every ensemble that holds it.

    Args:
        model: what learns, such as `GaussianRBM` or `TeacherStudent`.
        learning_rate: alpha, positive.
        batch_size: |B|, a whole number, or `math.inf` for the noise-free dynamics.
        replicas: how many, or which, as a range.
        updates: of every replica, from the first record on; those after the last record are not
            run.
        record_every: updates between two records.
        record_from: updates before the first record, which `time` 0 stands for.
        seed: of the whole ensemble, not negative.
        optimizer: an Optax transformation, used as it is, with its own learning rate; or a
            function from the learning rate to one, such as `optax.adam`. Plain SGD by default.
        record_weights: keep the weights too.
        workers: threads on a CPU; one a core by default.
        progress: show a bar with rate and time left, where there is a terminal to show it; or a
            function to be told the updates of replicas as they are done.

    Returns:
        A data set with `levels` (replica, time, level), descending, `diverged` (replica),
        `diverged_at` (replica; the first update that failed, -1 if none did) and, if asked for,
        `weights`; coordinate `time` counts updates, and where a model has several matrices
        `matrix` names the one that each level belongs to. Attributes hold every setting. The
        levels of a diverged replica stay at their last values: leave them out of averages.

    Raises:
        InvalidInputError: a value that breaks one of these rules.
    """
    chosen = _chosen(replicas)
    _check(learning_rate, batch_size, updates, record_every, seed)
    settings = {
        "learning_rate": float(learning_rate),
        "batch_size": float(batch_size) if batch_size == np.inf else int(batch_size),
        "updates": int(updates),
        "record_every": int(record_every),
        "record_from": int(record_from),
        "seed": int(seed),
        "optimizer": _name(optimizer),
        **model.settings(),
    }
    require(
        isinstance(record_from, int | np.integer) and 0 <= record_from < 2**31,
        f"record_from = {record_from!r} must be a whole number, not negative.",
    )
    require(
        workers is None or (isinstance(workers, int) and workers >= 1),
        f"workers = {workers!r} must be a whole number of at least 1.",
    )
    records = updates // record_every
    recorder = Recorder(model, chosen, records + 1, record_weights)
    total = len(chosen) * (record_from + records * record_every)
    bar = progress_bar(total, progress is True)
    with one_blas_thread(), jax.enable_x64(True), bar as advance:
        rule = Rule(
            learning_rate=jnp.float64(learning_rate),
            optimizer=_factory(optimizer),
            batch_size=settings["batch_size"],
        )
        run = partial(
            run_block, model, rule, burn_in=record_from, records=records, every=record_every
        )
        told = progress if callable(progress) else advance
        _run_blocks(model, run, int(seed), chosen, recorder, told, devices(workers))
    return labelled(recorder, record_every, settings)


def _run_blocks(
    model: Model,
    run: Callable[..., Iterable[tuple[int, Record | None]]],
    seed: int,
    chosen: range,
    recorder: Recorder,
    advance: Callable[[float], None],
    devices: list[jax.Device],
) -> None:
    """Hand the blocks that hold the chosen replicas to the workers; the first error stops all."""
    size = block_size(model, devices[0].platform)
    blocks = list(range(chosen.start // size, -(-chosen.stop // size)))
    stop = threading.Event()

    def work(device: jax.Device) -> None:
        # configuration of JAX is per thread
        with jax.enable_x64(True), jax.default_device(device):
            root = jax.random.key(seed)
            while not stop.is_set():
                try:
                    block = blocks.pop(0)
                except IndexError:
                    return
                members = range(block * size, (block + 1) * size)
                share = min(members.stop, chosen.stop) - max(members.start, chosen.start)
                times = 0
                for done, record in run(root=root, replicas=np.array(members, np.uint32)):
                    if stop.is_set():
                        return
                    if record is not None:
                        recorder.add(members, times, record)
                        times += record.diverged_at.shape[1]
                    advance(done * share)

    with ThreadPoolExecutor(len(devices)) as pool:
        try:
            for future in [pool.submit(work, device) for device in devices]:
                future.result()
        finally:
            stop.set()


def _chosen(replicas: int | range) -> range:
    if isinstance(replicas, range):
        chosen = replicas
    else:
        require(
            isinstance(replicas, int | np.integer) and replicas >= 1,
            f"replicas = {replicas!r} must be a whole number of at least 1, or a range.",
        )
        chosen = range(int(replicas))
    require(
        len(chosen) > 0 and chosen.step == 1 and chosen.start >= 0 and chosen.stop <= 2**31,
        f"replicas = {replicas!r} must be a range of step 1 that is not empty, from 0 upwards.",
    )
    return chosen


def _check(
    learning_rate: float, batch_size: float, updates: int, record_every: int, seed: int
) -> None:
    check_rates(learning_rate, batch_size)
    for name, value in {"updates": updates, "record_every": record_every}.items():
        require(
            isinstance(value, int | np.integer) and 1 <= value < 2**31,
            f"{name} = {value!r} must be a whole number of at least 1.",
        )
    require(
        record_every <= updates,
        f"record_every = {record_every} is more than updates = {updates}: nothing would be"
        " recorded; lower record_every or raise updates.",
    )
    require(
        isinstance(seed, int | np.integer) and 0 <= seed < 2**63,
        f"seed = {seed!r} must be a whole number, not negative.",
    )


def _factory(optimizer: Optimizer | None) -> OptimizerFactory:
    if optimizer is None:
        return _sgd
    if isinstance(optimizer, optax.GradientTransformation):
        return _Fixed(optimizer)
    require(
        callable(optimizer),
        f"optimizer = {optimizer!r} must be an Optax transformation, or a function from the"
        " learning rate to one, such as optax.adam.",
    )
    factory: OptimizerFactory = optimizer
    return factory


def _sgd(learning_rate: float) -> optax.GradientTransformation:
    return optax.sgd(learning_rate)


class _Fixed:
    """The same transformation whatever the learning rate."""

    def __init__(self, optimizer: optax.GradientTransformation) -> None:
        self._optimizer = optimizer

    def __call__(self, learning_rate: float) -> optax.GradientTransformation:
        return self._optimizer


def _name(optimizer: Optimizer | None) -> str:
    if optimizer is None:
        return "sgd"
    return getattr(optimizer, "__name__", None) or repr(optimizer)
