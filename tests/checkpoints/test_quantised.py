"""Codes of quantised weights: times their scales, or listed with the reason; never bare."""

import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors

from sgdyson.checkpoints import survey
from sgdyson.errors import InvalidInputError

FP8 = ml_dtypes.float8_e4m3fn


def quantised(w, block, kind=FP8, top=448.0):
    """Codes and scales of blocks, and the weights that they stand for."""
    rows, columns = (-(-size // b) for size, b in zip(w.shape, block, strict=True))
    padded = np.zeros((rows * block[0], columns * block[1]))
    padded[: w.shape[0], : w.shape[1]] = w
    blocks = padded.reshape(rows, block[0], columns, block[1])
    scales = (np.abs(blocks).max((1, 3)) / top).astype(np.float32)
    codes = (blocks / scales[:, None, :, None]).reshape(padded.shape)
    codes = (np.rint(codes) if kind == np.int8 else codes).astype(kind)
    back = codes.astype(float).reshape(blocks.shape) * scales[:, None, :, None]
    cut = tuple(slice(0, size) for size in w.shape)
    return codes[cut], scales, back.reshape(padded.shape)[cut]


def rough(shape, seed=0):
    """Weights whose scale varies over the matrix, so that codes have another spectrum."""
    random = np.random.default_rng(seed)
    return noise(shape, seed) * np.exp(random.standard_normal(shape[0]))[:, None]


def measured(path):
    return {m.name: m.singular_values for m in survey(path).spectra[0]}


def exact(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


SHAPES = {
    "tensor": ((40, 30), (40, 30), ()),
    "tensor, one axis": ((40, 30), (40, 30), (1,)),
    "row": ((40, 30), (1, 30), None),
    "row, one axis": ((40, 30), (1, 30), (40,)),
    "column": ((40, 30), (40, 1), None),
    "equal blocks": ((40, 30), (10, 15), None),
    "groups of a row": ((40, 30), (1, 10), None),
    "blocks of 128": ((256, 384), (128, 128), None),
    "blocks of 128, the last ones cut": ((300, 200), (128, 128), None),
    "blocks of 128, one axis cut": ((300, 100), (128, 128), None),
}


@pytest.mark.parametrize("case", SHAPES)
@pytest.mark.parametrize("name", ["weight_scale", "weight_scale_inv"])
def test_scales_of_every_shape(tmp_path, case, name):
    shape, block, flat = SHAPES[case]
    codes, scales, back = quantised(rough(shape), block)
    scales = scales if flat is None else scales.reshape(flat)
    path = tmp_path / "a.safetensors"
    write_safetensors(path, {"l.weight": codes, f"l.{name}": scales})
    found = measured(path)
    assert list(found) == ["l.weight"]
    np.testing.assert_allclose(found["l.weight"], exact(back), rtol=1e-9, atol=1e-12)
    assert abs(exact(codes.astype(float))[0] / exact(back)[0] - 1) > 0.5  # power: codes are others


@pytest.mark.parametrize("names", [
    ("l.weight", "l.weight_scale"), ("l.weight", "l.scale_weight"), ("l.weight", "l.weight.scale"),
    ("l.weight", "l.scale"), ("l.gate_up_proj", "l.gate_up_proj_scale"),
])  # fmt: skip
@pytest.mark.parametrize("kind", [FP8, ml_dtypes.float8_e5m2, np.int8])
def test_names_and_types(tmp_path, names, kind):
    codes, scales, back = quantised(rough((24, 20)), (1, 20), kind, 100.0)
    path = write_safetensors(
        tmp_path / "a.safetensors", dict(zip(names, (codes, scales), strict=True))
    )
    found = measured(path)
    assert list(found) == [names[0]]
    np.testing.assert_allclose(found[names[0]], exact(back), rtol=1e-9, atol=1e-12)


def test_scales_of_other_types_and_in_torch_order(tmp_path):
    codes, scales, _ = quantised(rough((24, 20)), (1, 20))
    powers = 2.0 ** np.round(np.log2(scales))
    for kind in (ml_dtypes.bfloat16, ml_dtypes.float8_e8m0fnu):
        path = write_safetensors(
            tmp_path / "a.safetensors", {"w": codes, "w_scale": powers.astype(kind)}
        )
        np.testing.assert_allclose(
            measured(path)["w"], exact(codes.astype(float) * powers), rtol=1e-9, atol=1e-12
        )


def test_int8_of_bitsandbytes(tmp_path):
    """Rows of codes from -127 to 127, and the largest entry of each row beside them."""
    w = rough((24, 20))
    largest = np.abs(w).max(axis=1).astype(np.float32)
    codes = np.rint(w / largest[:, None] * 127).astype(np.int8)
    path = write_safetensors(tmp_path / "a.safetensors", {"l.weight": codes, "l.SCB": largest})
    np.testing.assert_allclose(
        measured(path)["l.weight"], exact(codes * (largest[:, None] / 127.0)), rtol=1e-6
    )


def test_experts_each_with_scales(tmp_path):
    parts = [quantised(rough((24, 20), seed), (8, 10)) for seed in range(3)]
    codes, scales, back = (np.stack(values) for values in zip(*parts, strict=True))
    path = tmp_path / "a.safetensors"
    write_safetensors(path, {"experts.w1": codes, "experts.w1_scale_inv": scales})
    for number, s in enumerate(measured(path).values()):
        np.testing.assert_allclose(s, exact(back[number]), rtol=1e-9, atol=1e-12)


def test_scales_in_another_shard_and_in_one_that_is_missing(tmp_path):
    codes, scales, back = quantised(rough((24, 20)), (8, 10))
    first, second = (tmp_path / f"model-0000{n}-of-00002.safetensors" for n in (1, 2))
    write_safetensors(first, {"l.weight": codes, "k.weight": noise((5, 4))})
    write_safetensors(second, {"l.weight_scale_inv": scales})
    np.testing.assert_allclose(measured(tmp_path)["l.weight"], exact(back), rtol=1e-9, atol=1e-12)
    (tmp_path / "model.safetensors.index.json").write_text(
        '{"weight_map": {"l.weight_scale_inv": "model-00002-of-00002.safetensors"}}'
    )
    second.unlink()
    found = survey(tmp_path)
    assert [m.name for m in found.spectra[0]] == ["k.weight"]
    assert found.skipped["float8_e4m3fn codes, whose scale is in a missing shard"] == ["l.weight"]
    assert found.skipped["a shard that is missing"] == [second.name]


@pytest.mark.parametrize("scales", [
    np.ones((3, 7), np.float32), np.ones(5, np.float32), np.full(24, np.nan, np.float32),
    np.ones((0, 2), np.float32), np.ones((2, 2, 2), np.float32), ("F4", (4,), b"\0\0"),
])  # fmt: skip
def test_scales_that_do_not_fit(tmp_path, scales):
    codes, _, _ = quantised(rough((24, 20)), (1, 20))
    path = tmp_path / "a.safetensors"
    write_safetensors(path, {"l.weight": codes, "l.weight_scale": scales, "w": noise((5, 4))})
    found = survey(path)
    assert [m.name for m in found.spectra[0]] == ["w"]
    assert any("codes" in reason for reason, names in found.skipped.items() if "l.weight" in names)


def test_float8_without_scales(tmp_path):
    """Cast, and nothing else, in the whole file; left out where others have scales."""
    codes, scales, _ = quantised(rough((24, 20)), (1, 20))
    plain = noise((24, 20)).astype(FP8)
    path = tmp_path / "a.safetensors"
    write_safetensors(path, {"w": plain})
    np.testing.assert_allclose(measured(path)["w"], exact(plain.astype(float)), rtol=1e-9)
    assert survey(path).assumed["float8_e4m3fn without scales, taken as it is"] == ["w"]
    write_safetensors(path, {"w": plain, "l.weight": codes, "l.weight_scale": scales})
    found = survey(path)
    assert [m.name for m in found.spectra[0]] == ["l.weight"]
    assert found.skipped["float8_e4m3fn codes without a scale beside them"] == ["w"]


half = np.float16
PACKED = {
    "GPTQ": {"l.qweight": np.ones((4, 8), np.int32), "l.qzeros": np.ones((2, 1), np.int32),
             "l.scales": noise((2, 8)).astype(half), "l.g_idx": np.ones(32, np.int32)},
    "MXFP4": {"l.down_proj_blocks": np.ones((2, 8, 4, 16), np.uint8),
              "l.down_proj_scales": np.ones((2, 8, 4), np.uint8)},
    "bitsandbytes": {"l.weight": np.ones((80, 1), np.uint8),
                     "l.weight.absmax": np.ones(4, np.float32),
                     "l.weight.quant_map": np.ones(16, np.float32)},
    "compressed-tensors": {"l.weight_packed": np.ones((8, 4), np.int32),
                           "l.weight_scale": noise((8, 2)).astype(half)},
    "NVFP4": {"l.weight": np.ones((8, 4), np.uint8), "l.weight_scale": np.ones((8, 2), np.uint8),
              "l.weight_scale_2": np.ones(1, np.float32)},
}  # fmt: skip


@pytest.mark.parametrize("name", PACKED)
def test_packed_codes_and_their_scales_are_listed(tmp_path, name):
    path = tmp_path / "a.safetensors"
    found = survey(write_safetensors(path, PACKED[name] | {"w": noise((5, 4))}))
    assert [m.name for m in found.spectra[0]] == ["w"]
    assert {n for names in found.skipped.values() for n in names} == set(PACKED[name])
    assert any("packed" in reason for reason in found.skipped)
    write_safetensors(path, PACKED[name])
    with pytest.raises(InvalidInputError, match="packed"):
        survey(path)


def test_what_is_called_scale_and_is_a_weight(tmp_path):
    path = write_safetensors(tmp_path / "a.safetensors", {"scale.weight": noise((5, 4))})
    assert list(measured(path)) == ["scale.weight"]
