"""Adapters of low rank, written by peft: s B A and W_0 + s B A as peft itself merges them."""

import json

import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors
from typer.testing import CliRunner

from sgdyson.checkpoints import checkpoints, compare, survey
from sgdyson.cli import app
from sgdyson.errors import InvalidInputError

peft = pytest.importorskip("peft")
torch = pytest.importorskip("torch")


class Layers(torch.nn.Module):
    """One layer of each kind that peft adapts."""

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(20, 8)
        self.first = torch.nn.Linear(8, 12)
        self.second = torch.nn.Linear(12, 12, bias=False)
        self.conv = torch.nn.Conv2d(6, 10, (3, 2))
        self.head = torch.nn.Linear(12, 5)


def moved(model):
    """An adapter after some training: its norms are no longer those that it began with."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "magnitude" in name:
                weight *= torch.rand_like(weight) + 0.5
    return model


def adapted(folder, safe=True, **settings):
    """A base and its adapter in a folder, and the weights that peft merges."""
    torch.manual_seed(0)
    base = Layers()
    torch.save(base.state_dict(), folder / "base.pt")
    usual = {"lora_alpha": 5, "init_lora_weights": False,
             "target_modules": ["embed", "first", "second", "conv"]}  # fmt: skip
    config = peft.LoraConfig(r=3, modules_to_save=["head"], **usual | settings)
    model = moved(peft.get_peft_model(base, config))
    with torch.no_grad():
        model.base_model.model.head.modules_to_save["default"].weight += 1
    model.save_pretrained(folder / "adapter", safe_serialization=safe)
    torch.save(model.state_dict(), folder / "state.pt")
    return {k: v.detach().numpy() for k, v in model.merge_and_unload().state_dict().items()}


def on_base(path, base):
    """Arrays of an adapter on its base, and the reasons of what is none."""
    (one,) = checkpoints(path, base)
    with one.open() as stored:
        arrays = {item.name: item.load() for item in stored if item.reason is None}
        return arrays, {item.name: item.reason for item in stored if item.reason}


PATTERNS = {"rank_pattern": {"(?!first|conv|e)s[ec]+ond": 2},
            "alpha_pattern": {"^first": 7, r"se.*": 1, "(emb|c)(?:ed|onv)": 4}}  # fmt: skip


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize(
    "settings", [{}, {"use_rslora": True}, PATTERNS, {"use_dora": True}],
    ids=["plain", "rslora", "patterns", "dora"],
)  # fmt: skip
def test_w0_and_its_change_are_what_peft_merges(tmp_path, settings, safe):
    merged = adapted(tmp_path, safe, **settings)
    found, reasons = on_base(tmp_path / "adapter", tmp_path / "base.pt")
    wide = {name for name, array in merged.items() if array.ndim > 1}
    assert {name for name, array in found.items() if array.ndim > 1} == wide
    assert not reasons
    for name in wide:
        np.testing.assert_allclose(found[name], merged[name], atol=2e-6)


def test_the_change_alone(tmp_path):
    merged = adapted(tmp_path)
    base = {k: v.numpy() for k, v in torch.load(tmp_path / "base.pt").items()}
    found = survey(tmp_path / "adapter")
    (spectra,) = found.spectra
    assert {m.name for m in spectra} == {f"{n}.weight" for n in
                                         ("embed", "first", "second", "conv", "head")}  # fmt: skip
    for m in spectra:
        change = (merged[m.name] - base[m.name]).reshape(len(base[m.name]), -1).astype(float)
        if m.name == "head.weight":  # whole, in modules_to_save
            change = merged[m.name].astype(float)
        else:
            assert m.rank == 3
            assert m.bulk is None
        values = np.linalg.svd(change, compute_uv=False)
        np.testing.assert_allclose(m.singular_values, values, atol=1e-5)
    ((words, names),) = found.assumed.items()
    assert words == "taken as s B A of an adapter, s by adapter_config.json"
    assert len(names) == 4


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("dora", [False, True])
def test_weights_that_are_stored_as_in_out(tmp_path, dora):
    transformers = pytest.importorskip("transformers")
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        n_embd=8, n_layer=1, n_head=2, vocab_size=20, n_positions=4, bos_token_id=0,
        eos_token_id=0,
    ))  # fmt: skip
    model.save_pretrained(tmp_path / "base")
    config = peft.LoraConfig(r=2, target_modules=["c_attn", "attn.c_proj"], init_lora_weights=False,
                             fan_in_fan_out=True, use_dora=dora)  # fmt: skip
    tuned = moved(peft.get_peft_model(model, config))
    tuned.save_pretrained(tmp_path / "adapter")
    merged = tuned.merge_and_unload().state_dict()
    found, _ = on_base(tmp_path / "adapter", tmp_path / "base")
    assert set(found) == {f"transformer.h.0.attn.{n}.weight" for n in ("c_attn", "c_proj")}
    for name, array in found.items():  # the second is square: its shape tells nothing
        np.testing.assert_allclose(array, merged[name].numpy(), atol=2e-6)


def test_pairs_inside_a_state_dict_without_a_scale(tmp_path):
    adapted(tmp_path)
    found = survey(tmp_path / "state.pt")
    one = {m.name: m for m in found.spectra[0]}
    assert one["first.weight"].rank == 3
    assert one["first.base_layer.weight"].rank == 8
    (words,) = (words for words in found.assumed if "adapter" in words)
    assert words.startswith("taken as B A of an adapter, without its scale")
    scaled = {m.name: m for m in survey(tmp_path / "adapter").spectra[0]}
    assert scaled["first.weight"].spectral == pytest.approx(5 / 3 * one["first.weight"].spectral)
    _, reasons = on_base(tmp_path / "state.pt", tmp_path / "base.pt")
    assert "W_0 + s B A is not known" in reasons["first.weight"]


def test_two_adapters_of_one_layer_have_their_names(tmp_path):
    torch.manual_seed(0)
    config = peft.LoraConfig(r=2, target_modules=["first"], init_lora_weights=False)
    model = peft.get_peft_model(Layers(), config, adapter_name="maths")
    model.add_adapter("prose", config)
    torch.save(model.state_dict(), tmp_path / "state.pt")
    names = {m.name for m in survey(tmp_path / "state.pt", names="first.w*").spectra[0]}
    assert names == {"first.weight (maths)", "first.weight (prose)"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"use_qalora": True, "qalora_group_size": 2}, "use_qalora"),
     ({"init_lora_weights": "pissa"}, "W_0 is not")],
)  # fmt: skip
def test_other_changes_are_listed_with_the_reason(tmp_path, settings, reason):
    adapted(tmp_path, target_modules=["first", "second"], **settings)
    found, reasons = on_base(tmp_path / "adapter", tmp_path / "base.pt")
    assert "first.weight" not in found
    assert reason in reasons["first.weight"]


def test_factors_of_other_kinds_are_listed(tmp_path):
    model = peft.get_peft_model(Layers(), peft.LoHaConfig(r=2, target_modules=["first"]))
    model.save_pretrained(tmp_path)
    with pytest.raises(InvalidInputError, match="a factor of LOHA"):
        survey(tmp_path)


def pair(rank=2, **more):
    return {"a.lora_down.weight": noise((rank, 6)), "a.lora_up.weight": noise((5, rank), 1), **more}


def test_alpha_in_the_file(tmp_path):
    write_safetensors(tmp_path / "m.safetensors", pair(**{"a.alpha": np.array(3.0)}))
    (spectra,) = survey(tmp_path / "m.safetensors").spectra
    down, up = noise((2, 6)), noise((5, 2), 1)
    top = np.linalg.svd(1.5 * up @ down, compute_uv=False)
    np.testing.assert_allclose(spectra[0].singular_values[:2], top[:2])
    assert spectra[0].name == "a.weight"


def reason_of(folder, arrays, config=None):
    write_safetensors(folder / "adapter_model.safetensors", arrays)
    if config is not None:
        (folder / "adapter_config.json").write_text(json.dumps(config))
    (one,) = checkpoints(folder)
    with one.open() as stored:
        (item,) = (item for item in stored if item.name == "a.weight")
    return item.reason


def test_what_makes_no_product_has_its_reason(tmp_path):
    plain = {"peft_type": "LORA", "r": 2, "lora_alpha": 4}
    assert "do not multiply" in reason_of(tmp_path, pair() | {"a.lora_up.weight": noise((5, 3))})
    assert "one number" in reason_of(tmp_path, pair(**{"a.alpha": np.ones(2)}))
    assert "of rank 2, where" in reason_of(tmp_path, pair(), plain | {"r": 3})
    assert "no number lora_alpha" in reason_of(tmp_path, pair(), plain | {"lora_alpha": None})
    assert "use_qalora" in reason_of(tmp_path, pair(), plain | {"use_qalora": True})
    assert "LoCon" in reason_of(tmp_path, pair(**{"a.lora_mid.weight": noise((2, 2))}))
    odd = {"(?<=x)y": 1}
    assert "'(?<=x)y': not und" in reason_of(tmp_path, pair(), plain | {"alpha_pattern": odd})
    norms = {"a.lora_magnitude_vector": np.ones(5)}
    assert "without norms" in reason_of(tmp_path, pair(), plain | {"use_dora": True})
    assert "give the base" in reason_of(tmp_path, pair(**norms), plain | {"use_dora": True})
    few = {"a.lora_magnitude_vector": np.ones(4)}
    assert "for 5 outputs" in reason_of(tmp_path, pair(**few), plain | {"use_dora": True})
    assert "unknown axes" in reason_of(tmp_path, pair(**{"a.dora_scale": np.ones((5, 1))}), plain)
    empty = {"a.lora_down.weight": np.ones((0, 6)), "a.lora_up.weight": np.ones((5, 0))}
    assert reason_of(tmp_path, empty, plain | {"r": 0}) is not None
    assert reason_of(tmp_path, empty | {"a.alpha": np.array(1.0)}) == "empty"
    assert "no number" in reason_of(tmp_path, pair(), plain | {"lora_alpha": True})
    (tmp_path / "adapter_config.json").write_text('{"r": 2, "lora_alpha": 1e999}')
    assert "no number lora_alpha" in reason_of(tmp_path, pair())
    assert reason_of(tmp_path, pair(), plain) is None


def test_an_adapter_that_has_learnt_nothing(tmp_path):
    arrays = pair() | {"a.lora_up.weight": np.zeros((5, 2)), "b": noise((3, 3))}
    write_safetensors(tmp_path / "m.safetensors", arrays)
    assert survey(tmp_path / "m.safetensors").skipped == {
        "all zero, as an adapter is before training": ["a.weight"]
    }


def test_a_base_wants_an_adapter(tmp_path):
    adapted(tmp_path)
    with pytest.raises(InvalidInputError, match="holds no adapter"):
        survey(tmp_path / "base.pt", base=tmp_path / "base.pt")
    np.savez(tmp_path / "other.npz", w=noise((3, 3)))
    with pytest.raises(InvalidInputError, match="the base does not have"):
        survey(tmp_path / "adapter", base=tmp_path / "other.npz", names="first*")


def test_the_commands(tmp_path):
    adapted(tmp_path)
    base = str(tmp_path / "base.pt")
    done = CliRunner().invoke(app, ["spectrum", str(tmp_path / "adapter"), "--base", base])
    assert done.exit_code == 0
    assert "W_0 + s B A, W_0 of the base" in done.stderr
    found = compare(tmp_path / "adapter", base, base=base)
    ranks = {each.name: each.change.rank for each in found.distances if each.change}
    assert {ranks[f"{name}.weight"] for name in ("embed", "first", "second", "conv")} == {3}
    alone = compare(tmp_path / "adapter", base)
    assert [each.name for each in alone.distances] == ["head.weight"]
    assert any("give its base" in reason for reason in alone.skipped)


def test_two_adapters_of_one_base(tmp_path):
    """Held against each other they differ by the difference of their changes."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = adapted(tmp_path / "a")
    two = adapted(tmp_path / "b", lora_alpha=10)
    places = [tmp_path / each / "adapter" for each in "ab"]
    found = compare(*places, base=tmp_path / "a" / "base.pt")
    by_name = {each.name: each for each in found.distances}
    for name in ("first.weight", "second.weight"):
        expected = np.linalg.norm(one[name] - two[name]) / np.linalg.norm(two[name])
        assert by_name[name].distance == pytest.approx(expected, rel=1e-4)
    alone = {each.name: each for each in compare(*places).distances}  # B A and 2 B A
    assert alone["first.weight"].distance == pytest.approx(0.5)


