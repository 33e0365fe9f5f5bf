"""What all tests share."""

import gc
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

_PASSED = "sgdyson/passed"
_UNPOLISHED = "jax_disable_most_optimizations"
passed: list[str] = []
_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--untested", action="store_true",
        help="only what did not pass in the last run, as what it skipped for want of a library",
    )  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.untested:
        before = set(config.cache.get(_PASSED, []))
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in before])
        items[:] = [item for item in items if item.nodeid not in before]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        passed.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    of_all = not hasattr(config, "workerinput") and getattr(config, "cache", None) is not None
    if of_all and not config.option.untested:
        config.cache.set(_PASSED, passed)


def pytest_configure(config: pytest.Config) -> None:
    """One cache of compiled programs for all workers, their children and the next run.

    Compiling takes JAX up to 5 s a model, and many tests run the same one. Two workers with a BLAS
    thread a core each would wait for each other, five times as long as they calculate.
    """
    if not hasattr(config, "workerinput") and getattr(config, "cache", None) is not None:
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        if config.option.markexpr == "not slow":
            os.environ.setdefault("XLA_FLAGS", _compiles_fast())
    _keep_to_own_cores(getattr(config, "workerinput", {}))


def _keep_to_own_cores(worker: dict[str, object]) -> None:
    """Each worker on its share of the cores: two that use both take longer over the same work.

    A program is loaded once for each core, and threads of one worker wait for those of the other.
    """
    if worker and _CORES:
        number, count = int(str(worker["workerid"])[2:]), int(str(worker["workercount"]))
        os.sched_setaffinity(0, _CORES[number % len(_CORES) :: count])


@pytest.fixture
def every_core() -> Iterator[None]:
    """For a test of what several cores do, here or in processes that it starts."""
    if not _CORES:
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _CORES)
    yield
    os.sched_setaffinity(0, own)


@pytest.fixture
def on_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[dict[int, bytes], dict[Path, set[str]]]:
    """What a power cut leaves: contents of files, by inode, and names in folders, when synced."""
    contents: dict[int, bytes] = {}
    names: dict[Path, set[str]] = {}
    real = os.fsync

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_dir():
            names[path] = {child.name for child in path.iterdir()}
        else:
            contents[os.fstat(handle).st_ino] = path.read_bytes()
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return contents, names


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays: to look for what is gone takes a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture
def compiled_as_written() -> Iterator[None]:
    """For programs that run once, for a moment: not optimised, they take a third less to compile.

    What runs for longer, or asks for the same bits of two programs, is not for it. Whoever gives
    XLA flags of their own has them here too.
    """
    if os.environ.get("XLA_FLAGS") != _compiles_fast():
        yield
        return
    import jax

    jax.config.update(_UNPOLISHED, True)
    os.environ[_UNPOLISHED.upper()] = "1"  # for processes that the test starts
    yield
    del os.environ[_UNPOLISHED.upper()]
    jax.config.update(_UNPOLISHED, False)


def pytest_collection_finish() -> None:
    """What is there now stays: no need to look through a million objects for those that are gone.

    JAX's traces make so many new ones that it takes a twentieth of the time of all tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _compiles_fast() -> str:
    """These programs run for less time than XLA takes to polish them: 1.9 s a three, 8.9 for users.

    `XLA_FLAGS= pytest`, -m slow and the newest versions test what users get. A flag that XLA does
    not know ends the process, and flags come and go.
    """
    flags = ["--xla_backend_optimization_level=1"]
    if version("jaxlib").startswith(("0.8.", "0.9.", "0.10.")):
        # parts of a program for threads, which have no core to run on, would take a fifth more
        flags += ["--xla_cpu_use_fusion_emitters=false", "--xla_cpu_parallel_codegen_split_count=1"]
    return " ".join(flags)
