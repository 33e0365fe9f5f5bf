"""Files that the real libraries write, each read as its writer meant it."""

import json
import os
import sys

import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import noise

from sgdyson.checkpoints import checkpoints, survey
from sgdyson.errors import InvalidInputError

W, V = noise((6, 5)), noise((4, 3, 2), 1)


def arrays_of(path):
    (found,) = checkpoints(path)
    with found.open() as stored:
        return {item.name: item.load() for item in stored if item.reason is None}


def reasons(path):
    (found,) = checkpoints(path)
    with found.open() as stored:
        return {item.name: item.reason for item in stored if item.reason is not None}


def same(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_npy(tmp_path):
    np.save(tmp_path / "a.npy", W)
    (array,) = arrays_of(tmp_path / "a.npy").values()
    np.testing.assert_array_equal(array, W)


class TestHdf5:
    def test_groups_compression_and_precisions(self, tmp_path):
        h5py = pytest.importorskip("h5py")
        expected = {f"a/{kind}": W.astype(kind) for kind in ("f8", "f4", "f2", ">f4", "i4")}
        with h5py.File(tmp_path / "a.h5", "w") as file:
            for name, array in expected.items():
                file.create_dataset(name, data=array, compression="gzip", chunks=(3, 2))
            file["b/bfloat16"] = W.astype(ml_dtypes.bfloat16)
            file["text"] = "hello"
            file["again"] = file["a/f8"]  # the same under a second name
            file["a"]["up"] = file["/"]  # a circle
        found = arrays_of(tmp_path / "a.h5")
        twin = {"a/f8", "again"} & set(found)
        assert len(twin) == 1
        found["a/f8"] = found.pop(twin.pop())
        same(found, expected | {"b/bfloat16": W.astype(ml_dtypes.bfloat16)})
        assert "text" in reasons(tmp_path / "a.h5")

    def test_other_files_are_not_opened(self, tmp_path):
        h5py = pytest.importorskip("h5py")
        (tmp_path / "secret").write_bytes(W.tobytes())
        with h5py.File(tmp_path / "other.h5", "w") as file:
            file["w"] = W
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["link"] = h5py.ExternalLink("other.h5", "/w")
            file.create_dataset("raw", W.shape, "f8", external=str(tmp_path / "secret"))
            layout = h5py.VirtualLayout(W.shape, "f8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "w", W.shape)
            file.create_virtual_dataset("virtual", layout)
            file["w"] = 2 * W
        same(arrays_of(tmp_path / "a.h5"), {"w": 2 * W})
        told = reasons(tmp_path / "a.h5")
        assert set(told) == {"link", "raw", "virtual"}
        assert all("another file" in reason for reason in told.values())


@pytest.fixture(scope="module")
def keras_model():
    pytest.importorskip("h5py")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "jax")
        keras = pytest.importorskip("keras")
    layers = keras.layers
    start = keras.Input((8, 8, 3))
    x = layers.DepthwiseConv2D(3)(layers.Conv2D(4, 3)(start))
    x = layers.Reshape((16, 4))(layers.SeparableConv2D(4, 1)(x))
    x = layers.LSTM(6)(layers.MultiHeadAttention(2, 5)(x, x))
    model = keras.Model(start, layers.Dense(7)(x))
    model.compile("adam", "mse")
    model.fit(np.ones((2, 8, 8, 3)), np.ones((2, 7)), verbose=0)
    return model


class TestKeras:
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras with NumPy
    @pytest.mark.parametrize("name", ["m.keras", "m.weights.h5"])
    def test_numbered_variables_are_taken_as_those_with_names(self, keras_model, tmp_path, name):
        """The form of Keras 2 names its variables; spectra of both are the same."""
        keras_model.save(tmp_path / "named.h5")
        weights = name.endswith(".weights.h5")
        save = keras_model.save_weights if weights else keras_model.save
        save(tmp_path / name)
        named, numbered = (survey(tmp_path / each) for each in ("named.h5", name))
        spectra = [sorted((row["rows"], row["columns"], row["spectral"]) for row in found.rows())
                   for found in (named, numbered)]  # fmt: skip
        np.testing.assert_allclose(spectra[1], spectra[0], rtol=1e-6)
        assert len(spectra[0]) == 10  # one of the eleven kernels is a column
        assert "layers/multi_head_attention/query_dense/kernel" in {
            row["name"] for row in numbered.rows()
        }
        state = numbered.skipped["state of the optimiser"]
        assert len(state) >= 2 * len(keras_model.trainable_weights)

    def test_an_archive_without_weights(self, tmp_path):
        import zipfile

        with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
            archive.writestr("config.json", "{}")
        with pytest.raises(InvalidInputError, match=r"no model\.weights\.h5"):
            survey(tmp_path / "a.keras")


class TestOnnx:
    def write(self, path, **settings):
        onnx = pytest.importorskip("onnx")
        from onnx import helper, numpy_helper

        arrays = {"w": W, "half": W.astype("f2"), "low": W.astype(ml_dtypes.bfloat16)}
        tensors = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
        constant = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(V))
        graph = helper.make_graph([constant], "g", [], [], tensors)
        onnx.save(helper.make_model(graph), path, **settings)
        return arrays | {"c": V}

    def test_initialisers_and_constants(self, tmp_path):
        expected = self.write(tmp_path / "a.onnx")
        same(arrays_of(tmp_path / "a.onnx"), expected)

    def test_numbers_beside_the_model(self, tmp_path):
        pytest.importorskip("onnx")
        beside = {"save_as_external_data": True, "location": "a.data", "size_threshold": 0}
        expected = self.write(tmp_path / "a.onnx", **beside, convert_attribute=True)
        same(arrays_of(tmp_path / "a.onnx"), expected)
        rows, before = tmp_path / "rows", survey(tmp_path / "a.onnx").rows()
        assert survey(tmp_path / "a.onnx", resume=rows).rows() == before
        os.utime(tmp_path / "a.data", (1, 1))  # written anew: what was kept is stale
        assert "have changed" in survey(tmp_path / "a.onnx", resume=rows).notes[0]
        (tmp_path / "a.data").rename(tmp_path / "b.data")
        assert any("a.data" in reason for reason in survey_reasons(tmp_path / "a.onnx"))

    @pytest.mark.parametrize("place", ["../outside", "/etc/hostname", "in/side"])
    def test_no_other_file_is_opened(self, tmp_path, place):
        onnx = pytest.importorskip("onnx")
        self.write(tmp_path / "a.onnx")
        model = onnx.load(tmp_path / "a.onnx")
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=place)
        (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
        assert any("not opened" in reason for reason in survey_reasons(tmp_path / "a.onnx"))


def survey_reasons(path):
    try:
        return list(survey(path).skipped)
    except InvalidInputError as error:
        return [str(error)]


class TestFlax:
    def test_a_state_of_training(self, tmp_path):
        serialization = pytest.importorskip("flax.serialization")
        params = {"Dense_0": {"kernel": W.astype("f4"), "bias": W[0]}}
        params["low"] = {"kernel": W.astype(ml_dtypes.bfloat16)}
        state = {"step": 7, "params": params, "opt_state": {"0": {"mu": params, "nu": params}}}
        (tmp_path / "a.msgpack").write_bytes(serialization.msgpack_serialize(state))
        expected = {
            "params.Dense_0.kernel": W.astype("f4"), "params.Dense_0.bias": W[0],
            "params.low.kernel": W.astype(ml_dtypes.bfloat16),
        }  # fmt: skip
        same(arrays_of(tmp_path / "a.msgpack"), expected)
        assert set(reasons(tmp_path / "a.msgpack").values()) == {"state of the optimiser"}

    def test_chunks_are_one_array(self, tmp_path, monkeypatch):
        serialization = pytest.importorskip("flax.serialization")
        monkeypatch.setattr(serialization, "MAX_CHUNK_SIZE", 64)
        (tmp_path / "a.msgpack").write_bytes(serialization.msgpack_serialize({"v": V}))
        same(arrays_of(tmp_path / "a.msgpack"), {"v": V})

    def test_an_index_whose_names_are_other_ones_tells_of_no_lost_array(self, tmp_path):
        """As Transformers writes it, with slashes between the keys."""
        serialization = pytest.importorskip("flax.serialization")
        names = [f"flax_model-0000{number}-of-00002.msgpack" for number in (1, 2)]
        places = {}
        for layer, name in zip("ab", names, strict=True):
            tree = {"params": {layer: {"kernel": W}}}
            (tmp_path / name).write_bytes(serialization.msgpack_serialize(tree))
            places[f"params/{layer}/kernel"] = name
        index = json.dumps({"weight_map": places})
        (tmp_path / "flax_model.msgpack.index.json").write_text(index)
        same(arrays_of(tmp_path), {f"params.{layer}.kernel": W for layer in "ab"})
        assert survey(tmp_path).skipped == {}

    def test_a_series_has_its_steps(self, tmp_path):
        serialization = pytest.importorskip("flax.serialization")
        for step in (3, 20):
            data = serialization.msgpack_serialize({"step": step, "w": W})
            (tmp_path / f"{'ba'[step > 3]}.msgpack").write_bytes(data)
        assert [each.step for each in checkpoints(tmp_path)] == [3, 20]


class TestOrbax:
    @pytest.mark.parametrize("how", [{}, {"use_ocdbt": False}, {"use_zarr3": True}], ids=str)
    def test_a_tree(self, tmp_path, how):
        orbax = pytest.importorskip("orbax.checkpoint")
        tree = {"a": [W, W.astype("f4")], "low": W.astype(ml_dtypes.bfloat16), "step": 3}
        handler = orbax.PyTreeCheckpointHandler(**how)
        with orbax.Checkpointer(handler) as saver:
            saver.save(tmp_path / "a", args=orbax.args.PyTreeSave(tree))
        found = arrays_of(tmp_path / "a")
        assert found.pop("step") == 3
        expected = {"a.0": W, "a.1": W.astype("f4"), "low": W.astype(ml_dtypes.bfloat16)}
        same(found, expected)

    def test_steps_of_a_manager(self, tmp_path):
        orbax = pytest.importorskip("orbax.checkpoint")
        with orbax.CheckpointManager(tmp_path / "run") as manager:
            for step in (3, 20):
                manager.save(step, args=orbax.args.StandardSave({"w": W * step}))
            manager.wait_until_finished()
        rows = survey(tmp_path / "run").rows()
        largest = np.linalg.norm(W, 2)
        assert [(row["step"], row["name"]) for row in rows] == [(3, "w"), (20, "w")]
        np.testing.assert_allclose([r["spectral"] for r in rows], [3 * largest, 20 * largest])

    def test_a_piece_that_is_gone(self, tmp_path):
        orbax = pytest.importorskip("orbax.checkpoint")
        handler = orbax.PyTreeCheckpointHandler(use_ocdbt=False)
        with orbax.Checkpointer(handler) as saver:
            tree = {"w": W, "v": W[:3]}
            saver.save(tmp_path / "a", args=orbax.args.PyTreeSave(tree))
        (tmp_path / "a" / "v" / ".zarray").unlink()
        found = survey(tmp_path / "a")
        assert [row["name"] for row in found.rows()] == ["w"]
        assert any("TensorStore says" in reason for reason in found.skipped)


def test_gguf_is_dequantised_or_has_the_reason(tmp_path):
    gguf = pytest.importorskip("gguf")
    wide, kinds = noise((8, 256)).astype("f4"), gguf.GGMLQuantizationType
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "llama")
    writer.add_tensor("plain", wide)
    writer.add_tensor("half", wide.astype("f2"))
    expected = {"plain": wide, "half": wide.astype("f2")}
    for kind in (kinds.Q8_0, kinds.Q4_0, kinds.Q5_1, kinds.BF16):
        codes = gguf.quants.quantize(wide, kind)
        writer.add_tensor(f"{kind.name}.weight", codes, raw_dtype=kind)
        expected[f"{kind.name}.weight"] = gguf.quants.dequantize(codes, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = arrays_of(tmp_path / "a.gguf")
    same(found, expected)
    # 8 bits a number: half a step of the largest of a block of 32
    assert np.abs(found["Q8_0.weight"] - wide).max() <= np.abs(wide).max() / 254 * 1.01


@pytest.mark.parametrize(
    ("name", "library"),
    [("a.h5", "h5py"), ("a.onnx", "onnx"), ("a.msgpack", "msgpack"), ("a.gguf", "gguf")],
)
def test_a_library_that_is_not_installed_is_named(tmp_path, monkeypatch, name, library):
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / name).write_bytes(b"GGUF" * 10)
    with pytest.raises(InvalidInputError, match=f"pip install {library}"):
        survey(tmp_path / name)


