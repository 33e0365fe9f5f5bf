"""Files that are odd, damaged or hostile: one sentence of ours, in bounded time and memory."""

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import noise, write_raw, write_safetensors

from sgdyson.analysis import read
from sgdyson.checkpoints import checkpoints, survey
from sgdyson.errors import InvalidInputError

W = noise((8, 6)).astype("<f4")
BYTES = W.nbytes
GOOD = {"dtype": "F32", "shape": [8, 6], "data_offsets": [0, BYTES]}


def entry(**changes):
    return {"w": GOOD | changes}


HEADERS = {
    "a list": b'["w"]',
    "a number": b"5",
    "null": b"null",
    "no JSON": b'{"w":',
    "no UTF-8": b'{"\xff":1}',
    "deeply nested": b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "many pieces": b"[" + b"[]," * 900_000 + b"[]]",
    "many digits": json.dumps(entry()).encode().replace(b"[8,", b"[" + b"9" * 5000 + b","),
    "infinite shape": json.dumps(entry()).encode().replace(b"[8,", b"[1e999,"),
    "NaN shape": json.dumps(entry()).encode().replace(b"[8,", b"[NaN,"),
    "infinite offset": entry(data_offsets=[0, 1e999]),
    "shape of fractions": entry(shape=[8.0, 6.0]),
    "shape of truths": entry(shape=[True, 48]),
    "negative shape": entry(shape=[-8, -6]),
    "no shape": entry(shape=None),
    "many axes": entry(shape=[1] * 70 + [8, 6]),
    "shape and bytes apart": entry(shape=[8, 7]),
    "negative offsets": entry(data_offsets=[-BYTES, 0]),
    "offsets turned round": entry(data_offsets=[BYTES, 0]),
    "offsets behind the end": entry(data_offsets=[BYTES, 2 * BYTES]),
    "huge offsets": entry(shape=[10**9, 10**9], data_offsets=[0, 4 * 10**18]),
    "three offsets": entry(data_offsets=[0, 1, BYTES]),
    "type a list": entry(dtype=["F32"]),
    "tensor a number": {"w": 5},
    "named twice": b'{"w":%b,"w":%b}' % ((json.dumps(GOOD).encode(),) * 2),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_a_bad_header_of_safetensors_is_one_sentence(tmp_path, name):
    path = write_raw(tmp_path / "a.safetensors", HEADERS[name], W.tobytes())
    with pytest.raises(InvalidInputError, match=r"a\.safetensors.*\.$"):
        survey(path)


@pytest.mark.parametrize("name", [n for n in HEADERS if isinstance(HEADERS[n], dict)])
def test_a_bad_tensor_does_not_hide_a_good_one(tmp_path, name):
    header = {"good": GOOD, "bad": HEADERS[name]["w"]}
    header["good"] = GOOD | {"data_offsets": [BYTES, 2 * BYTES]}
    found = survey(write_raw(tmp_path / "a.safetensors", header, W.tobytes() * 2))
    assert [m.name for m in found.spectra[0]] == ["good"]
    assert list(found.skipped.values()) == [["bad"]]


def test_bytes_belong_to_one_tensor(tmp_path):
    header = {"w": GOOD, "v": GOOD, "u": GOOD | {"data_offsets": [BYTES - 4, 2 * BYTES - 4]}}
    found = survey(write_raw(tmp_path / "a.safetensors", header, W.tobytes() * 2))
    assert [m.name for m in found.spectra[0]] == ["w"]
    assert sorted(n for names in found.skipped.values() for n in names) == ["u", "v"]


def test_the_limit_of_the_header_is_named(tmp_path):
    text = json.dumps(entry()).encode() + b" " * 100_000_000
    path = write_raw(tmp_path / "a.safetensors", text, W.tobytes())
    with pytest.raises(InvalidInputError, match="limit of 100000000"):
        survey(path)


def test_what_is_claimed_is_not_read_before_it_is_bounded(tmp_path):
    """Sparse files of 20 GB: a header that long, a matrix that large, a long index beside."""
    size = 20 * 10**9
    path = write_raw(tmp_path / "a.safetensors", b"{", length=size - 8)
    os.truncate(path, size)
    with pytest.raises(InvalidInputError, match="limit of 100000000"):
        survey(path)
    large = {"dtype": "F32", "shape": [10_000, 10**8], "data_offsets": [0, 4 * 10**12]}
    path = write_raw(tmp_path / "a.safetensors", {"w": large})
    os.truncate(path, 4 * 10**12 + 200)
    with pytest.raises(InvalidInputError, match="of memory"):
        survey(path)
    path.unlink()
    (tmp_path / "model.safetensors.index.json").write_text("{")
    os.truncate(tmp_path / "model.safetensors.index.json", size)
    np.savez(tmp_path / "w.npz", w=W)
    assert survey(tmp_path).skipped == {}


NUMPY_HEADERS = {
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (8, 6), }",
    "text": "{'descr': '<U5', 'fortran_order': False, 'shape': (8, 6), }",
    "fields": "{'descr': [('a', '<f8'), ('b', '<i4')], 'fortran_order': False, 'shape': (8, 6), }",
    "sub-arrays": "{'descr': '(1000,1000)f8', 'fortran_order': False, 'shape': (8, 6), }",
    "bfloat16": "{'descr': '<V2', 'fortran_order': False, 'shape': (8, 6), }",
    "a larger array": "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000, 6), }",
    "negative shape": "{'descr': '<f8', 'fortran_order': False, 'shape': (-8, -6), }",
    "shape of fractions": "{'descr': '<f8', 'fortran_order': False, 'shape': (8.0, 6), }",
    "cut": "{'descr': '<f8', 'fortran_order': False, 'shape': (8,",
    "nested": "{'descr': " + "(" * 3000 + ")" * 3000 + ", 'fortran_order': False, 'shape': (8,)}",
    "signs": "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "-" * 4000 + "8, 6), }",
    "a program": "__import__('os').system('touch was_run')",
    "a second key": "{'descr': '<f8', 'fortran_order': False, 'shape': (8, 6), 'x': 1}",
    "long": "{'descr': '<f8', 'fortran_order': False, 'shape': (8, 6), }" + " " * 20_000,
}  # fmt: skip


