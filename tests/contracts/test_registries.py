"""What has a name stands in one registry; everything that lists the names is held against it."""

import dataclasses
import re
from pathlib import Path
from typing import get_args

import jax.numpy as jnp
import pytest
from test_model_contract import MODELS as CLOSED_FORM
from test_network_contract import NETWORKS
from test_two_layer_contract import MODELS as TWO_LAYER
from typer.main import get_command

from sgdyson import models, optimizers, simulate
from sgdyson.campaign._fields import LearningSection
from sgdyson.campaign._mistakes import _tables
from sgdyson.campaign._setting import Setting
from sgdyson.campaign._spec import parse_spec
from sgdyson.campaign.starter import _spec
from sgdyson.checkpoints._readers import FOLDERS, READERS
from sgdyson.cli import app
from sgdyson.errors import InvalidInputError
from sgdyson.models import MODELS, LossModel, LowRankTeacher, Model
from sgdyson.optimizers import OPTIMIZERS, SGD, Optimizer
from sgdyson.studies import STUDIES
from sgdyson.studies.linear_scaling._study import ARCHITECTURES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("room", "registry"), [(models, MODELS), (optimizers, OPTIMIZERS)])
def test_what_has_a_name_is_public_in_its_room(room, registry):
    assert all(getattr(room, kind.__name__, None) is kind for kind in registry.values())


def page(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_model_is_held_to_a_contract():
    held = {type(model) for each in (CLOSED_FORM, NETWORKS, TWO_LAYER) for model in each.values()}
    assert held | {LowRankTeacher} == {*MODELS.values(), LossModel}  # tests/models holds that one


def test_every_model_has_its_section_of_a_spec_its_scan_and_its_row():
    """The row of docs/campaigns.md names every key of the section."""
    sections = _tables(Setting)
    assert list(sections) == list(MODELS)
    assert {*ARCHITECTURES, "low_rank_teacher"} == set(MODELS)  # its study is `emergence`
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", page("campaigns.md"), re.MULTILINE))
    assert list(rows) == list(MODELS)
    for kind, section in sections.items():
        named = re.findall(r"\w+", rows[kind])
        assert set(section.model_fields) - {"kind"} <= set(named)


# what a section must be given
GIVEN = {
    "gaussian_rbm": {"n_visible": 3},
    "teacher_student": {"teacher": [2.0]},
    "low_rank_teacher": {"strengths": [2.0], "outputs": 4, "inputs": 3},
    "linear_network": {"teacher": [2.0], "hidden": [2]},
    "character_transformer": {"characters": 20_000, "symbols": 32},
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_section_builds_its_model(kind):
    spec = parse_spec({
        "name": "x", "replicas": 1, "updates": 1, "record_every": 1,
        "model": {"kind": kind} | GIVEN.get(kind, {}),
        "learning": {"learning_rate": 0.1, "batch_size": 1},
    })  # fmt: skip
    assert type(spec.first.build()) is MODELS[kind]


def test_every_optimiser_can_be_named_in_a_spec_and_is_told_of():
    assert get_args(LearningSection.model_fields["optimizer"].annotation) == tuple(OPTIMIZERS)
    for name, kind in OPTIMIZERS.items():
        assert f"`{name}`" in page("campaigns.md")
        assert f"::: sgdyson.optimizers.{kind.__name__}\n" in page("reference/optimizers.md")


def test_the_starter_tells_every_name_and_number():
    lines = {line.split("=")[0].strip("# "): line for line in _spec("x", None).splitlines()}
    assert all(f'"{kind}"' in lines["kind"] for kind in MODELS)
    assert all(f'"{name}"' in lines["optimizer"] for name in OPTIMIZERS)
    for number in ("momentum", "weight_decay"):
        told = lines[number].split("# of ")[1].split(", ")
        have = [name for name, kind in OPTIMIZERS.items()
                if number in {part.name for part in dataclasses.fields(kind)}]  # fmt: skip
        assert told == have


def test_an_optimiser_is_linear_if_twice_the_gradients_move_twice_as_far():
    """Exactly so in floating point: the factor is a power of two."""
    weights = jnp.zeros((2, 2))
    gradients = [jnp.array([[1.0, -3.0], [0.5, 2.0]]), jnp.array([[2.0, 1.0], [-1.0, 0.25]])]
    for kind in OPTIMIZERS.values():
        moved = []
        for factor in (1.0, 2.0):
            step = (kind(weight_decay=0.0) if kind is SGD else kind())(0.5)
            state = step.init(weights)
            for gradient in gradients:
                update, state = step.update(factor * gradient, state, weights)
            moved.append(update)
        assert bool(jnp.array_equal(2 * moved[0], moved[1])) is kind.linear


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_every_number_of_an_optimiser_is_checked(kind):
    """Also one of a name that no optimiser had before."""
    later = dataclasses.make_dataclass(
        "Later", [("power", float, 1.0)], bases=(Optimizer,), frozen=True
    )
    for optimizer in (kind, later):
        for number in dataclasses.fields(optimizer):
            for value in (float("nan"), float("inf"), "0.5", None, True):
                with pytest.raises(InvalidInputError, match=number.name):
                    optimizer(**{number.name: value})


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_no_optimiser_inherits_the_theory_of_another(kind):
    """A class that is an `SGD`, and steps otherwise, had the predictions of SGD."""
    with pytest.raises(InvalidInputError, match=f"derives from {kind.__name__}, whose"):
        type("Own", (kind,), {"__call__": Optimizer.__call__})


@pytest.mark.parametrize(("dtype", "beta"), [(float, 1), (complex, 2)])
def test_a_run_tells_the_dyson_index_that_its_model_never_named(dtype, beta):
    """Levels of complex weights were held against the laws of real ones."""
    model = Model.from_loss(
        lambda weights, batch: jnp.sum(jnp.abs(weights - batch) ** 2),
        lambda key: jnp.ones((2, 2), dtype), batches=jnp.zeros((8, 2, 2)),
    )  # fmt: skip
    assert Model.beta.fget(model) == model.beta == beta
    run = simulate(model, learning_rate=0.1, batch_size=2, replicas=2, updates=2, record_every=1,
                   seed=1, progress=False)  # fmt: skip
    assert run.attrs["beta"] == beta


def test_every_ending_is_told_of():
    for ending in READERS:
        assert f"`{ending}`" in page("tracking.md"), ending
    for marker in FOLDERS:
        assert f"`{marker}`" in page("tracking.md"), marker


def test_the_command_tells_every_study():
    (name, *_) = get_command(app).commands["study"].params
    assert re.findall(r"[\w-]+", name.help.removeprefix("One of")) == list(STUDIES)


def test_every_study_has_its_page_in_the_reference():
    text = page("reference/studies.md") + page("reference/paper.md")
    for function in STUDIES.values():
        assert re.search(
            rf"^::: sgdyson\.studies\.(\w+\.)?{function.__name__}$", text, re.MULTILINE
        )
