"""`simulate`: an ensemble of replicas, on every core or device, into one labelled data set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np
import xarray as xr
from jaxtyping import PyTree
from numpy.typing import NDArray

from .._devices import devices
from .._jax_settings import PRNG, own_settings
from .._progress import progress_bar
from .._terminal import tell
from .._threads import one_blas_thread
from ..errors import require
from ..models import Model
from ..optimizers import optimizer_settings
from ._arguments import Optimizer, Request, checked, factory
from ._dataset import Recorder, labelled
from ._observables import Record, chosen_observables
from ._replica import Record as ReplicaRecord
from ._replica import Rule
from ._stationary import first_record
from .block import block_size, run_block


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
    record_from: int | str = 0,
    record: Record = (),
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
        record_from: updates before the first record, which `time` 0 stands for; or "stationary",
            for `Prediction.settling_time` of the model.
        seed: seed of the whole ensemble, not negative.
        optimizer: an Optax transformation, used as it is, with its own learning rate; or a
            function from the learning rate to one, such as `optax.adam`. Plain SGD by default.
        record: what to keep beside the levels: names of the model's observables, such as
            "overlaps" of a `LowRankTeacher`, and functions of your own, from weights in NumPy with
            leading axes (replica, time) to an array with these in front; a mapping names them.
        record_weights: keep the weights too.
        workers: threads on a CPU; one a core by default.
        progress: show a bar with rate and time left, where there is a terminal to show it; or a
            function to be told the updates of replicas as they are done.

    Returns:
        A data set with `levels` (replica, time, level), descending, `diverged` (replica),
        `diverged_at` (replica; the first update that failed, -1 if none did) and, if asked for,
        observables and `weights`; coordinate `time` counts updates, and where a model has several
        matrices `matrix` names the one that each level belongs to. Attributes hold every setting.
        The levels of a diverged replica stay at their last values: leave them out of averages.

    Raises:
        InvalidInputError: a value that breaks one of these rules.

    Examples:
        Without noise, 1/|B| = 0, a student ends at its teacher:

        >>> import math
        >>> from sgdyson import TeacherStudent, simulate
        >>> student = TeacherStudent([3.0, 2.0])
        >>> run = simulate(student, learning_rate=0.1, batch_size=math.inf, replicas=2, updates=200,
        ...                record_every=100, seed=0, progress=False)
        >>> run.levels.dims
        ('replica', 'time', 'level')
        >>> run.levels.sel(time=200).values.round(6)
        array([[3., 2.],
               [3., 2.]])
    """
    first = first_record(model, learning_rate, batch_size, optimizer, record_from)
    request = checked(
        model, learning_rate, batch_size, replicas, updates, record_every, first, seed,
        record_weights, workers,
    )  # fmt: skip
    made = factory(optimizer, request.learning_rate)
    # a NumPy scalar is an array to Equinox and so an argument of the program: another learning rate
    # compiles nothing
    rule = Rule(np.float64(request.learning_rate), made, request.batch_size)
    require(
        callable(progress) or isinstance(progress, bool),
        f"progress = {progress!r} must be True, False or a function of the updates done.",
    )
    settings = {
        "learning_rate": request.learning_rate,
        "batch_size": request.batch_size,
        "updates": request.updates,
        "record_every": request.record_every,
        "record_from": request.record_from,
        "seed": request.seed,
        **optimizer_settings(optimizer),
        "prng": PRNG,
        "beta": model.beta,
        **model.settings(),
    }
    recorder = Recorder(
        model, request.replicas, request.records + 1, request.record_weights,
        chosen_observables(model, record),
    )  # fmt: skip
    every, records = request.record_every, request.records
    total = len(request.replicas) * (request.record_from + records * every)
    run = partial(run_block, burn_in=request.record_from, records=records, every=every)
    with one_blas_thread(), own_settings(), progress_bar(total, progress is True) as advance:
        done = progress if callable(progress) else advance
        _run_blocks((model, rule), run, request, recorder, done)
    if progress is True:
        _tell_of_divergence(recorder.diverged_at, rule)
    return labelled(recorder, every, settings)


def _tell_of_divergence(diverged_at: NDArray[np.int64], rule: Rule) -> None:
    """A sentence on standard error, where there is something to say."""
    failed = diverged_at[diverged_at >= 0]
    if failed.size:
        whole = "every replica" if failed.size == diverged_at.size else (
            f"{failed.size} of {diverged_at.size} replicas")  # fmt: skip
        tell(
            f"{whole} diverged, the first in update {failed.min()}: leave them out of averages"
            f" (run.diverged), or lower learning_rate = {float(rule.learning_rate):g}"
        )


def _run_blocks(
    what: tuple[Model, Rule],
    run: Callable[..., Iterable[tuple[int, ReplicaRecord | None]]],
    request: Request,
    recorder: Recorder,
    advance: Callable[[float], None],
) -> None:
    """Hand the blocks that hold the chosen replicas to the workers; the first error stops all."""
    chosen, available = request.replicas, devices(request.workers)
    size = block_size(what[0], available[0].platform)
    blocks = list(range(chosen.start // size, -(-chosen.stop // size)))
    stop = threading.Event()

    def work(device: jax.Device) -> None:
        # JAX's settings belong to a thread: those of the caller do not hold in this one
        with own_settings(), jax.default_device(device):
            root = jax.random.key(request.seed)
            model, rule = _moved(what, device)
            while not stop.is_set():
                try:
                    block = blocks.pop(0)
                except IndexError:
                    return
                members = range(block * size, (block + 1) * size)
                share = min(members.stop, chosen.stop) - max(members.start, chosen.start)
                times = 0
                replicas = np.array(members, np.uint32)
                for done, record in run(device, model, rule, root, replicas):
                    if stop.is_set():
                        return
                    if record is not None:
                        recorder.add(members, times, record)
                        times += record.diverged_at.shape[1]
                    advance(done * share)

    # counted before the first is taken: a worker without a block would compile for nothing
    workers = available[: len(blocks)]
    with ThreadPoolExecutor(len(workers)) as pool:
        try:
            for future in [pool.submit(work, device) for device in workers]:
                # the first error, or Ctrl-C, leaves here; the pool then waits for the others, and
                # they look at `stop`
                future.result()
        finally:
            stop.set()


def _moved(tree: PyTree[Any], device: jax.Device) -> PyTree[Any]:
    """A tree with its arrays on the device where programs run, wherever a user had put them."""
    return jax.tree.map(
        lambda leaf: jax.device_put(leaf, device) if eqx.is_array(leaf) else leaf, tree
    )