def npy(header, body=b"\0" * 384):
    text = header.encode("latin1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


@pytest.mark.parametrize("name", NUMPY_HEADERS)
def test_a_bad_numpy_header_is_one_sentence_and_hides_no_neighbour(tmp_path, name):
    (tmp_path / "a.npy").write_bytes(npy(NUMPY_HEADERS[name]))
    with pytest.raises(InvalidInputError, match=r"a\.npy.*\.$"):
        read(tmp_path / "a.npy")
    good = io.BytesIO()
    np.save(good, noise((5, 4, 3, 2)))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("bad.npy", npy(NUMPY_HEADERS[name]))
        archive.writestr("W.npy", good.getvalue())
    for array in (None, "W"):
        (history,) = read(tmp_path / "a.npz", array=array)
        assert history.levels.shape == (5, 4, 2)
        assert any("'bad'" in note for note in history.notes)
    assert all(m.name.startswith("W") for m in survey(tmp_path / "a.npz").spectra[0])


@pytest.mark.parametrize("kind", [">f4", "<f2", "<f8", "<i8", "|u1", np.longdouble])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_plain_array_of_numpy_is_read_as_numpy_reads_it(tmp_path, kind, order):
    values = np.asarray(100 * noise((5, 4, 3)), kind, order=order)
    for version in ((1, 0), (2, 0), (3, 0)):
        with (tmp_path / "a.npy").open("wb") as file:
            np.lib.format.write_array(file, values, version=version)
        (history,) = read(tmp_path / "a.npy", axes=("replica", "time", "level"))
        exact = -np.sort(-values.astype(float), axis=-1)
        np.testing.assert_array_equal(history.levels, exact)


def zipped(path, members, **settings):
    with zipfile.ZipFile(path, "w", **settings) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


class TestArchives:
    def good(self):
        file = io.BytesIO()
        np.save(file, noise((8, 6)))
        return file.getvalue()

    @pytest.mark.parametrize("fault", ["encrypted", "method", "checksum", "text", "cut"])
    def test_one_bad_member_is_named(self, tmp_path, fault):
        good = self.good()
        bad = {"text": b"hello", "cut": good[:-9]}.get(fault, good)
        path = zipped(tmp_path / "a.npz", {"w.npy": good, "bad.npy": bad})
        data = bytearray(path.read_bytes())
        local, central = data.rfind(b"PK\x03\x04"), data.rfind(b"PK\x01\x02")
        if fault == "encrypted":
            data[local + 6] |= 1
            data[central + 8] |= 1
        elif fault == "method":
            data[local + 8] = data[central + 10] = 14
        elif fault == "checksum":
            data[data.find(b"PK\x01\x02") - 20] ^= 1
        path.write_bytes(data)
        found = survey(path)
        assert [m.name for m in found.spectra[0]] == ["w"]
        assert list(found.skipped.values()) == [["bad"]]

    def test_members_of_odd_names(self, tmp_path):
        names = ["", "a/", "a/w.npy", "../w.npy", "w.npy.npy", ".npy", "\u00e9\U0001f600.npy"]
        path = tmp_path / "a.npz"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(zipfile.ZipInfo(name), b"" if name == "a/" else self.good())
        data = path.read_bytes()
        found = survey(path)
        shown = {m.name for m in found.spectra[0]}
        assert {"a/w", "../w", "w.npy", "\u00e9\U0001f600"} <= shown
        assert path.read_bytes() == data
        assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz"]

    @pytest.mark.parametrize("size", [2 * 10**8, 2 * 10**10])
    def test_a_bomb_is_refused_by_its_header(self, tmp_path, size):
        rows = size // 8000
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, 1000), }}"
        path = zipped(tmp_path / "a.npz", {"w.npy": npy(header, b"\0" * 10**6)},
                      compression=zipfile.ZIP_DEFLATED)  # fmt: skip
        data = bytearray(path.read_bytes())
        place = data.rfind(b"PK\x01\x02") + 24
        data[place : place + 4] = min(size, 2**32 - 2).to_bytes(4, "little")
        path.write_bytes(data)
        with pytest.raises(InvalidInputError, match=r"unpack to|takes .* bytes"):
            survey(path)
        with pytest.raises(InvalidInputError, match=r"unpack to|takes .* bytes"):
            read(path, array="w")

    def test_many_members_are_held_against_the_file_together(self, tmp_path, monkeypatch):
        monkeypatch.setattr("sgdyson._zip_files._SMALL", 2**17)
        members = {f"{n}.npy": npy("{}", b"\0" * 10**5) for n in range(20)}
        path = zipped(tmp_path / "a.npz", members, compression=zipfile.ZIP_DEFLATED)
        with pytest.raises(InvalidInputError, match="archive of"):
            survey(path)

    def test_a_huge_directory_is_refused(self, tmp_path):
        path = zipped(tmp_path / "a.npz", {"w.npy": self.good()})
        data = bytearray(path.read_bytes())
        place = data.rfind(b"PK\x05\x06") + 12
        data[place : place + 4] = (2**31).to_bytes(4, "little")
        path.write_bytes(data)
        with pytest.raises(InvalidInputError, match="directory of"):
            survey(path)