class TestCacheOfHuggingFace:
    @pytest.fixture
    def cache(self, tmp_path, monkeypatch):
        """As huggingface_hub lays it out: blobs, and snapshots of links to them."""
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        home = tmp_path / "hub" / "models--org--tiny"
        for commit, factor in (("aaa111", 1.0), ("bbb222", 2.0)):
            (home / "snapshots" / commit).mkdir(parents=True)
            (home / "blobs").mkdir(exist_ok=True)
            np.savez(home / "blobs" / f"{commit}.npz", w=factor * W)
            (home / "snapshots" / commit / "model.npz").symlink_to(f"../../blobs/{commit}.npz")
        (home / "refs").mkdir()
        (home / "refs" / "main").write_text("bbb222")
        return home

    def test_by_name_branch_and_commit(self, cache):
        largest = np.linalg.norm(W, 2)
        for name, factor in (("", 2), ("@main", 2), ("@aaa", 1)):
            (row,) = survey(f"hf:org/tiny{name}").rows()
            assert row["spectral"] == pytest.approx(factor * largest)

    @pytest.mark.parametrize(
        ("name", "rule"),
        [("hf:org/other", "nothing is fetched"), ("hf:", "no hf:ORG/NAME"),
         ("hf:org/tiny@v9", "2 snapshots"), ("hf:../../x/y", "no hf:ORG/NAME"),
         ("hf:org/tiny@../../secret", "2 snapshots")],
    )  # fmt: skip
    def test_what_is_not_there_is_one_sentence(self, cache, name, rule):
        with pytest.raises(InvalidInputError, match=rule):
            survey(name)


def test_other_forms_of_one_model_are_not_a_series(tmp_path):
    (tmp_path / "onnx").mkdir()
    np.savez(tmp_path / "model.npz", w=W)
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"")
    found = survey(tmp_path)
    assert len(found.spectra) == 1
    assert found.skipped == {"another form of the model beside it": ["onnx"]}
