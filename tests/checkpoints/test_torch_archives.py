"""Archives of PyTorch that are read without it: the same arrays, and no code."""

import argparse
import collections
import importlib.util
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from checkpoint_files import noise

from sgdyson.checkpoints import checkpoints, survey
from sgdyson.checkpoints._plain_pickle import Named, read_plain
from sgdyson.errors import InvalidInputError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")  # of formats that PyTorch writes no more one day


def weights(shape=(6, 5), seed=0):
    return torch.tensor(noise(shape, seed))


def read(path):
    """Arrays by name, and the reasons of those that are not read."""
    (found,) = checkpoints(path)
    with found.open() as stored:
        arrays = {item.name: item.load() for item in stored if item.reason is None}
        return arrays, {item.name: item.reason for item in stored if item.reason is not None}


@pytest.fixture
def no_torch(monkeypatch):
    """As where PyTorch is not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "sgdyson.checkpoints._torch_files.find_spec",
        lambda name: None if name == "torch" else find(name),
    )
    monkeypatch.setitem(sys.modules, "torch", None)


def everything():
    """What a trainer may have put into a file."""
    w = weights()
    tied = torch.nn.Linear(5, 5)
    tied.bias = torch.nn.Parameter(torch.ones(5))
    marked = torch.nn.Parameter(w.clone())
    marked.is_shared = True  # an attribute, by which it is saved in another way
    kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn,
             torch.float8_e5m2, torch.int64, torch.uint8, torch.bool, torch.complex64]  # fmt: skip
    return {
        "state_dict": collections.OrderedDict(
            {str(kind).replace(".", "_"): w.to(kind) for kind in kinds}
            | {"view": weights((8, 9), 1)[1:7:2, ::3], "turned": w.T, "tied": tied.weight}
            | {
                "again": tied.weight,
                "bias": tied.bias,
                "marked": marked,
                "empty": torch.empty(0, 3),
            }
            | {"number": torch.tensor(3.0), "expanded": torch.ones(1, 1).expand(400, 400)}
        ),
        "optimizer": {"state": {0: {"exp_avg": w}}, "param_groups": []},
        "parts": [w * 2, (w * 3, {"deep": w * 4})],
        "arguments": argparse.Namespace(rate=0.1),
        "epoch": 3,
    }


def test_the_same_arrays_with_and_without_pytorch(tmp_path, no_torch):
    path = tmp_path / "a.pt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch", torch)
        torch.save(everything(), path)
        patch.setattr("sgdyson.checkpoints._torch_files.find_spec", importlib.util.find_spec)
        expected, told = read(path)
        rows = survey(path).rows()
    found, reasons = read(path)
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert reasons == told
    assert {"tied to tied", "state of the optimiser"} <= set(reasons.values())
    assert survey(path).rows() == rows


def test_a_series_has_its_steps_without_pytorch(tmp_path, no_torch):
    for name, epoch in (("b", 3), ("a", 20)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "torch", torch)
            torch.save({"state_dict": {"w": weights()}, "epoch": epoch}, tmp_path / f"{name}.pt")
    assert [each.step for each in checkpoints(tmp_path)] == [3, 20]


def test_the_old_format_names_the_remedy(tmp_path, no_torch):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch", torch)
        torch.save({"w": weights()}, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(InvalidInputError, match="pip install torch"):
        survey(tmp_path / "a.pt")


@pytest.mark.parametrize("name", ["best.pth.tar", "best.pt.tar"])
@pytest.mark.parametrize("zipped", [True, False])
def test_the_ending_of_two_parts(tmp_path, name, zipped):
    content = {"state_dict": {"w": weights()}, "epoch": 3}
    torch.save(content, tmp_path / name, _use_new_zipfile_serialization=zipped)
    assert [row["name"] for row in survey(tmp_path / name).rows()] == ["w"]
    assert len(survey(tmp_path).spectra) == 1


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Sequential(torch.nn.Linear(5, 6), torch.nn.Tanh())
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.register_buffer("mask", weights((6, 6)).bfloat16())

    def forward(self, x):
        return self.first(x)


class TestTorchScript:
    @pytest.mark.parametrize("ending", ["pt", "jit", "torchscript"])
    @pytest.mark.parametrize("how", ["script", "trace"])
    def test_a_program_is_its_weights(self, tmp_path, how, ending):
        net = Net()
        program = (
            torch.jit.script(net)
            if how == "script"
            else torch.jit.trace(net, weights((2, 5)).float())
        )
        program.save(tmp_path / f"a.{ending}")
        found, _ = read(tmp_path / f"a.{ending}")
        expected = {name: tensor.detach() for name, tensor in net.state_dict().items()}
        assert set(found) == set(expected)
        for name, tensor in expected.items():
            np.testing.assert_array_equal(found[name].astype(float), tensor.double().numpy())

    def test_a_frozen_one_has_constants(self, tmp_path):
        net = Net().eval()
        torch.jit.freeze(torch.jit.script(net)).save(tmp_path / "a.pt")
        found, _ = read(tmp_path / "a.pt")
        matrices = [array for array in found.values() if array.ndim == 2]
        np.testing.assert_array_equal(matrices[0], net.first[0].weight.detach().numpy())

    def test_code_that_fails_is_not_run(self, tmp_path):
        import zipfile

        torch.jit.script(Net()).save(tmp_path / "a.pt")
        with (
            zipfile.ZipFile(tmp_path / "a.pt") as old,
            zipfile.ZipFile(tmp_path / "b.pt", "w") as new,
        ):
            for info in old.infolist():
                data = b"raise SystemExit" if "/code/" in info.filename else old.read(info)
                new.writestr(info.filename, data)
        assert set(read(tmp_path / "b.pt")[0]) == set(Net().state_dict())


class TestPlainPickle:
    def test_nothing_that_is_named_is_called(self, tmp_path):
        import pickle

        class Malicious:
            def __reduce__(self):
                return (type(tmp_path).touch, (tmp_path / "was_run",))

        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            (value,) = read_plain(pickle.dumps([Malicious()], protocol), "it")
            assert isinstance(value, Named)
        assert not (tmp_path / "was_run").exists()

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\x80\x02.",
            b"\x80\x02r\xff\xff\xff\x7f.",
            b"\x82\x01.",
            b"(" * 1000,
            b"c\n",
            b"\x80\x04\x95" + b"\xff" * 8,
        ],
    )
    def test_damaged_ones_are_one_sentence(self, data):
        with pytest.raises(InvalidInputError, match="cannot be read as a pickle"):
            read_plain(data, "it")


SHARDED = """
import os
import sys
import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.fsdp import fully_shard