NEEDED = {  # libraries without which a file is refused in another sentence
    **dict.fromkeys(("pt", "bin", "ckpt", "pth.tar"), ("torch",)), "h5": ("h5py",),
    "keras": ("h5py",), "onnx": ("onnx",), "msgpack": ("msgpack",), "gguf": ("gguf",),
}  # fmt: skip


@pytest.mark.parametrize("ending", ["safetensors", "npz", "npy", *NEEDED])
class TestWhatIsNoFile:
    def test_nothing_is_waited_for(self, tmp_path, ending):
        """A named pipe is waited for by open(); a folder, a socket, a device are no files."""
        os.mkfifo(tmp_path / f"a.{ending}")
        with pytest.raises(InvalidInputError, match="a named pipe"):
            survey(tmp_path / f"a.{ending}")
        with pytest.raises(InvalidInputError, match=rf"a\.{ending}: no regular file"):
            survey(tmp_path)

    def test_a_link_to_nothing(self, tmp_path, ending):
        (tmp_path / f"a.{ending}").symlink_to(tmp_path / "gone")
        with pytest.raises(InvalidInputError, match=r"a link to .*gone"):
            survey(tmp_path / f"a.{ending}")
        np.savez(tmp_path / "b.npz", w=noise((5, 4)))
        assert survey(tmp_path).skipped == {"a link to nothing": [f"a.{ending}"]}

    def test_a_folder_with_the_ending_of_a_file(self, tmp_path, ending):
        (tmp_path / f"a.{ending}").mkdir()
        with pytest.raises(InvalidInputError, match="holds no weights"):
            survey(tmp_path / f"a.{ending}")
        np.savez(tmp_path / "b.npz", w=noise((5, 4)))
        assert [m.name for m in survey(tmp_path).spectra[0]] == ["w"]

    @pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04", b"\x93NUMPY", b"version https://"])
    def test_a_few_bytes(self, tmp_path, ending, data):
        for library in NEEDED.get(ending, ()):
            pytest.importorskip(library)
        (tmp_path / f"a.{ending}").write_bytes(data)
        with pytest.raises(InvalidInputError, match=rf"a\.{ending}.*\.$"):
            survey(tmp_path / f"a.{ending}")


