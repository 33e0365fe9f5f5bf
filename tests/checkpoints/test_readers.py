"""Checkpoints are read as their writers meant them, and one bad array hides no good one."""

import json

import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors
from typer.testing import CliRunner

from sgdyson.checkpoints import checkpoints, survey
from sgdyson.cli import app
from sgdyson.errors import InvalidInputError


class TestCheckpoints:
    def test_every_precision_of_safetensors(self, tmp_path):
        w = noise((6, 5))
        kinds = [np.float64, np.float32, np.float16, ml_dtypes.bfloat16]
        arrays = {np.dtype(kind).name: w.astype(kind) for kind in kinds}
        (found,) = checkpoints(write_safetensors(tmp_path / "a.safetensors", arrays))
        for name, array in found.arrays():
            np.testing.assert_array_equal(array, arrays[name])

    def test_files_of_the_library_itself(self, tmp_path):
        torch = pytest.importorskip("torch")
        save = pytest.importorskip("safetensors.torch")
        w = torch.randn(6, 5).to(torch.bfloat16)
        save.save_file({"w": w, "b": torch.ones(3)}, tmp_path / "a.safetensors")
        (found,) = checkpoints(tmp_path / "a.safetensors")
        np.testing.assert_array_equal(dict(found.arrays())["w"].astype(float), w.double().numpy())

    def test_shards_are_one_checkpoint_and_numbers_are_a_series(self, tmp_path):
        for number in (1, 2):
            name = f"model-0000{number}-of-00002.safetensors"
            write_safetensors(tmp_path / name, {f"w{number}": noise((6, 5))})
        (one,) = checkpoints(tmp_path)
        assert [name for name, _ in one.arrays()] == ["w1", "w2"]
        series = tmp_path / "series"
        for step in (100, 20):
            (series / f"checkpoint-{step}").mkdir(parents=True)
            file = series / f"checkpoint-{step}" / "model.safetensors"
            write_safetensors(file, {"w": noise((6, 5))})
        assert [c.step for c in checkpoints(series)] == [20, 100]

    def test_rows_come_in_the_order_of_the_model(self, tmp_path):
        """Writers of safetensors sort names as text, and shards cut a block in two."""
        shards = [{"h.10.a": 0, "h.2.a": 1, "bias": 2}, {"h.10.b": 3, "h.2.b": 4, "h.9.a": 5}]
        for number, names in enumerate(shards, 1):
            arrays = {name: noise((6, 5), seed) for name, seed in names.items() if name != "bias"}
            arrays |= {"bias": np.ones(3)} if "bias" in names else {}
            write_safetensors(tmp_path / f"model-0000{number}-of-00002.safetensors", arrays)
        found = survey(tmp_path)
        order = ["h.2.a", "h.2.b", "h.9.a", "h.10.a", "h.10.b"]
        assert [row["name"] for row in found.rows()] == order
        assert found.skipped == {"a vector": ["bias"]}
        np.savez(tmp_path / "b.npz", z=noise((6, 5)), a=noise((6, 5)))
        assert [row["name"] for row in survey(tmp_path / "b.npz").rows()] == ["z", "a"]

    @pytest.mark.parametrize("keep", [4, 60, -20])
    def test_a_truncated_file_is_told(self, tmp_path, keep):
        path = write_safetensors(tmp_path / "a.safetensors", {"w": noise((6, 5))})
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(InvalidInputError, match=r"a\.safetensors"):
            list(checkpoints(path)[0].arrays())

    def test_pytorch_files_weights_only(self, tmp_path):
        torch = pytest.importorskip("torch")
        state = {"state_dict": {"w": torch.randn(6, 5).half(), "n": torch.tensor(3)}, "step": 5}
        torch.save(state, tmp_path / "a.pt")
        (found,) = checkpoints(tmp_path / "a.pt")
        w = dict(found.arrays())["w"]
        np.testing.assert_array_equal(w, state["state_dict"]["w"].double().numpy())

    def test_the_command(self, tmp_path):
        signs = np.random.default_rng(1).choice([-1.0, 1.0], 150)
        spike = 0.9 * (80 * 70) ** -0.25 * np.outer(signs[:80], signs[80:])  # 3 thresholds
        arrays = {"w": noise((80, 70)) + spike, "b": np.ones(3)}
        path = write_safetensors(tmp_path / "a.safetensors", arrays)
        result = CliRunner().invoke(app, ["spectrum", str(path), "--json"])
        assert result.exit_code == 0
        (row,) = json.loads(result.stdout)
        assert (row["name"], row["rows"], row["outliers"]) == ("w", 80, 1)
        assert "skipped 1, a vector: b" in result.stderr
        flags = ["--json", "--tail", "--randomise"]
        (row,) = json.loads(CliRunner().invoke(app, ["spectrum", str(path), *flags]).stdout)
        assert row["random_spectral"] < row["spectral"]
        assert row["tail_exponent_error"] > 0
        assert 0 <= row["tail_pvalue"] <= 1
        lines = CliRunner().invoke(app, ["spectrum", str(path), "--csv"]).stdout.splitlines()
        assert lines[0].startswith("name,rows,columns,sigma")
        assert "outliers" in CliRunner().invoke(app, ["spectrum", str(path)]).stdout
