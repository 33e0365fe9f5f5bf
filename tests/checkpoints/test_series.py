"""Steps from inside the files and from names, shards, and what lies beside the weights."""

import json

import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors
from typer.testing import CliRunner

from sgdyson.checkpoints import checkpoints, survey
from sgdyson.checkpoints._steps import steps_of
from sgdyson.cli import app
from sgdyson.errors import InvalidInputError

NAMES = {  # labels and their steps
    "a loss": ({"epoch=02-val_loss=2.06": 2, "epoch=10-val_loss=1.93": 10}, "epoch"),
    "a whole loss": ({"epoch=2-val_loss=2": 2, "epoch=3-val_loss=1.93": 3}, "epoch"),
    "a rate": ({"model_epoch10_lr0.01": 10, "model_epoch9_lr0.1": 9}, "epoch"),
    "a rate in powers": ({"lr1e-4_step5": 5, "lr3e-4_step6": 6}, "step"),
    "a precision": ({"step100-bf16": 100, "step99-bf16": 99}, "step"),
    "two precisions": ({"step100-bf16": 100, "step99-fp32": 99}, "step"),
    "both times": ({"epoch=1-step=300": 300, "epoch=2-step=600": 600}, "step"),
    "transformers": ({"checkpoint-9": 9, "checkpoint-10": 10, "checkpoint-100": 100}, "checkpoint"),
    "padded": ({"iter_0000100": 100, "iter_0002000": 2000}, "iter"),
    "bare": ({"00100": 100, "00020": 20}, ""),
    "a size": ({"pythia-70m-step1000": 1000, "pythia-70m-step512": 512}, "step"),
    "thousands": ({"step-10k": 10_000, "step-500": 500, "step-1M": 1_000_000}, "step"),
    "a name that is no time": ({"gen7": 7, "gen12": 12}, "gen"),
    "a version": ({"epoch=3": 3, "epoch=3-v1": 3, "epoch=4": 4}, "epoch"),
    "best and last": ({"best": None, "step100": 100, "step20": 20, "last": None}, "step"),
    "best of a number": ({"best_acc=97": None, "step100": 100, "step20": 20}, "step"),
    "seeds": ({"seed0": None, "seed1": None}, None),
    "no numbers": ({"encoder": None, "decoder": None}, None),
    "two unknown numbers": ({"a1-b2": None, "a2-b3": None}, None),
    "the same number": ({"a-step5": None, "b-step5": None}, None),
    "long numbers": ({"9" * 30: None, "8" * 30: None}, None),
}


@pytest.mark.parametrize("case", NAMES)
def test_steps_from_names(case):
    expected, word = NAMES[case]
    steps, notes = steps_of(list(expected), [{}] * len(expected))
    assert steps == list(expected.values())
    if word is not None:
        assert (repr(word) if word else "no word") in notes[0]
    else:
        assert "no step" in notes[0]


def test_what_is_ignored_and_what_is_there_twice_is_told():
    _, notes = steps_of(["epoch=1-val_loss=2", "epoch=1-val_loss=1", "epoch=2-val_loss=3", "last"],
                        [{}] * 4)  # fmt: skip
    assert "no steps: the numbers after 'loss'" in notes[0]
    assert notes[1] == "step 1 stands for 2 checkpoints: epoch=1-val_loss=2, epoch=1-val_loss=1"
    assert notes[2] == "without a step: last"


INSIDE = {  # facts of each, and the steps
    "global step": ([{"global_step": 30, "epoch": 1}, {"global_step": 60, "epoch": 2}], [30, 60]),
    "epoch": ([{"epoch": 4}, {"epoch": 5}], [4, 5]),
    "one that does not vary": ([{"global_step": 0, "epoch": 1}, {"global_step": 0, "epoch": 2}],
                               [1, 2]),
    "nothing that varies": ([{"epoch": 0}, {"epoch": 0}], [7, 8]),
    "not in all": ([{"step": 1}, {}], [7, 8]),
}  # fmt: skip


@pytest.mark.parametrize("case", INSIDE)
def test_steps_inside_come_before_names(case):
    facts, expected = INSIDE[case]
    assert steps_of(["epoch=7", "epoch=8"], facts)[0] == expected


