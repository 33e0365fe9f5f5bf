"""Run by `test_hostile` in a process of its own: mutated files of every format, read.

Prints, as JSON, what was raised that is no sentence of ours, the longest time, the memory taken,
and how many files were read and refused.
"""

import contextlib
import json
import resource
import sys
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
from checkpoint_files import noise, write_safetensors

from sgdyson.analysis import read
from sgdyson.checkpoints import survey
from sgdyson.errors import InvalidInputError

BOMBS = [
    b"9" * 20,
    b"-1",
    b"1e999",
    b"[" * 3000,
    b"\xff\xfe",
    b"\x00" * 16,
    b"NaN",
    b'"',
    b"{",
    b"(",
]


def originals(folder):
    """One small file of each format, and what reads it."""
    w = noise((4, 3)).astype("f4")
    write_safetensors(folder / "a.safetensors", {"w": w, "v": w * 2, "b": w[0]})
    np.savez(folder / "a.npz", w=w, v=w * 2, b=w[0], lr=0.1)
    np.savez_compressed(folder / "c.npz", w=w, v=w * 2, b=w[0])
    np.save(folder / "a.npy", noise((5, 4, 3)))
    files = {"a.safetensors": survey, "a.npz": survey, "c.npz": read, "a.npy": read}
    files |= dict.fromkeys(written(folder, w), survey)
    try:
        import torch
    except ImportError:
        return files
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a format that PyTorch writes no more one day
        torch.jit.trace(torch.nn.Linear(3, 4), torch.ones(2, 3)).save(str(folder / "s.pt"))
    files["s.pt"] = survey
    state = {"state_dict": {"w": torch.tensor(w), "v": torch.tensor(w).bfloat16()}, "epoch": 3}
    torch.save(state, folder / "a.pt")
    torch.save(state, folder / "l.pt", _use_new_zipfile_serialization=False)
    return files | {"a.pt": survey, "l.pt": survey}


def written(folder, w):
    """Files of other libraries, of those that are there."""
    with contextlib.suppress(ImportError):
        import h5py

        with h5py.File(folder / "a.h5", "w") as file:
            file.create_dataset("layers/dense/vars/0", data=w)
            file.create_dataset("layers/dense/vars/1", data=w[0], compression="gzip")
        with zipfile.ZipFile(folder / "a.keras", "w") as archive:
            archive.write(folder / "a.h5", "model.weights.h5")
        yield from ("a.h5", "a.keras")
    with contextlib.suppress(ImportError):
        import onnx
        from onnx import helper, numpy_helper

        graph = helper.make_graph([], "g", [], [], [numpy_helper.from_array(w, "w")])
        onnx.save(helper.make_model(graph), folder / "a.onnx")
        yield "a.onnx"
    with contextlib.suppress(ImportError):
        import msgpack

        array = msgpack.packb((w.shape, "float32", w.tobytes()), use_bin_type=True)
        tree = {"params": {"kernel": msgpack.ExtType(1, array)}, "step": 3}
        (folder / "a.msgpack").write_bytes(msgpack.packb(tree))
        yield "a.msgpack"
    with contextlib.suppress(ImportError):
        import gguf

        writer = gguf.GGUFWriter(folder / "a.gguf", "llama")
        writer.add_tensor("blk.0.w", np.ascontiguousarray(w))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        yield "a.gguf"


def mutated(data, random):
    """A few bytes changed, cut, put in or doubled; more often at the ends, where headers are."""
    data = bytearray(data)
    for _ in range(random.integers(1, 4)):
        near = int(min(len(data) - 1, random.exponential(len(data) / 4)))
        place = near if random.random() < 0.7 else max(len(data) - 1 - near, 0)
        kind = random.integers(6)
        if kind == 0:
            data[place] ^= 1 << random.integers(8)
        elif kind == 1:
            data[place] = random.integers(256)
        elif kind == 2:
            del data[place : place + random.integers(1, 40)]
        elif kind == 3:
            data[place:place] = BOMBS[random.integers(len(BOMBS))]
        elif kind == 4:
            data[place : place + 4] = random.bytes(4)
        else:
            data[place:place] = data[max(place - 30, 0) : place]
        if not data:
            return b""
    return bytes(data[: random.integers(1, len(data) + 1)] if random.random() < 0.1 else data)


def main(folder, number):
    warnings.simplefilter("error")
    files = originals(folder)
    for name, reader in files.items():  # all that is loaded on the first use
        reader(folder / name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + 2**30, taken + 2**30))
    foreign, longest, tally = [], 0.0, {}
    for place, (name, reader) in enumerate(files.items()):
        random, data = np.random.default_rng(place), (folder / name).read_bytes()
        done = tally[name] = {"read": 0, "refused": 0}
        for turn in range(number):
            path = folder / f"mutated.{name.partition('.')[2]}"
            path.write_bytes(mutated(data, random))
            start = time.perf_counter()
            try:
                reader(path)
                done["read"] += 1
            except InvalidInputError:
                done["refused"] += 1
            except BaseException as error:
                foreign.append([name, turn, repr(error)])
            longest = max(longest, time.perf_counter() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e6
    print(json.dumps({"foreign": foreign, "longest": longest, "gigabytes": grown, "tally": tally}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
