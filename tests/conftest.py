"""What all tests share."""

import os

import pytest


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
            # These programs run for less time than XLA takes to polish them: the contracts take 128
            # s of CPU so, 159 s as XLA does for users, which `XLA_FLAGS= pytest` and -m slow test.
            os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=1")
