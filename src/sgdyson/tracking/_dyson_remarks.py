"""What belongs to a Dyson index and is no number of it, in sentences."""

from ..stats import Estimate
from ._dyson_index import LEVEL, DysonIndex

FELT = 1.0  # standard errors, below which the repulsion of a whole run is seen by nobody


def remarks_of(
    index: DysonIndex, repulsion: float, drift: float, persistent: float | None
) -> list[str]:
    """Sentences on what the index leaves out, or where it may come out wrong.

    Args:
        index: of the matrix.
        repulsion: in standard errors, see `DysonTest`.
        drift: p-value of levels that go so far by diffusion alone.
        persistent: gap in units of the way of one memory, None where steps forget.
    """
    remarks = []
    if persistent is not None:
        remarks.append(
            f"Steps persist, and levels lie within {persistent:.1f} times the way that one memory"
            " takes them: the index comes out low."
        )
    if index.null:
        remarks.append(f"{_levels(index.null)} left out: it does not move with the others.")
    if index.alternating:
        remarks.append(
            f"{_levels(index.alternating)} left out: steps alternate in sign, as at the edge of"
            " stability."
        )
    if index.pvalue_levels < LEVEL:
        low, high = (pick(_numbered(index), key=lambda x: x[1].value) for pick in (min, max))
        remarks.append(
            f"Levels differ: the index is {low[1]} of level {low[0]} and {high[1]} of level"
            f" {high[0]}; all are 1 with p = {index.pvalue_levels:.2g}."
        )
    if index.correlation is not None:
        remarks.append(
            f"Steps alternate: each is correlated with the next by {index.correlation:.2f}, as near"
            " the edge of stability."
        )
    if repulsion < FELT:
        remarks.append(
            f"Levels lie too far apart: over this run repulsion moves their gaps by {repulsion:.2g}"
            " standard errors of what noise does."
        )
    if drift < LEVEL:
        remarks.append(
            f"Levels drift: diffusion alone takes them so far with p = {drift:.2g}. The index is of"
            " the noise beside the drift."
        )
    if index.change is not None and index.change < LEVEL:
        remarks.append(f"The index changed during the run (p = {index.change:.2g}).")
    return remarks


def _numbered(index: DysonIndex) -> list[tuple[int, Estimate]]:
    return [(i, e) for i, e in enumerate(index.of_level, 1) if e is not None]


def _levels(places: tuple[int, ...]) -> str:
    shown = ", ".join(str(place + 1) for place in places[:6])
    more = f" and {len(places) - 6} more" if len(places) > 6 else ""
    return f"Level{'s' if len(places) > 1 else ''} {shown}{more} of the largest first"
