"""JAX's settings while our programs run: ours, whatever the user's own are set to.

Each of these changes the numbers of a seed, or stops at the NaN with which a model answers weights
that have diverged. Settings of JAX belong to a thread, so every worker enters them for itself.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import jax

PRNG = "threefry2x32"  # with partitionable bits


@contextmanager
def own_settings() -> Iterator[None]:
    """Float64, Threefry with partitionable bits, the platform's own precision, no NaN checks."""
    settings = (
        jax.enable_x64(True),
        jax.default_prng_impl(PRNG),
        jax.threefry_partitionable(True),
        jax.default_matmul_precision(None),
        jax.debug_nans(False),
        jax.debug_infs(False),
        jax.disable_jit(False),
    )
    with ExitStack() as stack:
        for setting in settings:
            stack.enter_context(setting)
        yield
