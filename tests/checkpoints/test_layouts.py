"""Which axes of an array are rows, which are columns, and which are a stack of matrices."""

import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors

from sgdyson.checkpoints import survey
from sgdyson.errors import InvalidInputError
from sgdyson.spectra import Skipped, layout_of, weight_matrices
from sgdyson.tracking import Tracker, matrices_of, open_run


def taken(arrays, **settings):
    found = weight_matrices(list(arrays.items()), **settings)
    return dict(part for part in found if not isinstance(part, Skipped))


def shapes_of(arrays, **settings):
    return {name: matrix.shape for name, matrix in taken(arrays, **settings).items()}


def values(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


CASES = {  # name, shape, the matrices it is, biases beside it
    "torch conv": ("conv.weight", (8, 3, 5, 5), {"conv.weight": (8, 75)}, {}),
    "torch conv1d": ("conv.weight", (8, 3, 5), {"conv.weight": (8, 15)}, {"conv.bias": (8,)}),
    "torch conv3d": ("c.weight", (8, 3, 5, 5, 5), {"c.weight": (8, 375)}, {}),
    "conv of a feed-forward": ("ffn.w_1.weight", (64, 16, 9), {"ffn.w_1.weight": (64, 144)}, {}),
    "flax conv": ("Conv_0.kernel", (3, 3, 1, 8), {"Conv_0.kernel": (8, 9)}, {}),
    "nnx conv": ("conv.kernel.value", (3, 3, 2, 8), {"conv.kernel.value": (8, 18)}, {}),
    "keras conv": ("s/conv2d/kernel", (3, 3, 1, 8), {"s/conv2d/kernel": (8, 9)}, {}),
    "tensorflow": ("conv/kernel:0", (3, 3, 1, 8), {"conv/kernel:0": (8, 9)}, {}),
    "haiku conv": ("conv2_d.w", (3, 3, 2, 8), {"conv2_d.w": (8, 18)}, {}),
    "flax conv1d": ("Conv_0.kernel", (3, 5, 6), {"Conv_0.kernel": (6, 15)}, {"Conv_0.bias": (6,)}),
    "conv1d of any name": ("stem.kernel", (3, 5, 6), {"stem.kernel": (6, 15)}, {"stem.bias": (6,)}),
    "depthwise": ("s/depthwise_conv2d/kernel", (3, 3, 8, 2),
                  {"s/depthwise_conv2d/kernel": (16, 9)}, {}),
    "separable": ("s/separable_conv2d/depthwise_kernel", (3, 3, 5, 2),
                  {"s/separable_conv2d/depthwise_kernel": (10, 9)}, {}),
    "pointwise": ("s/separable_conv2d/pointwise_kernel", (1, 1, 5, 4),
                  {"s/separable_conv2d/pointwise_kernel": (4, 5)}, {}),
    "flax transposed": ("ConvTranspose_0.kernel", (3, 3, 8, 5),
                        {"ConvTranspose_0.kernel": (8, 45)}, {}),
    "keras transposed": ("conv2d_transpose/kernel", (3, 3, 5, 8),
                         {"conv2d_transpose/kernel": (8, 45)}, {}),
    "dense": ("Dense_0.kernel", (6, 3), {"Dense_0.kernel": (6, 3)}, {}),
    "query": ("att.query.kernel", (6, 2, 4), {"att.query.kernel": (6, 8)}, {}),
    "output": ("attention.out.kernel", (2, 4, 6), {"attention.out.kernel": (8, 6)}, {}),
    "keras output": ("multi_head_attention/attention_output/kernel", (2, 4, 6),
                     {"multi_head_attention/attention_output/kernel": (8, 6)}, {}),
    "into several axes": ("lg.kernel", (6, 2, 4), {"lg.kernel": (6, 8)}, {"lg.bias": (2, 4)}),
    "scanned query": ("S.SelfAttention_0.query.kernel", (2, 6, 2, 3),
                      {f"S.SelfAttention_0.query.kernel[{n}]": (6, 6) for n in range(2)}, {}),
    "scanned output": ("S.SelfAttention_0.out.kernel", (2, 2, 3, 6),
                       {f"S.SelfAttention_0.out.kernel[{n}]": (6, 6) for n in range(2)}, {}),
    "scanned dense": ("S.up_proj.kernel", (4, 6, 7),
                      {f"S.up_proj.kernel[{n}]": (6, 7) for n in range(4)},
                      {"S.up_proj.bias": (4, 7)}),
    "scanned dense without bias": ("S.up_proj.kernel", (4, 6, 7),
                                   {f"S.up_proj.kernel[{n}]": (6, 7) for n in range(4)}, {}),
    "scanned conv": ("S.Conv_0.kernel", (4, 3, 3, 2, 5),
                     {f"S.Conv_0.kernel[{n}]": (5, 18) for n in range(4)},
                     {"S.Conv_0.bias": (4, 5)}),
    "experts": ("mlp.experts.gate_up_proj", (4, 16, 12),
                {f"mlp.experts.gate_up_proj[{n}]": (16, 12) for n in range(4)}, {}),
    "experts called weight": ("moe.input_linear.weight", (4, 9, 8),
                              {f"moe.input_linear.weight[{n}]": (9, 8) for n in range(4)}, {}),
    "linear of experts": ("mlp.input_linear.weight", (4, 9, 8),
                          {f"mlp.input_linear.weight[{n}]": (9, 8) for n in range(4)}, {}),
    "biases of experts": ("experts.down_proj", (4, 9, 8),
                          {f"experts.down_proj[{n}]": (9, 8) for n in range(4)},
                          {"experts.down_proj_bias": (4, 8)}),
    "positions": ("vit.pos_embed", (1, 17, 8), {"vit.pos_embed": (17, 8)}, {}),
    "class token": ("vit.cls_token", (1, 1, 8), {}, {}),
    "scanned experts": ("mlp.experts.wi_0", (2, 3, 5, 4),
                        {f"mlp.experts.wi_0[{i},{j}]": (5, 4) for i in range(2) for j in range(3)},
                        {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_matrices_of_an_array(case):
    name, shape, expected, biases = CASES[case]
    arrays = {name: noise(shape)} | {bias: np.ones(size) for bias, size in biases.items()}
    assert shapes_of(arrays) == expected


def test_entries_come_to_their_places():
    """A stride, a transpose and a stack, each with what the layer computes beside it."""
    kernel, patch = noise((3, 3, 2, 8)), noise((3, 3, 2), 1)
    (conv,) = taken({"Conv_0.kernel": kernel}).values()
    exact = np.einsum("abi,abio->o", patch, kernel)
    np.testing.assert_allclose(conv @ patch.ravel(), exact)
    torch_kernel = kernel.transpose(3, 2, 0, 1)
    (same,) = taken({"conv.weight": torch_kernel}).values()
    np.testing.assert_allclose(values(conv), values(same))
    query, x = noise((6, 2, 4)), noise(6, 1)
    (matrix,) = taken({"att.query.kernel": query}).values()
    np.testing.assert_allclose((x @ matrix).reshape(2, 4), np.einsum("i,ihk->hk", x, query))
    out, heads = noise((2, 4, 6)), noise((2, 4), 1)
    (matrix,) = taken({"attention.out.kernel": out}).values()
    np.testing.assert_allclose(heads.ravel() @ matrix, np.einsum("hk,hko->o", heads, out))
    stack = noise((4, 5, 6))
    for number, matrix in enumerate(taken({"experts.w1": stack}).values()):
        np.testing.assert_array_equal(matrix, stack[number])


def test_a_layout_by_hand():
    array = {"x.weight": noise((3, 4, 5))}
    assert shapes_of(array, layout="torch") == {"x.weight": (3, 20)}
    assert shapes_of(array, layout="channels_last") == {"x.weight": (5, 12)}
    assert shapes_of(array, layout="stack") == {f"x.weight[{n}]": (4, 5) for n in range(3)}
    both = array | {"y.weight": noise((3, 4, 5))}
    assert set(shapes_of(both, layout={"y.weight": "channels_last"}).values()) == {(3, 20), (5, 12)}
    with pytest.raises(InvalidInputError, match="'chw' is none of auto, torch"):
        shapes_of(array, layout="chw")
    with pytest.raises(InvalidInputError, match="none of"):
        layout_of("x", (2, 3, 4), "")


def test_one_bad_matrix_of_a_stack_is_named():
    stack = noise((3, 4, 5))
    stack[1] = 0
    parts = list(weight_matrices([("experts.w1", stack)]))
    assert [p.name if isinstance(p, Skipped) else p[0] for p in parts] == [
        "experts.w1[0]", "experts.w1[1]", "experts.w1[2]",
    ]  # fmt: skip
    assert isinstance(parts[1], Skipped)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_weights_are_told_and_never_cast(dtype):
    (part,) = weight_matrices([("w", noise((4, 3)).astype(dtype))])
    assert "complex numbers" in part.reason


def test_what_numpy_does_not_take_is_told():
    class Key:
        shape = ()

        def __array__(self, dtype=None, copy=None):
            raise TypeError("no numbers")

    parts = list(weight_matrices([("key", Key()), ("w", noise((4, 3)))]))
    assert isinstance(parts[0], Skipped)
    assert parts[1][0] == "w"


def test_a_tracker_goes_by_the_same_rule(tmp_path):
    conv, stack = noise((3, 3, 1, 8)), noise((4, 6, 7))
    weights = {"conv": {"kernel": conv}, "scan": {"kernel": stack, "bias": np.zeros((4, 7))}}
    with Tracker(tmp_path / "run.zarr", every=1) as tracker:
        tracker.update(0, weights)
    run = open_run(tmp_path / "run.zarr")
    exact = {"conv.kernel": values(conv.reshape(9, 8).T)}
    exact |= {f"scan.kernel[{n}]": values(stack[n]) for n in range(4)}
    found = {name: run[f"s_{key}"].values[0] for name, key in matrices_of(run).items()}
    assert list(found) == list(exact)
    for name, s in found.items():
        np.testing.assert_allclose(s, exact[name], rtol=1e-12)
    with Tracker(tmp_path / "by-hand.zarr", every=1, layout="torch") as tracker:
        tracker.update(0, weights)
    assert list(matrices_of(open_run(tmp_path / "by-hand.zarr"))) == ["conv.kernel", "scan.kernel"]
    with pytest.raises(InvalidInputError, match="none of auto"):
        Tracker(tmp_path / "c.zarr", layout="chw")


def test_what_is_assumed_is_told_once_a_matrix(tmp_path):
    for step in (1, 2):
        arrays = {"conv.weight": noise((8, 3, 5, 5)), "mlp.experts.w1": noise((2, 5, 4)),
                  "fc.weight": noise((5, 4))}  # fmt: skip
        write_safetensors(tmp_path / f"step{step}.safetensors", arrays)
    found = survey(tmp_path)
    assert found.assumed == {
        "taken as a convolution (out, in, *kernel)": ["conv.weight"],
        "taken as a stack of matrices along the first axis": ["mlp.experts.w1"],
    }
    assert sum("conv.weight" in sentence for sentence in found.sentences()) == 1


class TestFrameworks:
    """The shapes that the frameworks themselves make."""

    def test_flax_linen(self):
        nn = pytest.importorskip("flax.linen")
        jax = pytest.importorskip("jax")
        from sgdyson.tracking._arrays import named_arrays

        class Net(nn.Module):
            @nn.compact
            def __call__(self, x):
                x = nn.Conv(8, (3, 3))(x).reshape(1, -1, 8)
                x = nn.MultiHeadDotProductAttention(num_heads=2, qkv_features=6)(x, x)
                return nn.Dense(5)(x)

        arrays = named_arrays(Net().init(jax.random.key(0), np.ones((1, 4, 4, 1))))
        found = dict(p for p in weight_matrices(arrays) if not isinstance(p, Skipped))
        sizes = {name.removeprefix("params."): m.shape for name, m in found.items()}
        heads = "MultiHeadDotProductAttention_0"
        assert sizes == {
            "Conv_0.kernel": (8, 9), "Dense_0.kernel": (8, 5),
            **{f"{heads}.{part}.kernel": (8, 6) for part in ("query", "key", "value")},
            f"{heads}.out.kernel": (6, 8),
        }  # fmt: skip

    def test_flax_nnx_stacked(self):
        nnx = pytest.importorskip("flax.nnx")
        from sgdyson.tracking._arrays import named_arrays

        make = nnx.split_rngs(splits=4)(nnx.vmap(lambda rngs: nnx.Linear(6, 7, rngs=rngs)))
        arrays = named_arrays(nnx.state(make(nnx.Rngs(0)), nnx.Param))
        found = [p for p in weight_matrices(arrays) if not isinstance(p, Skipped)]
        assert [matrix.shape for _, matrix in found] == [(6, 7)] * 4

    def test_experts_of_transformers(self):
        transformers = pytest.importorskip("transformers")
        config = transformers.MixtralConfig(
            hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=1, vocab_size=20, num_local_experts=3,
        )  # fmt: skip
        model = transformers.MixtralForCausalLM(config)
        arrays = [(n, p.detach().numpy()) for n, p in model.named_parameters()]
        found = dict(p for p in weight_matrices(arrays) if not isinstance(p, Skipped))
        experts = {n: m for n, m in found.items() if "experts" in n}
        assert len(experts) in (6, 9)  # gate and up together, or apart
        assert all(16 in m.shape and max(m.shape) <= 48 for m in experts.values())
