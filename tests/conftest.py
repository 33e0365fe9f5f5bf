"""What all tests share."""

import os
from importlib.metadata import version

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
            os.environ.setdefault("XLA_FLAGS", _compiles_fast())


def _compiles_fast() -> str:
    """These programs run for less time than XLA takes to polish them: 2.4 s a three, 8.9 for users.

    `XLA_FLAGS= pytest`, -m slow and the newest versions test what users get. A flag that XLA does
    not know ends the process, and flags come and go.
    """
    flags = ["--xla_backend_optimization_level=1"]
    if version("jaxlib").startswith(("0.8.", "0.9.", "0.10.")):
        flags.append("--xla_cpu_use_fusion_emitters=false")
    return " ".join(flags)
