"""Singular values of a network's weights, recorded while it trains."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import xarray as xr
import zarr

from .. import __version__
from ..errors import InvalidInputError, require
from ._matrices import Skipped, weight_matrices
from ._spectrum import singular_values


class Tracker:
    """Records singular values of named arrays; knows no framework.

    A failure of the tracker warns once and stops the tracker, not the training.

    Args:
        out: folder of the Zarr store; must not exist.
        every: steps between records, or "log" for steps 0, 1, 2, 4, 8, ...
        split: parts of fused matrices, see `weight_matrices`.

    Raises:
        InvalidInputError: a store that exists, a cadence below one.
    """

    def __init__(
        self, out: Path | str, every: int | str = 100, split: int | dict[str, int] = 1
    ) -> None:
        require(
            every == "log" or (isinstance(every, int) and every >= 1),
            f'every = {every!r} must be a whole number of at least 1, or "log".',
        )
        self.out, self.every, self.split = Path(out), every, split
        require(not self.out.exists(), f"{out} exists; choose another name for the store.")
        self.skipped: list[Skipped] = []
        self.stopped = False
        self._group: zarr.Group | None = None
        self._records = 0

    def due(self, step: int) -> bool:
        """Whether this step is recorded."""
        if self.stopped:
            return False
        if self.every == "log":
            return step & (step - 1) == 0
        return step % int(self.every) == 0

    def update(self, step: int, arrays: Any) -> None:
        """Record if it is due.

        Args:
            step: number of updates so far.
            arrays: names and arrays, a dictionary, or any JAX pytree of weights.
        """
        if not self.due(step):
            return
        try:
            self._record(step, _named(arrays))
        except Exception as error:  # whatever it is, the training must go on
            self.stopped = True
            warnings.warn(f"sgdyson's tracker has stopped: {error}", RuntimeWarning, stacklevel=2)

    def _record(self, step: int, arrays: Iterable[tuple[str, Any]]) -> None:
        found = list(weight_matrices(arrays, self.split))
        values = {
            part[0]: (singular_values(part[1]), part[1].shape)
            for part in found
            if not isinstance(part, Skipped)
        }
        if self._group is None:
            self.skipped = [part for part in found if isinstance(part, Skipped)]
            self._group = self._create(values)
        self._records += 1
        # `time` comes last: a crash before it leaves a record that no reader sees
        for name, (s, _) in values.items():
            array = self._group[_key(name)]
            assert isinstance(array, zarr.Array)
            array.resize((self._records, s.size))
            array[-1] = s
        times = self._group["time"]
        assert isinstance(times, zarr.Array)
        times.resize((self._records,))
        times[-1] = step

    def _create(self, values: dict[str, tuple[np.ndarray, tuple[int, ...]]]) -> zarr.Group:
        require(bool(values), "no array has two axes or more; there is nothing to track.")
        group = zarr.open_group(self.out, mode="w-", zarr_format=3)
        group.attrs.update(
            sgdyson_version=__version__,
            skipped=[[part.name, part.reason] for part in self.skipped],
        )
        group.create_array(
            "time", shape=(0,), dtype="int64", chunks=(1024,), dimension_names=["time"]
        )
        for name, (s, shape) in values.items():
            array = group.create_array(
                _key(name), shape=(0, s.size), dtype="float64", chunks=(1, s.size),
                dimension_names=["time", f"{_key(name)}_level"], fill_value=np.nan,
            )  # fmt: skip
            array.attrs.update(name=name, shape=list(shape))
        return group


class SpectralTracker(Tracker):
    """The tracker of a PyTorch module: `tracker.step()` after `optimizer.step()`.

    Tied weights are recorded once, frozen ones too.

    Args:
        model: any `torch.nn.Module`.
        out: folder of the Zarr store; must not exist.
        every: steps between records, or "log".
        split: parts of fused matrices.

    Raises:
        InvalidInputError: no module, a store that exists.

    Example:
        >>> with SpectralTracker(model, "run.zarr", every=100) as tracker:  # doctest: +SKIP
        ...     for batch in data:
        ...         train(batch)
        ...         tracker.step()
    """

    def __init__(
        self,
        model: Any,
        out: Path | str,
        every: int | str = 100,
        split: int | dict[str, int] = 1,
    ) -> None:
        require(
            callable(getattr(model, "named_parameters", None)),
            f"model = {type(model).__name__} has no named_parameters; give a torch.nn.Module, or"
            " use Tracker.update(step, weights) for any other framework.",
        )
        super().__init__(out, every, split)
        self._model = model
        self._step = 0
        self.update(0, _Parameters(model))

    def step(self) -> None:
        """Count one update of the weights, and record if it is due."""
        self._step += 1
        if self.due(self._step):
            self.update(self._step, _Parameters(self._model))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped = True


class _Parameters:
    """Named parameters of a module as NumPy arrays, each made when it is asked for."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __iter__(self) -> Any:
        for name, parameter in self._model.named_parameters():
            tensor = parameter.detach()
            yield name, (tensor.double() if tensor.is_floating_point() else tensor).cpu().numpy()


def _named(arrays: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(arrays, _Parameters):
        return arrays
    if isinstance(arrays, dict) and all(np.ndim(value) for value in arrays.values()):
        return arrays.items()
    import jax

    leaves = jax.tree_util.tree_leaves_with_path(arrays)
    return [
        (jax.tree_util.keystr(p, simple=True, separator=".") or "weights", x) for p, x in leaves
    ]


def _key(name: str) -> str:
    """A name that is one folder on any disk."""
    return "s_" + "".join(c if c.isalnum() or c in "._-" else "_" for c in name)


def open_run(store: Path | str) -> xr.Dataset:
    """A tracked run: for each matrix its singular values (time, level), complete records only.

    Also of a run that crashed. The attribute `name` of a variable is that of the matrix, `shape`
    its rows and columns; the attribute `skipped` of the data set lists what was not recorded.

    Raises:
        InvalidInputError: no tracked run.
    """
    try:
        group = zarr.open_group(Path(store), mode="r")
        clock = group["time"]
        assert isinstance(clock, zarr.Array)
        times = np.asarray(clock[:])
        variables = {
            key: (("time", f"{key}_level"), array[: len(times)], dict(array.attrs))
            for key, array in group.arrays()
            if key != "time"
        }
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInputError(f"{store} holds no tracked run ({error}).") from error
    return xr.Dataset(variables, coords={"time": times}, attrs=dict(group.attrs))
