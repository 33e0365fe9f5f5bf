"""What matrices do, by the names that frameworks give them."""

import numpy as np
import pytest
from typer.testing import CliRunner

from sgdyson.checkpoints import survey
from sgdyson.cli import app
from sgdyson.errors import InvalidInputError
from sgdyson.spectra import ROLES, role_of

NAMES = {
    "embedding": [
        "transformer.wte.weight", "bert.embeddings.word_embeddings.weight", "token_embd.weight",
        "shared.weight", "params/Embed_0/embedding", "model.embed_tokens.weight",
    ],
    "attention": [
        "transformer.h.0.attn.c_attn.weight", "transformer.h.0.attn.c_proj.weight",
        "bert.encoder.layer.0.attention.output.dense.weight", "blk.0.attn_q.weight",
        "encoder.block.0.layer.0.SelfAttention.o.weight",
        "transformer.layers.0.self_attn.in_proj_weight",
        "params/MultiHeadDotProductAttention_0/query/kernel", "down_blocks.0.to_q.weight",
    ],
    "mlp": [
        "transformer.h.0.mlp.c_proj.weight", "bert.encoder.layer.0.output.dense.weight",
        "encoder.block.0.layer.1.DenseReluDense.wo.weight", "blk.0.ffn_down.weight",
        "layers.0.fc1.weight",
        "model.layers.0.block_sparse_moe.experts.0.w1.weight", "layers.3.feed_forward.w2.weight",
    ],
    "convolution": [
        "conv1.weight", "params/Conv_0/kernel", "resnet.embedder.embedder.convolution.weight",
    ],
    "recurrent": [
        "lstm.weight_hh_l0", "layers/gru/gru_cell/recurrent_kernel",
        "backbone.layers.0.mixer.in_proj.weight",
    ],
    "head": ["lm_head.weight", "classifier.1.weight", "fc.weight", "output.weight"],
    "other": ["net.0.weight", "bert.pooler.dense.weight", "kernel/value", "w"],
}  # fmt: skip


@pytest.mark.parametrize("role", NAMES)
def test_names_of_frameworks(role):
    assert {name: role_of(name) for name in NAMES[role]} == dict.fromkeys(NAMES[role], role)
    assert set(NAMES) == set(ROLES)


def test_axes_tell_where_names_do_not():
    assert role_of("layer1.0.weight", (8, 3, 3, 3)) == "convolution"
    assert role_of("layer1.0.weight", (8, 3)) == "other"


def test_every_matrix_of_a_transformer_has_its_role():
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2,
        vocab_size=20,
    )  # fmt: skip
    names = [n for n, w in transformers.LlamaForCausalLM(config).state_dict().items() if w.ndim > 1]
    roles = [role_of(name) for name in names]
    assert {role: roles.count(role) for role in set(roles)} == {
        "embedding": 1, "attention": 8, "mlp": 6, "head": 1,
    }  # fmt: skip


def test_matrices_are_chosen_by_role(tmp_path):
    random, path = np.random.default_rng(0), tmp_path / "m.npz"
    names = ["h.0.attn.w", "h.0.mlp.w", "h.1.attn.w", "lm_head.weight"]
    np.savez(path, **{name: random.standard_normal((6, 5)) for name in names})
    found = survey(path, roles="attention")
    assert [m.name for m in found.spectra[0]] == ["h.0.attn.w", "h.1.attn.w"]
    assert found.notes == ["left out 2 that were not chosen"]
    both = survey(path, roles=["attention", "mlp"], names="h.0.*")
    assert [m.name for m in both.spectra[0]] == ["h.0.attn.w", "h.0.mlp.w"]
    with pytest.raises(InvalidInputError, match="roles = 'attn' is none of embedding"):
        survey(path, roles="attn")
    with pytest.raises(InvalidInputError, match="there are attention, head, mlp"):
        survey(path, roles="recurrent")
    done = CliRunner().invoke(app, ["spectrum", str(path), "--roles", "head"])
    assert "lm_head.weight" in done.stdout
    assert "h.0.mlp.w" not in done.stdout