dist.init_process_group("gloo")
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
if dist.get_rank() == 0:
    torch.save(model.state_dict(), sys.argv[1] + "/whole.pt")
fully_shard(model, mesh=dist.device_mesh.init_device_mesh("cpu", (2,)))
optimizer = torch.optim.Adam(model.parameters(), 0.0)
model(torch.ones(2, 6)).sum().backward()
optimizer.step()
state = {"model": model.state_dict(), "optim": optimizer.state_dict(), "step": 7}
dcp.save(state, checkpoint_id=sys.argv[1] + "/sharded")
dist.barrier()
os._exit(0)  # threads of gloo may drop a tensor as Python ends, which aborts a process
"""


class TestDistributedCheckpoints:
    @pytest.fixture
    def saved(self, tmp_path):
        import torch.distributed.checkpoint as dcp

        state = {"model": Net().state_dict(), "step": 7}
        dcp.save(state, checkpoint_id=tmp_path / "7")
        return tmp_path / "7", state["model"]

    def test_of_one_process(self, saved, no_torch):
        path, expected = saved
        found, _ = read(path)
        assert set(found) == {f"model.{name}" for name in expected}
        for name, tensor in expected.items():
            np.testing.assert_array_equal(
                found[f"model.{name}"].astype(float), tensor.double().numpy()
            )

    def test_of_two_processes(self, tmp_path):
        """Shards of fully_shard, whose chunks lie in two files."""
        program = tmp_path / "program.py"
        program.write_text(textwrap.dedent(SHARDED))
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone",
                    "--nproc-per-node=2", "--local-addr=127.0.0.1"]  # fmt: skip
        done = subprocess.run(
            [*launcher, program, tmp_path], capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert len(list((tmp_path / "sharded").glob("*.distcp"))) == 2
        found, reasons = read(tmp_path / "sharded")
        whole = torch.load(tmp_path / "whole.pt")
        assert set(found) == {f"model.{name}" for name in whole}
        for name, tensor in whole.items():
            np.testing.assert_array_equal(found[f"model.{name}"], tensor.numpy())
        assert set(reasons.values()) == {"state of the optimiser"}

    def test_a_series_of_folders(self, saved, tmp_path):
        import torch.distributed.checkpoint as dcp

        dcp.save({"model": Net().state_dict(), "step": 20}, checkpoint_id=tmp_path / "other")
        assert [each.step for each in checkpoints(tmp_path)] == [7, 20]

    def test_a_file_that_is_cut_or_gone(self, saved):
        path, _ = saved
        (file,) = path.glob("*.distcp")
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        found = survey(path)
        names = [row["name"] for row in found.rows()]
        assert 0 < len(names) < 3
        assert any("beyond the" in reason for reason in found.skipped)
        file.unlink()
        with pytest.raises(InvalidInputError, match="does not exist"):
            survey(path)

    def test_a_description_that_runs_something(self, saved, tmp_path):
        import pickle

        class Malicious:
            def __reduce__(self):
                return (type(tmp_path).touch, (tmp_path / "was_run",))

        (saved[0] / ".metadata").write_bytes(pickle.dumps(Malicious()))
        with pytest.raises(InvalidInputError, match="describes no distributed checkpoint"):
            survey(saved[0])
        assert not (tmp_path / "was_run").exists()