def test_when_a_fine_tuning_steps_out_of_the_base(tmp_path):
    """W_0 is noise, B A grows: it is seen at the third checkpoint, and never in B A itself."""
    random = np.random.default_rng(0)
    base, a, b = (random.standard_normal(shape) for shape in ((60, 40), (1, 40), (60, 1)))
    write_safetensors(tmp_path / "base.safetensors", {"a.weight": base})
    for step in (1, 2, 3, 4):
        folder = tmp_path / "run" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        size = (0.02 if step < 3 else 1.0) * b / np.linalg.norm(b) * 20 / np.linalg.norm(a)
        factors = {"a.lora_A.weight": a, "a.lora_B.weight": size}
        write_safetensors(folder / "adapter_model.safetensors", factors)
        config = {"peft_type": "LORA", "r": 1, "lora_alpha": 1}
        (folder / "adapter_config.json").write_text(json.dumps(config))
    arguments = [str(tmp_path / "run"), "--csv", "--base", str(tmp_path / "base.safetensors")]
    done = CliRunner().invoke(app, ["emergence", *arguments])
    assert done.exit_code == 0, done.exception
    head, row = done.stdout.splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True))["step"] == "2.5"
    with pytest.raises(InvalidInputError, match="no matrix with a bulk"):
        CliRunner().invoke(app, ["emergence", arguments[0]], catch_exceptions=False)
