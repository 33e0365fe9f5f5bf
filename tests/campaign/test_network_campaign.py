"""Campaigns of networks: levels of several matrices, and no prediction to lean on."""

import tomllib

import numpy as np
import pytest

from sgdyson.analysis._read_stores import read_campaign
from sgdyson.campaign import Campaign
from sgdyson.campaign._spec import parse_spec
from sgdyson.errors import InvalidInputError

SPEC = """
name = "networks"
replicas = 2
updates = 20
record_every = 10
[model]
kind = "mlp"
data = "breast_cancer"
hidden = [4]
[learning]
learning_rate = [0.05, 0.1]
batch_size = 4
"""
TRANSFORMER = 'kind = "character_transformer"\ncharacters = 500\nwidth = 4\ncontext = 4'


def spec(old="", new=""):
    return parse_spec(tomllib.loads(SPEC.replace(old, new)))


def test_the_store_says_which_matrix_a_level_belongs_to(tmp_path):
    campaign = Campaign(spec(), tmp_path / "out")
    data = campaign.run(progress=False)
    assert list(data.matrix.values) == ["layer1"] * 4 + ["layer2"] * 2
    assert data.levels.sel(learning_rate=0.1).shape[1:] == (3, 6)
    assert bool(data.finished.any())
    histories = list(read_campaign(tmp_path / "out"))
    assert [history.matrix for history in histories] == ["layer1", "layer2"] * 2
    assert [history.levels.shape[2] for history in histories] == [4, 2] * 2
    assert histories[3].source.endswith("learning_rate=0.1, layer2")
    np.testing.assert_array_equal(histories[1].levels, data.levels.values[0][..., 4:])


def test_a_transformer_and_hidden_layers_are_settings():
    text = SPEC[SPEC.index('kind = "mlp"') : SPEC.index("[learning]")].strip()
    model = spec(text, TRANSFORMER).first.build()
    assert "block1.query" in model.matrix_names()
    grid = spec("hidden = [4]", "hidden = [[4], [8, 4]]")
    assert [setting.model.hidden for setting in grid.settings] == [(4,), (4,), (8, 4), (8, 4)]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (
            "updates = 20",
            'updates = 20\nburn_in = "stationary"',
            "mlp under sgd predicts no relaxation",
        ),
        ("updates = 20", "updates = 20\ntarget_error = 0.1", "mlp has no degenerate pair"),
        ("hidden = [4]", "hidden = [0]", "greater than or equal to 1"),
        ('"breast_cancer"', '"iris"', "digits"),
    ],
)
def test_what_needs_a_prediction_is_refused(old, new, named):
    with pytest.raises(InvalidInputError, match=named):
        spec(old, new)
