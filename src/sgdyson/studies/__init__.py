"""Studies: a question, its runs, its measurement, its figure.

Each is a function of a folder, a seed, whom to tell, and whether to be quick; it goes on where it
stopped, and returns its checks.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..analysis import CheckTable
from ..errors import require
from .accuracy import study_accuracy as study_accuracy
from .dyson_test import study_dyson_test as study_dyson_test
from .emergence import study_emergence as study_emergence
from .linear_scaling import study_linear_scaling as study_linear_scaling
from .many_species import study_many_species as study_many_species
from .paper import study_paper as study_paper
from .phase_diagram import study_phase_diagram as study_phase_diagram
from .structure import study_structure as study_structure


class Study(Protocol):
    """What every study is."""

    def __call__(
        self, out: Path, seed: int, say: Callable[[str], None], *, quick: bool = False
    ) -> CheckTable: ...


STUDIES: dict[str, Study] = {
    "accuracy": study_accuracy,
    "dyson-test": study_dyson_test,
    "emergence": study_emergence,
    "linear-scaling": study_linear_scaling,
    "many-species": study_many_species,
    "paper": study_paper,
    "phase-diagram": study_phase_diagram,
    "structure": study_structure,
}


def study(name: str) -> Study:
    """The study of this name.

    Raises:
        InvalidInputError: an unknown name.
    """
    require(name in STUDIES, f"NAME = {name} is no study; choose one of {', '.join(STUDIES)}.")
    return STUDIES[name]
