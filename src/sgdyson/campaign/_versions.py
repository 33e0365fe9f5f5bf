"""What makes the numbers: versions that must be the same wherever a campaign runs."""

import jax
from jaxlib import version as jaxlib

from .._version import __version__


def versions() -> dict[str, str]:
    """Name and version, of this process."""
    return {"sgdyson": __version__, "jax": jax.__version__, "jaxlib": jaxlib.__version__}
