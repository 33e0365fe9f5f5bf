"""Spectra of all matrices of a checkpoint, or of a series of them."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from .._progress import progress_bar
from ..errors import require
from ..spectra import layout_of, spectrum
from ._checkpoints import Series, series_at
from ._choice import Choice
from ._device import values_on
from ._journal import journal
from ._measure import Options
from ._under_way import Work
from ._work import Survey

_MOST_NAMES = 20


def survey(
    path: Path | str,
    split: int | Mapping[str, int] = 1,
    *,
    layout: str | Mapping[str, str] = "auto",
    names: str | Sequence[str] = (),
    smallest: int = 1,
    roles: str | Sequence[str] = (),
    base: Path | str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    resume: Path | str | None = None,
    device: str | None = None,
    **settings: Any,
) -> Survey:
    """Measure every matrix at a path, with a bar of the megabytes that are done.

    What is wrong with one array, shard or checkpoint is told in `skipped`, and the others are
    measured.

    Args:
        path: see `checkpoints`.
        split: parts of fused matrices, see `weight_matrices`.
        layout: which axes are rows and columns, see `weight_matrices`.
        names: a pattern of them, or several, with * and ?: the other arrays are not read.
        smallest: least number of rows and of columns of a matrix.
        roles: one of `role_of`, or several: attention, mlp, ...; all, if none.
        base: the model that an adapter at `path` belongs to: its matrices $W_0 + s B A$ are
            measured; the change $s B A$ alone, if None.
        workers: threads of this machine, each with a matrix of its own; all cores by default. The
            numbers are the same to the bit, however many there are.
        scheduler: address of a Dask scheduler, instead of this machine. Its workers read the files
            by themselves.
        resume: a file that keeps what is found, array by array; called again with it, only what is
            missing, or has changed since, is measured.
        device: "cuda" or "cpu", for singular values through PyTorch or JAX, one matrix at a time;
            NumPy on all cores if None. The numbers agree within 1e-10.
        **settings: of `spectrum`; with `method="lanczos"` large matrices take a sixth of the time.

    Raises:
        InvalidInputError: nothing that can be read, or no matrix in it; workers below one; a
            scheduler that does not answer; a file to resume from that holds anything else.

    Examples:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(Path(folder, "model.npz"), w=np.diag([3.0, 2.0, 1.0]), bias=np.ones(3))
        ...     spectra = survey(Path(folder, "model.npz"))
        >>> [(row["name"], round(row["spectral"], 6)) for row in spectra.rows()]
        [('w', 3.0)]
        >>> spectra.skipped
        {'a vector': ['bias']}
    """
    require(
        isinstance(split, Mapping) or split >= 1,
        f"split = {split} must be a number of parts, from 1 up.",
    )
    require(workers is None or workers >= 1, f"workers = {workers} must be at least 1.")
    choice = Choice(names, smallest, roles)
    # a wrong setting is one mistake, and not the fault of each matrix
    spectrum("of the settings", np.vander(np.arange(1.0, 7.0)), **settings | {"tail_draws": 0})
    layout_of("any", (1, 1), layout if isinstance(layout, str) else "auto")
    series = series_at(path, base)
    require(
        device is None or settings.get("method", "exact") == "exact",
        f"device = {device!r} is for exact singular values; leave it out with method = 'lanczos'.",
    )
    if device is not None and scheduler is None:
        values_on(device)  # tell at once that it is not there
    options = Options(split, layout, choice, settings, device)
    with ExitStack() as stack:
        rows = stack.enter_context(journal(resume, options.claim())) if resume else None
        advance = stack.enter_context(progress_bar(_size(series), True, "MB"))
        work = Work(options, rows, advance)
        work.run(series, workers, scheduler)
        finished = work.finished()
        finished.notes = [*series.notes, *choice.sentence(), *(rows.sentences() if rows else ())]
    reasons = "; ".join(
        [f"{reason}: {_first(names)}" for reason, names in finished.skipped.items()]
        + choice.sentence()
    )
    require(
        any(finished.spectra),
        f"{path} holds no weight matrix{f' ({reasons})' if reasons else ''}.",
    )
    return finished


def _first(names: list[str]) -> str:
    """Names for a sentence, which a hundred thousand of them would not be."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _size(series: Series) -> float:
    """Megabytes; a file that is not there is told by its reader."""
    places = [place for unit in series.checkpoints for place in unit.files]
    files = [file for place in places for file in (place.rglob("*") if place.is_dir() else [place])]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6
