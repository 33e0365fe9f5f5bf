"""A spec to start from, and a campaign in words."""

import re
from pathlib import Path

from .._capacity import in_words
from .._files import create_text, write_text
from ..errors import require
from ..models import MODELS
from ..optimizers import OPTIMIZERS, optimizers_with
from . import specs
from ._campaign import Campaign
from ._setting import NAME

STARTER = """\
# A campaign: every setting below, each with `replicas` independent replicas.
# Any value in [model] and [learning] may be a list: the campaign then runs all of them.
#   sgdyson run {name}.toml --dry-run    what it will take
#   sgdyson run {name}.toml              run it; stopped and called again, it goes on

name = "{name}"
seed = 0                     # the same seed gives the same numbers, on any number of workers
replicas = 256
time_unit = "update"         # of the next three; or "1/learning_rate", rounded up to updates
updates = 4000               # of each replica, after its burn-in
record_every = 400           # about a relaxation time, so that records are nearly independent
burn_in = "stationary"       # or a number of updates before the first record
vary = "grid"                # every combination of the lists; "zip" takes them side by side
# target_error = 0.01        # add replicas until `quantity` of every setting has this error
# quantity = "mean_spacing"  # of the first degenerate pair; or "level_mean", "level_width"

[model]
kind = "gaussian_rbm"        # or {kinds}
n_visible = 10
n_hidden = 10
mass = 2.0                   # of the target field
rbm_mass = 3.0
gibbs_sweeps = 3
sampler = "collapsed"        # or "gibbs", "independent"

[learning]
learning_rate = [0.05, 0.1]
batch_size = [16, 64]
optimizer = "sgd"            # or {optimizers}
# momentum = 0.9             # of {momentum}
# weight_decay = 0.0         # of {weight_decay}
"""


def write_starter(name: str, like: str | None = None, *, replace: bool = False) -> Path:
    """Write NAME.toml, a commented starter or a copy of one of `sgdyson.campaign.specs`.

    Args:
        name: name of the campaign, and of the file, with or without its ending.
        like: name of a spec to copy; None writes the starter.
        replace: a file that exists.

    Returns:
        The file.

    Raises:
        InvalidInputError: a name that is no file name, a file that exists, an unknown experiment.
    """
    known = specs.names()
    require(
        like is None or like in known,
        f"--like {like} is unknown; choose one of {', '.join(known)}.",
    )
    name = name.removesuffix(".toml")
    path = Path(f"{name}.toml")
    require(
        re.fullmatch(NAME, name) is not None and name == path.stem,
        f"NAME = {name!r} must be letters, digits, _, . and -, a letter or digit first, without"
        " folders.",
    )
    require(replace or not path.exists(), f"{path} exists; choose another name, or add --force.")
    # without `replace`, a file that another process writes in this moment is safe as well
    (write_text if replace else create_text)(path, _spec(name, like))
    return path


def _spec(name: str, like: str | None) -> str:
    if like is None:
        return STARTER.format(name=name, **_words())
    own = like.rpartition("/")[2]
    return specs.text(like).replace(f'name = "{own}"', f'name = "{name}"')


def _words() -> dict[str, str]:
    """What the registries know, for the comments of the starter."""
    first, *kinds = MODELS
    assert first == "gaussian_rbm"
    others = [name for name in OPTIMIZERS if name != "sgd"]
    return {
        "kinds": ", ".join(f'"{kind}"' for kind in kinds),
        "optimizers": ", ".join(f'"{name}"' for name in others),
        **{number: ", ".join(optimizers_with(number)) for number in ("momentum", "weight_decay")},
    }


def describe(campaign: Campaign) -> str:
    """Settings, updates, time, disk and memory of a campaign, and what is finished of it.

    Raises:
        InvalidInputError: a folder of a campaign that cannot grow to this one.
    """
    cost, first = campaign.cost(), campaign.spec.first
    replicas = [setting.replicas for setting in campaign.spec.settings]
    varied = [f"  {key} = {values}" for key, values in campaign.spec.varied.items()]
    lines = [
        f"{first.name}: {cost.settings} settings of {_range(replicas)} replicas ({first.vary})",
        *varied,
        f"  {cost.updates:.3g} updates of replicas, burn-in included",
        f"  about {_duration(cost.seconds)} on this machine, and a few seconds of compilation for"
        " each batch size and model",
        f"  disk at most {in_words(cost.disk)}, memory for levels {in_words(cost.memory)}",
    ]
    finished, own, folder = campaign.kept(), campaign.replicas(), campaign.store.folder
    if campaign.store.part is not None:
        number, of = campaign.store.part
        lines.append(f"  part {number} of {of} has {own} of {sum(replicas)} replicas")
    if finished:
        lines.append(f"  {finished} of {own} replicas are finished in {folder}")
    return "\n".join(lines)


def _range(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
