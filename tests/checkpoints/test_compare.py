"""Two checkpoints against each other, by their names and whatever their format."""

import json

import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors
from typer.testing import CliRunner

from sgdyson.checkpoints import compare
from sgdyson.cli import app
from sgdyson.errors import InvalidInputError

OLD = {"a.weight": noise((6, 5)), "b.weight": noise((7, 4), 1), "bias": np.ones(3)}


@pytest.fixture
def pair(tmp_path):
    write_safetensors(tmp_path / "old.safetensors", OLD)
    new = {f"module.{name}": 1.1 * array for name, array in OLD.items()}
    np.savez(tmp_path / "new.npz", **new, extra=noise((3, 3)))
    return tmp_path / "new.npz", tmp_path / "old.safetensors"


def test_arrays_go_by_their_bare_names(pair):
    found = compare(*pair)
    assert [each.name for each in found.distances] == ["module.a.weight", "module.b.weight"]
    np.testing.assert_allclose([each.distance for each in found.distances], 0.1, rtol=1e-9)
    assert found.skipped == {f"not in {pair[1]}": ["extra"]}


def test_two_arrays_of_one_bare_name_keep_their_full_ones(tmp_path):
    both = {"model.w": noise((4, 3)), "w": noise((4, 3), 1)}
    np.savez(tmp_path / "a.npz", **both)
    np.savez(tmp_path / "b.npz", **both)
    found = compare(tmp_path / "a.npz", tmp_path / "b.npz")
    assert [(each.name, each.distance) for each in found.distances] == [("model.w", 0), ("w", 0)]


def test_stacks_and_other_shapes(tmp_path):
    np.savez(tmp_path / "a.npz", experts=noise((2, 4, 3)), w=noise((4, 3)), v=noise((3, 3)))
    np.savez(tmp_path / "b.npz", experts=2 * noise((2, 4, 3)), w=noise((5, 3)), v=noise((3, 3)))
    found = compare(tmp_path / "a.npz", tmp_path / "b.npz")
    assert {each.name: each.distance for each in found.distances} == pytest.approx(
        {"experts[0]": 0.5, "experts[1]": 0.5, "v": 0}
    )
    assert found.skipped == {"of shape (4, 3) here and (5, 3) there": ["w"]}


def test_what_does_not_compare_is_one_sentence(tmp_path, pair):
    np.savez(tmp_path / "other.npz", z=noise((3, 3)))
    with pytest.raises(InvalidInputError, match="no matrix in common"):
        compare(tmp_path / "other.npz", pair[1])
    (tmp_path / "series").mkdir()
    for step in (1, 2):
        np.savez(tmp_path / "series" / f"step{step}.npz", w=noise((3, 3)))
    with pytest.raises(InvalidInputError, match=r"holds 2 checkpoints \(step1, step2\)"):
        compare(tmp_path / "series", pair[1])


def test_the_command(tmp_path, pair):
    new, old = map(str, pair)
    table = tmp_path / "table.json"
    done = CliRunner().invoke(app, ["spectrum", new, "--against", old, "--json", str(table)])
    assert done.exit_code == 0
    rows = json.loads(table.read_text())
    assert [round(row["distance"], 9) for row in rows] == [0.1, 0.1]
    shown = CliRunner().invoke(app, ["spectrum", new, "--against", old])
    assert "module.a.weight" in shown.output
    with pytest.raises(InvalidInputError, match=r"without --tail\."):
        CliRunner().invoke(
            app, ["spectrum", new, "--against", old, "--tail"], catch_exceptions=False
        )


def test_matrices_are_chosen(tmp_path):
    arrays = {"h.0.attn.w": noise((6, 5)), "h.0.mlp.w": noise((9, 8)), "h.1.mlp.w": noise((4, 3))}
    np.savez(tmp_path / "a.npz", **arrays)
    np.savez(tmp_path / "b.npz", other=noise((3, 3)), **arrays)

    def names(**choice):
        found = compare(tmp_path / "a.npz", tmp_path / "b.npz", **choice)
        assert found.skipped == {}
        return [each.name for each in found.distances]

    assert names(names="h.0.*") == ["h.0.attn.w", "h.0.mlp.w"]
    assert names(roles="mlp") == ["h.0.mlp.w", "h.1.mlp.w"]
    assert names(roles="mlp", smallest=4) == ["h.0.mlp.w"]
    arguments = [str(tmp_path / "a.npz"), "--against", str(tmp_path / "b.npz")]
    done = CliRunner().invoke(app, ["spectrum", *arguments, "--roles", "attention"])
    assert "h.0.attn.w" in done.stdout
    assert "mlp" not in done.output
