"""Adapters of stacked weights, `target_parameters` of peft: as peft itself merges them."""

import json

import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors

from sgdyson.checkpoints import checkpoints, survey

peft = pytest.importorskip("peft")
torch = pytest.importorskip("torch")


class Experts(torch.nn.Module):
    """Weights as (expert, out, in), or (expert, in, out) if turned; the second may be square."""

    def __init__(self, turned, wide):
        super().__init__()
        self.is_transposed = turned
        self.gate_up = torch.nn.Parameter(torch.randn(4, 6, wide))
        self.down = torch.nn.Parameter(torch.randn(4, 6, 6))


class Model(torch.nn.Module):
    def __init__(self, turned=False, wide=10):
        super().__init__()
        self.experts = Experts(turned, wide)
        self.q = torch.nn.Linear(6, 7)
        self.out = torch.nn.Linear(7, 5)


SETTINGS = {
    "all": {"target_parameters": ["experts.gate_up", "experts.down", "q.weight"]},
    "one": {"target_parameters": ["gate_up"]},
    "ranks": {
        "target_parameters": ["experts.gate_up", "experts.down"],
        "rank_pattern": {"experts.down": 3}, "alpha_pattern": {"(exp|x)erts.down": 9},
    },
    "rslora": {"target_parameters": ["q.weight", "experts.gate_up"], "use_rslora": True},
}  # fmt: skip


def adapted(folder, turned=False, wide=10, **settings):
    torch.manual_seed(0)
    base = Model(turned, wide)
    torch.save(base.state_dict(), folder / "base.pt")
    config = peft.LoraConfig(r=2, lora_alpha=5, init_lora_weights=False, target_modules=["out"],
                             **settings)  # fmt: skip
    model = peft.get_peft_model(base, config)
    model.save_pretrained(folder / "adapter")
    return {k: v.detach().numpy() for k, v in model.merge_and_unload().state_dict().items()}


@pytest.mark.filterwarnings("ignore")  # peft's own, of its experiments
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_w0_and_its_change_are_what_peft_merges(tmp_path, settings, turned):
    merged = adapted(tmp_path, turned, **settings)
    before = {k: v.numpy() for k, v in torch.load(tmp_path / "base.pt").items()}
    (one,) = checkpoints(tmp_path / "adapter", tmp_path / "base.pt")
    with one.open() as stored:
        found = {item.name: item.load() for item in stored}
    changed = {name for name, w in merged.items() if not np.array_equal(w, before[name])}
    assert set(found) == changed
    assert len(changed) == 1 + len(settings["target_parameters"])
    for name in changed:
        np.testing.assert_allclose(found[name], merged[name], atol=2e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("turned", [False, True])
def test_the_change_alone(tmp_path, turned):
    merged = adapted(tmp_path, turned, target_parameters=["experts.gate_up"])
    before = torch.load(tmp_path / "base.pt")["experts.gate_up"].numpy()
    changes = (merged["experts.gate_up"] - before).astype(float)
    (spectra,) = survey(tmp_path / "adapter").spectra
    measured = {m.name: m for m in spectra}
    assert set(measured) == {f"experts.gate_up[{e}]" for e in range(4)} | {"out.weight"}
    for e, change in enumerate(changes):
        values = np.linalg.svd(change, compute_uv=False)
        np.testing.assert_allclose(measured[f"experts.gate_up[{e}]"].singular_values, values,
                                   atol=1e-5)  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_what_no_shape_tells_is_listed(tmp_path):
    adapted(tmp_path, wide=6, target_parameters=["experts.gate_up", "experts.down"])
    found = survey(tmp_path / "adapter", base=tmp_path / "base.pt")
    (names,) = (names for reason, names in found.skipped.items() if "more than one" in reason)
    assert names == ["experts.base_layer (down or gate_up)", "experts (down or gate_up)"]
    alone = {m.name for m in survey(tmp_path / "adapter").spectra[0]}
    assert "experts (down or gate_up)[3]" in alone
    np.savez(
        tmp_path / "other.npz", **{"experts.down": noise((4, 6, 7)), "out.weight": noise((5, 7))}
    )
    other = survey(tmp_path / "adapter", base=tmp_path / "other.npz")
    assert any(reason.startswith("no parameter of the base") for reason in other.skipped)


def reason_of(folder, arrays, **config):
    write_safetensors(folder / "adapter_model.safetensors", arrays)
    usual = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_parameters": ["e.w"]}
    (folder / "adapter_config.json").write_text(json.dumps(usual | config))
    (one,) = checkpoints(folder)
    with one.open() as stored:
        return {item.reason for item in stored}.pop()


def test_what_makes_no_change_has_its_reason(tmp_path):
    good = {"e.lora_A.weight": noise((4, 6)), "e.lora_B.weight": noise((5, 4))}
    assert reason_of(tmp_path, good) is None
    assert "no products of rank 3" in reason_of(tmp_path, good, r=3)
    assert "no products" in reason_of(tmp_path, good | {"e.lora_B.weight": noise((5, 3))})
    assert "no number r" in reason_of(tmp_path, good, r=None)
    assert "use_qalora" in reason_of(tmp_path, good, use_qalora=True)
    several = {"target_parameters": ["e.w", "e.v"], "rank_pattern": {"e.v": 4}}
    assert "give the base" in reason_of(tmp_path, good, **several)
    for none in (7, [7], ["other.w"], ["e.w.x"]):
        assert "of rank 4, where" in reason_of(tmp_path, good, target_parameters=none)
