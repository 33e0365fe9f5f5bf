"""The journal of a run: frames that are damaged end it, and files are whole or not at all."""

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest

from sgdyson.tracking._journal import (
    Journal,
    append_frames,
    frame,
    frames,
    read_journal,
    record_frame,
    replace_file,
)


@pytest.mark.parametrize("place", [0, 4, 9, 15, -1], ids=lambda place: f"byte {place}")
def test_a_damaged_frame_and_what_follows_are_not_read(place):
    whole = [frame(b"R", b"first"), frame(b"R", b"second one"), frame(b"A", b"third")]
    assert list(frames(b"".join(whole))) == [
        (b"R", b"first"), (b"R", b"second one"), (b"A", b"third"),
    ]  # fmt: skip
    damaged = bytearray(whole[1])
    damaged[place] ^= 0xFF
    read = list(frames(whole[0] + bytes(damaged) + whole[2]))
    assert read == [(b"R", b"first")]


@pytest.mark.parametrize("most", [1, 7, 10_000])
def test_a_system_that_takes_a_part_gets_the_rest(tmp_path, monkeypatch, most):
    (tmp_path / "journal").write_bytes(b"begun ")
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: real(handle, content[:most]))
    append_frames(tmp_path / "journal", [b"one ", b"and another"])
    assert (tmp_path / "journal").read_bytes() == b"begun one and another"


@pytest.mark.parametrize("place", ["file", "file.partial"])
def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path, monkeypatch, place):
    """A kill in the middle of any write: the file itself is never half written."""
    (tmp_path / "file").write_bytes(b"old")
    real = Path.write_bytes

    def killed(self, content):
        if self.name != place:
            return real(self, content)
        real(self, content[:2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(Path, "write_bytes", killed)
        replace_file(tmp_path / "file", b"new one")
    assert (tmp_path / "file").read_bytes() in (b"old", b"new one")
    replace_file(tmp_path / "file", b"new one")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"new one"}


@pytest.mark.parametrize("kind", [b"A", b"R", b"C"])
def test_a_frame_of_no_known_kind_ends_the_journal(tmp_path, kind):
    """The checksum is that of the content; attributes must not be read as a record."""
    journal = Journal(block=64, attributes={"every": "1"})
    journal.add("loss", None, {"name": "loss"})
    journal.steps, journal.rows = [0, 1], [np.array([0.5]), np.array([0.25])]
    journal.write(tmp_path / "journal")
    whole = (tmp_path / "journal").read_bytes()
    contents = {
        b"A": b'{"every": "2"}', b"R": record_frame(2, np.array([0.125]))[9:],
        b"C": b'[["late", null, {}]]',
    }  # fmt: skip
    damaged = frame(b"x", contents[kind])
    (tmp_path / "journal").write_bytes(whole + damaged + record_frame(3, np.array([9.0])))
    found = read_journal(tmp_path / "journal")
    assert (found.steps, found.attributes) == ([0, 1], {"every": "1"})
    np.testing.assert_array_equal(found.table(), [[0.5], [0.25]])