def test_one_without_facts_and_without_a_number_has_no_step():
    facts = [{"global_step": 10}, {"global_step": 20}, {}]
    assert steps_of(["a-1", "a-2", "best"], facts)[0] == [10, 20, None]


def weights_at(path, **arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_safetensors(path, arrays or {"w": noise((6, 5))})


def steps(folder):
    return [(c.step, c.label) for c in checkpoints(folder)]


class TestInsideFiles:
    def test_safetensors_and_npz(self, tmp_path):
        for kind in ("s", "n"):
            (tmp_path / kind).mkdir()
        for number, step in ((1, 30), (2, 20)):
            path = tmp_path / "s" / f"a{number}.safetensors"
            write_safetensors(path, {"w": noise((5, 4))}, {"step": str(step)})
            np.savez(tmp_path / "n" / f"a{number}.npz", w=noise((5, 4)), step=step)
        for kind in ("s", "n"):
            assert steps(tmp_path / kind) == [(20, "a2"), (30, "a1")]

    def test_lightning(self, tmp_path):
        torch = pytest.importorskip("torch")
        for epoch, name in (
            (0, "epoch=0-val_loss=2.06"),
            (1, "epoch=1-val_loss=1.90"),
            (1, "last"),
        ):
            state = {"state_dict": {"w": torch.ones(4, 3) + epoch}, "epoch": epoch,
                     "global_step": 100 * (epoch + 1)}  # fmt: skip
            torch.save(state, tmp_path / f"{name}.ckpt")
        assert [step for step, _ in steps(tmp_path)] == [100, 200, 200]
        assert any("step 200 stands for 2" in note for note in survey(tmp_path).notes)

    def test_transformers(self, tmp_path):
        for step in (9, 10):
            folder = tmp_path / f"run-{100 - step}"
            weights_at(folder / "model.safetensors")
            (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
            (folder / "optimizer.pt").write_bytes(b"")
        assert steps(tmp_path) == [(9, "run-91"), (10, "run-90")]


class TestFolders:
    def test_a_final_model_beside_its_checkpoints(self, tmp_path):
        for step in (9, 10, 100):
            weights_at(tmp_path / f"checkpoint-{step}" / "model.safetensors")
        weights_at(tmp_path / "model.safetensors")
        assert steps(tmp_path) == [(9, "checkpoint-9"), (10, "checkpoint-10"),
                                   (100, "checkpoint-100"), (None, "model")]  # fmt: skip

    @pytest.mark.parametrize("form", [[], ["--csv"], ["--json"], ["--html", "p.html"]])
    @pytest.mark.parametrize("kind", ["files", "folders"])
    def test_best_and_last_beside_numbered_ones(self, tmp_path, kind, form, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for label in ("step100", "step20", "best", "last"):
            name = f"{label}.npz" if kind == "files" else f"{label}/model.npz"
            (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
            np.savez(tmp_path / "run" / name, w=noise((6, 5)))
        done = CliRunner().invoke(app, ["spectrum", "run", *form])
        assert done.exit_code == 0
        assert "without a step: best, last" in done.stderr
        if form == ["--json"]:
            rows = json.loads(done.stdout)
            assert [row["step"] for row in rows] == [20, 100, None, None]
            assert [row["checkpoint"] for row in rows] == ["step20", "step100", "best", "last"]
        if form == ["--csv"]:
            assert [line.split(",")[0] for line in done.stdout.splitlines()] == [
                "step", "20", "100", "", "",
            ]  # fmt: skip

    def test_shards_beside_a_consolidated_file_are_one_checkpoint(self, tmp_path):
        for number in (1, 2):
            weights_at(
                tmp_path / f"model-0000{number}-of-00002.safetensors",
                **{f"w{number}": noise((5, 4))},
            )
        weights_at(tmp_path / "consolidated.safetensors", w=noise((5, 4)))
        found = survey(tmp_path)
        assert [row["name"] for row in found.rows()] == ["w1", "w2"]
        assert ["consolidated.safetensors"] in found.skipped.values()
        (tmp_path / "model-00001-of-00002.safetensors").unlink()
        assert [row["name"] for row in survey(tmp_path).rows()] == ["w"]

    @pytest.mark.parametrize("present", [[1], [3], [1, 3], [2, 3]])
    def test_every_missing_shard_is_named(self, tmp_path, present):
        for number in present:
            weights_at(
                tmp_path / f"model-0000{number}-of-00003.safetensors",
                **{f"w{number}": noise((5, 4))},
            )
        found = survey(tmp_path)
        assert [m.name for m in found.spectra[0]] == [f"w{n}" for n in present]
        missing = [n for n in (1, 2, 3) if n not in present]
        assert found.skipped == {
            "a shard that is missing": [f"model-0000{n}-of-00003.safetensors" for n in missing]
        }

    def test_shards_that_only_an_index_names(self, tmp_path):
        names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
        index = {"weight_map": {"a": names[0], "b": names[1], "c": "../x.safetensors", "d": 5}}
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
        with pytest.raises(InvalidInputError, match=r"00001-of-00002.*00002-of-00002") as error:
            survey(tmp_path)
        assert "x.safetensors" not in str(error.value)
        weights_at(tmp_path / names[0], a=noise((5, 4)))
        assert survey(tmp_path).skipped == {"a shard that is missing": [names[1]]}

    @pytest.mark.parametrize(
        "files", [["model-00001-of-00002", "model-00002-of-00002"], ["model", "model"]]
    )
    def test_arrays_that_an_index_names_and_no_shard_holds(self, tmp_path, files):
        first, second = (f"{name}.safetensors" for name in files)
        # "moved" is in another shard than the index says: it is there all the same
        places = {"a": first, "moved": first, "lost": first, "b": second, "gone": second}
        index = {"weight_map": places}
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
        held = {first: {"a": noise((5, 4))}}
        held.setdefault(second, {}).update(b=noise((5, 4)), moved=noise((5, 4)))
        for name, arrays in held.items():
            weights_at(tmp_path / name, **arrays)
        found = survey(tmp_path)
        assert [m.name for m in found.spectra[0]] == ["a", "b", "moved"]
        assert found.skipped == {"named by the index, and in no shard": ["lost", "gone"]}

    @pytest.mark.parametrize("path", ["none", "none.npz", "x" * 5000 + ".npz", "a\0b.npz"])
    def test_a_path_that_leads_nowhere(self, path):
        with pytest.raises(InvalidInputError, match="does not exist"):
            survey(path)

    def test_a_bad_shard_and_a_bad_checkpoint_are_named(self, tmp_path):
        for number in (1, 2):
            weights_at(
                tmp_path / "a" / f"model-0000{number}-of-00002.safetensors",
                **{f"w{number}": noise((5, 4))},
            )
        weights_at(tmp_path / "b" / "model.safetensors", w1=noise((5, 4)))
        (tmp_path / "c").mkdir()
        for path in (
            tmp_path / "a" / "model-00002-of-00002.safetensors",
            tmp_path / "c" / "model.npz",
        ):
            path.write_bytes(b"no")
        found = survey(tmp_path)
        assert [[m.name for m in spectra] for spectra in found.spectra] == [["w1"], ["w1"]]
        named = [name for names in found.skipped.values() for name in names]
        assert named == ["model-00002-of-00002.safetensors", "c"]
        assert [step for step, _ in found.series()] == [0, 1]

    def test_a_tensor_in_two_shards_is_read_once(self, tmp_path):
        for number in (1, 2):
            weights_at(
                tmp_path / f"model-0000{number}-of-00002.safetensors", w=noise((5, 4), number)
            )
        found = survey(tmp_path)
        assert [m.name for m in found.spectra[0]] == ["w"]
        np.testing.assert_allclose(found.spectra[0][0].spectral, np.linalg.norm(
            noise((5, 4), 1), 2))  # fmt: skip
        assert len(found.skipped) == 1

    def test_nothing_outside_the_folder_is_read(self, tmp_path):
        weights_at(tmp_path / "secret.safetensors", secret=noise((5, 4)))
        weights_at(tmp_path / "m" / "model-00001-of-00002.safetensors", a=noise((5, 4)))
        places = {"a": "model-00001-of-00002.safetensors", "secret": "../secret.safetensors"}
        index = tmp_path / "m" / "model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": places}))
        assert [m.name for m in survey(tmp_path / "m").spectra[0]] == ["a"]

    @pytest.mark.parametrize("other", ["model.fp16.safetensors", "model.npz", "consolidated.npz"])
    def test_another_form_of_the_model_is_named_and_not_read(self, tmp_path, other):
        weights_at(tmp_path / "model.safetensors")
        weights_at(tmp_path / other, v=noise((5, 4)))
        found = survey(tmp_path)
        assert [m.name for m in found.spectra[0]] == ["w"]
        assert [other] in found.skipped.values()

    def test_state_of_the_training_is_named_and_not_opened(self, tmp_path):
        weights_at(tmp_path / "model.safetensors")
        names = ["optimizer.pt", "rng_state_0.pth", "scheduler.pt", "training_args.bin"]
        for name in names:
            (tmp_path / name).write_bytes(b"no")
        assert survey(tmp_path).skipped == {
            "state of the optimiser or the training, by its name": names
        }

    def test_all_reasons_are_told_when_nothing_is_left(self, tmp_path):
        arrays = {
            "b": np.ones(3, np.float32),
            "z": np.zeros((4, 3), np.float32),
            "x": ("F4", (2,), b"a"),
        }
        path = write_safetensors(tmp_path / "a.safetensors", arrays)
        with pytest.raises(InvalidInputError) as error:
            survey(path)
        for words in ("a vector: b", "all zero: z", "'F4', which is not read: x"):
            assert words in str(error.value)

    def test_parts_of_a_pipeline_are_told_apart(self, tmp_path):
        for part in ("unet", "vae"):
            weights_at(tmp_path / part / "diffusion_pytorch_model.safetensors")
        rows = survey(tmp_path).rows()
        assert [(row["checkpoint"], row["name"]) for row in rows] == [("unet", "w"), ("vae", "w")]
        assert all("step" not in row for row in rows)


HARD = {
    "two rows": noise((2, 64)), "orthogonal": np.eye(16), "constant": np.ones((7, 5)),
    "rank one": np.outer(np.arange(1.0, 9), np.ones(5)),
    "huge": 1e200 * noise((9, 8)), "tiny": 1e-200 * noise((9, 8)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", HARD)
def test_no_matrix_hides_another_from_the_tail(tmp_path, name):
    np.savez(tmp_path / "a.npz", body=noise((40, 30)), hard=HARD[name])
    found = survey(tmp_path / "a.npz", tail=True, tail_draws=0)
    body, *others = found.spectra[0]
    assert body.tail is not None
    named = [name for names in found.skipped.values() for name in names]
    assert "hard" in {*named, *(matrix.name for matrix in others)}
    rows = found.rows()
    assert all(set(row) == set(rows[0]) for row in rows)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": 0}, "split = 0"),
        ({"layout": "chw"}, "'chw' is none of auto"),
        ({"false_alarm": 5.0}, "^false_alarm = 5.0"),
    ],
)
def test_a_wrong_setting_is_one_mistake(tmp_path, settings, message):
    """And not the fault of each matrix."""
    np.savez(tmp_path / "a.npz", w=noise((6, 5)), v=noise((6, 5)))
    with pytest.raises(InvalidInputError, match=message):
        survey(tmp_path / "a.npz", **settings)


def test_a_number_that_is_missing_is_told_beside_those_that_are_there(tmp_path):
    np.savez(tmp_path / "w.npz", head=np.eye(2, 9), good=np.random.default_rng(0).random((9, 7)))
    told = survey(tmp_path / "w.npz", tail=True, tail_draws=0)
    assert {m.name for m in told.spectra[0]} == {"head", "good"}
    assert not told.skipped
    assert [names for note, names in told.missing.items() if "no tail" in note] == [["head"]]
    assert any(line.startswith("of 1, no tail") for line in told.sentences())