def test_a_name_of_more_digits_than_python_makes_a_number_of(tmp_path):
    names = ["w2", "w10", "w" + "1" * 5000]
    write_safetensors(tmp_path / "a.safetensors", dict.fromkeys(names, W))
    (spectra,) = survey(tmp_path / "a.safetensors").spectra
    assert [spectrum.name for spectrum in spectra] == names


def test_histories_open_no_pipes_either(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(InvalidInputError, match="a named pipe"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["evil.pt", "evil.npz"])
def test_a_malicious_pickle_is_not_run(tmp_path, name):
    class Malicious:
        def __reduce__(self):
            return (type(tmp_path).touch, (tmp_path / "was_run",))

    if name.endswith("pt"):
        pytest.importorskip("torch")
        (tmp_path / name).write_bytes(pickle.dumps(Malicious()))
    else:
        np.savez(tmp_path / name, w=np.array([Malicious()], object))
    with pytest.raises(InvalidInputError, match=name):
        list(checkpoints(tmp_path / name)[0].arrays())
    assert not (tmp_path / "was_run").exists()


def test_a_name_that_no_output_can_encode(tmp_path):
    found = survey(write_safetensors(tmp_path / "a.safetensors", {"\ud800x": W}))
    (row,) = found.rows()
    assert row["name"].encode().endswith(b"x")


@pytest.mark.parametrize("mutations", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_mutated_files_of_every_format(tmp_path, mutations):
    """So many of each, of which some are read: the reader, not the mutation, decides."""
    script = Path(__file__).with_name("fuzz.py")
    done = subprocess.run(
        [sys.executable, script, tmp_path, str(mutations)],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["foreign"] == []
    assert found["longest"] < 10
    assert found["gigabytes"] < 1
    for name, counts in found["tally"].items():
        assert counts["refused"] >= mutations // 25
        # the one member of a Keras archive has a checksum, so that hardly a mutation is read
        assert counts["read"] >= mutations // (500 if name == "a.keras" else 25)
