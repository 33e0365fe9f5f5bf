"""PyTorch files: what is a tensor is read, what is not has its reason, nothing is run."""

import argparse
import contextlib
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import noise

from sgdyson.checkpoints import survey
from sgdyson.errors import InvalidInputError

torch = pytest.importorskip("torch")


def saved(path, content, **settings):
    torch.save(content, path, **settings)
    return path


@contextlib.contextmanager
def quiet():
    """Without what PyTorch says of its own betas and of what it will drop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def weights(seed=0, shape=(6, 5)):
    return torch.tensor(noise(shape, seed))


def names_of(found):
    return [m.name for m in found.spectra[0]]


def skipped(found):
    return {name: reason for reason, names in found.skipped.items() for name in names}


ODD = {
    "dtype": (lambda: torch.float32, None),
    "sparse": (lambda: torch.eye(4).to_sparse(), "sparse"),
    "csr": (lambda: torch.eye(4).to_sparse_csr(), "sparse"),
    "meta": (lambda: torch.empty(4, 4, device="meta"), "meta"),
    "complex": (lambda: torch.eye(4, dtype=torch.complex64), "complex"),
    "conjugate": (lambda: torch.eye(4, dtype=torch.complex64).conj(), "complex"),
    "nested": (lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "nested"),
    "expanded": (lambda: torch.ones(1, 1).expand(100_000, 100_000), "1 stored"),
    "integers": (lambda: torch.ones(4, 4, dtype=torch.int32), "no real"),
    "a scalar": (lambda: torch.tensor(3.0), "a single number"),
    "a number": (lambda: 3, None),
    "text": (lambda: "hello", None),
    "an empty list": (lambda: [], None),
    "an object": (lambda: argparse.Namespace(rate=0.1), "another package"),
    "a path": (lambda: Path("x"), "another package"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_item_hides_no_tensor(tmp_path, name):
    make, reason = ODD[name]
    with quiet():
        path = saved(tmp_path / "a.pt", {"first": weights(), "odd": make(), "w": weights(1)})
    found = survey(path)
    assert names_of(found) == ["first", "w"]
    told = {n: r for n, r in skipped(found).items() if n.startswith("odd")}
    assert len(told) == (reason is not None)
    assert all(reason in text for text in told.values())


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn",
                                   "float8_e5m2"])  # fmt: skip
def test_every_precision(tmp_path, dtype):
    w = weights().to(getattr(torch, dtype))
    (spectra,) = survey(saved(tmp_path / "a.pt", {"w": w})).spectra
    exact = torch.linalg.svdvals(w.double()).numpy()
    np.testing.assert_allclose(spectra[0].singular_values, exact, rtol=1e-12)


@pytest.mark.parametrize("per_row", [False, True])
def test_a_quantised_tensor_is_what_it_stands_for(tmp_path, per_row):
    w, scales, zeros = weights().float(), torch.linspace(0.01, 0.03, 6), torch.zeros(6).long()
    with quiet():
        if per_row:
            q = torch.quantize_per_channel(w, scales, zeros, 0, torch.qint8)
        else:
            q = torch.quantize_per_tensor(w, 0.02, 3, torch.quint8)
    (spectra,) = survey(saved(tmp_path / "a.pt", {"w": q})).spectra
    exact = torch.linalg.svdvals(q.dequantize().double()).numpy()
    np.testing.assert_allclose(spectra[0].singular_values, exact, rtol=1e-10)


def test_containers_of_any_kind_and_depth(tmp_path):
    content = {"params": [weights(), {"inner": (weights(1), weights(2))}], 7: weights(3)}
    assert names_of(survey(saved(tmp_path / "a.pt", content))) == [
        "params.0", "params.1.inner.0", "params.1.inner.1", "7",
    ]  # fmt: skip


def test_a_container_in_itself_or_in_many_places_is_met_once(tmp_path):
    inner = {"w": weights()}
    for _ in range(40):  # 2^40 ways to the tensor
        inner = {"a": inner, "b": inner}
    inner["self"] = inner
    found = survey(saved(tmp_path / "a.pt", inner))
    assert len(names_of(found)) == 1
    assert "the same as the whole" in skipped(found).values()


def test_one_model_container_names_nothing_and_two_do(tmp_path):
    one = {"state_dict": {"w": weights()}, "epoch": 3}
    assert names_of(survey(saved(tmp_path / "a.pt", one))) == ["w"]
    nested = {"model": {"state_dict": {"w": weights()}, "arguments": {"width": 5}}, "history": []}
    assert names_of(survey(saved(tmp_path / "c.pt", nested))) == ["w"]
    two = one | {"model": {"w": weights(1)}}
    assert names_of(survey(saved(tmp_path / "b.pt", two))) == ["state_dict.w", "model.w"]


def test_tied_weights_are_measured_once(tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(5, 6), torch.nn.Linear(5, 6))
    model[1].weight = model[0].weight
    state = model.state_dict() | {"turned": model[0].weight.t(), "part": model[0].weight[:3]}
    found = survey(saved(tmp_path / "a.pt", dict(state)))
    assert names_of(found) == ["0.weight", "part"]
    assert skipped(found)["1.weight"] == skipped(found)["turned"] == "tied to 0.weight"


@pytest.mark.parametrize(
    "kind", ["Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "Adadelta", "NAdam"]
)
def test_state_of_an_optimiser_is_no_weights(tmp_path, kind):
    model = torch.nn.Linear(5, 6)
    settings = {"momentum": 0.9} if kind in ("SGD", "RMSprop") else {}
    settings |= {"amsgrad": True} if kind in ("Adam", "AdamW") else {}
    optimizer = getattr(torch.optim, kind)(model.parameters(), 0.1, **settings)
    model(torch.ones(2, 5)).sum().backward()
    optimizer.step()
    together = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    assert names_of(survey(saved(tmp_path / "a.pt", together))) == ["weight"]
    lightning = {"state_dict": model.state_dict(), "optimizer_states": [optimizer.state_dict()]}
    assert names_of(survey(saved(tmp_path / "b.ckpt", lightning))) == ["weight"]
    with pytest.raises(InvalidInputError, match="state of the optimiser: state"):
        survey(saved(tmp_path / "alone.pt", optimizer.state_dict()))


def test_a_moving_average_is_measured_and_told(tmp_path):
    content = {"model": {"w": weights()}, "model_ema": {"w": weights(1)}}
    found = survey(saved(tmp_path / "a.pt", content))
    assert names_of(found) == ["w", "model_ema.w"]
    assert found.assumed["moving averages of weights, by their name"] == ["model_ema.w"]


class Malicious:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("program", ["system", "eval", "touch", "class"])
def test_no_program_is_run(tmp_path, program, zipped):
    """Also none that stands beside good weights, in a zip file or in an older one."""
    import os

    mark = tmp_path / "was_run"
    value = {
        "system": Malicious(os.system, f"touch {mark}"),
        "eval": Malicious(eval, f"open({str(mark)!r}, 'w')"),
        "touch": Malicious(Path.touch, mark),
        "class": Malicious(argparse.FileType("w"), str(mark)),
    }[program]
    path = saved(tmp_path / "a.pt", {"w": weights(), "x": value},
                 _use_new_zipfile_serialization=zipped)  # fmt: skip
    with contextlib.suppress(InvalidInputError):  # a class may be left out, a function may not
        assert names_of(survey(path)) == ["w"]
        assert program == "class"
    assert not mark.exists()


def test_a_plain_pickle_is_one_sentence(tmp_path):
    (tmp_path / "a.pt").write_bytes(pickle.dumps({"w": noise((4, 3))}))
    with pytest.raises(InvalidInputError, match=r"a\.pt was not loaded.*\.$"):
        survey(tmp_path / "a.pt")


def test_an_archive_that_pytorch_never_wrote(tmp_path):
    """Compressed, it could unpack to any size."""
    import zipfile

    path = saved(tmp_path / "a.pt", {"w": weights()})
    with (
        zipfile.ZipFile(path) as old,
        zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    with pytest.raises(InvalidInputError, match="compressed or overlap"):
        survey(tmp_path / "b.pt")
