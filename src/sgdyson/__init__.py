"""sgdyson: the random-matrix laboratory of stochastic gradient descent.

Names and rooms are loaded when they are first used: `import sgdyson.laws` loads no JAX.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .campaign import Campaign as Campaign
    from .engine import simulate as simulate
    from .models import GaussianRBM as GaussianRBM
    from .models import Model as Model
    from .models import Prediction as Prediction
    from .models import TeacherStudent as TeacherStudent
    from .studies.paper import reproduce as reproduce

_HOMES = {
    "Campaign": "campaign", "simulate": "engine", "GaussianRBM": "models", "Model": "models",
    "Prediction": "models", "TeacherStudent": "models", "reproduce": "studies.paper",
}  # fmt: skip
_ROOMS = (
    "analysis", "campaign", "checkpoints", "cli", "dyson", "engine", "ensembles", "errors",
    "figures", "laws", "models", "optimizers", "spectra", "stats", "studies", "tracking",
)  # fmt: skip

__all__ = [
    "Campaign", "GaussianRBM", "Model", "Prediction", "TeacherStudent", "reproduce", "simulate",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({"__version__", *_HOMES, *_ROOMS})
