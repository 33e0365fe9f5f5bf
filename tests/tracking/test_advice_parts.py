"""What an advice is made of: of which matrix, of which half of the run, for which batches."""

from types import SimpleNamespace

import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.stats import Estimate
from sgdyson.tracking import Advice, Tracker, _advice, advise, open_run


@pytest.mark.parametrize(
    ("frictions", "fastest"),
    [
        ({"a": (0.01, 0.001), "b": (0.04, 0.001), "c": (0.02, 0.001)}, 0.04),
        ({"a": (0.01, 0.001), "b": (0.04, 0.03)}, 0.01),  # no more than its error
        ({"a": None, "b": (0.02, 0.001)}, 0.02),  # of the other nothing is known
        ({"a": None, "b": (0.04, 0.03)}, None),
    ],
)
def test_steps_are_as_long_as_the_fastest_level_that_is_known_allows(
    monkeypatch, frictions, fastest
):
    def dynamics(run, name):
        if frictions[name] is None:
            raise InvalidInputError("too few records.")
        return SimpleNamespace(friction=Estimate(*frictions[name], 20.0))

    monkeypatch.setattr(_advice, "matrix_dynamics", dynamics)
    found = _advice._fastest(SimpleNamespace(names=list(frictions)))
    assert (found and found.value) == fastest


def test_the_noise_scale_where_the_rule_is_to_hold_is_that_of_the_late_half(monkeypatch):
    """Signal 1 throughout; noise 10, and 40 in the second half."""
    pairs = np.array([[1.0, 10.0]] * 4 + [[1.0, 40.0]] * 4)
    monkeypatch.setattr(_advice, "measured", lambda run, names: pairs)
    run = SimpleNamespace(names=["a"], steps=np.arange(8))
    assert _advice._noise_scale(run).value == pytest.approx(25.0)
    assert _advice._noise_scale(run, late=True).value == pytest.approx(40.0)
    # a mean gradient that is lost in its error tells nothing late
    pairs[4:, 0] = [9.0, -8.0, 9.0, -8.0]
    assert _advice._noise_scale(run, late=True) is None


def test_no_batch_of_less_than_one_sample_is_advised(tmp_path):
    random = np.random.default_rng(0)
    with Tracker(tmp_path / "run.zarr", every=1, learning_rate=0.1, batch_size=2) as tracker:
        for step in range(4):
            tracker.update(step, {"w": random.standard_normal((3, 2))})
    pairs = advise(open_run(tmp_path / "run.zarr")).pairs
    assert [pair.batch_size for pair in pairs] == [1, 2, 4, 8, 16, 32]
    assert [pair.learning_rate / pair.batch_size for pair in pairs] == pytest.approx([0.05] * 6)


@pytest.mark.parametrize(("kept", "value"), [("alpha/|B|", "0.025"), ("alpha/sqrt|B|", "0.1")])
def test_what_is_kept_is_told_with_its_value(kept, value):
    advice = Advice(0.4, 16.0, None, None, [], None, "sgd", kept)
    assert str(advice).startswith(f"Under sgd, {kept} = {value} is kept by")
