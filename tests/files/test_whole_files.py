"""What a power cut, a race or another process may do to a file, and what it may not."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from sgdyson import _files
from sgdyson._files import check_target, create_text, is_scratch, write_text
from sgdyson._streams import is_stream
from sgdyson.errors import InvalidInputError


@pytest.mark.parametrize("write", [write_text, create_text])
def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_at_the_end(
    tmp_path, monkeypatch, on_disk, write
):
    contents, names = on_disk
    shown = []

    def seen(real):
        def named(*paths):
            place = next(path for path in paths if path.name.startswith(".sgdyson-"))
            shown.append(contents.get(place.stat().st_ino))
            return real(*paths)

        return named

    monkeypatch.setattr(Path, "replace", seen(Path.replace))
    monkeypatch.setattr(Path, "hardlink_to", seen(Path.hardlink_to))
    write(tmp_path / "out", "all of it")
    assert shown == [b"all of it"]
    assert "out" in names[tmp_path]


def test_a_scratch_name_that_is_taken_is_not_written_to(tmp_path, monkeypatch):
    """As of a link that somebody has laid there, to a file of yours."""
    (tmp_path / "mine").write_text("mine")
    monkeypatch.setattr(_files.secrets, "token_hex", lambda size: "0" * 2 * size)
    (tmp_path / f".sgdyson-{'0' * 16}").symlink_to("mine")
    with pytest.raises(InvalidInputError, match="File exists"):
        write_text(tmp_path / "out", "new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("rest", ["-mine", ".a.b"])
def test_a_users_name_that_begins_as_a_scratch_name_is_the_users(rest):
    assert not is_scratch(f".sgdyson-0123456789abcdef{rest}")


def test_owner_and_group_are_those_of_the_file_before(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: asked.append((user, group)))
    before = SimpleNamespace(st_uid=1001, st_gid=2002, st_mode=0o100640)
    (tmp_path / "scratch").touch()
    _files._copy_mode(before, tmp_path / "scratch")
    assert asked == [(1001, 2002)]


def test_what_comes_in_between_is_not_replaced_where_there_are_no_hard_links(tmp_path, monkeypatch):
    def none(self, other):
        self.write_text("mine")  # of another process, at the last moment
        raise OSError(errno.EPERM, "no hard links")

    monkeypatch.setattr(Path, "hardlink_to", none)
    with pytest.raises(InvalidInputError, match="exists"):
        create_text(tmp_path / "out", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_text() == "mine"


def test_a_file_that_must_not_be_written_is_not_replaced(tmp_path, monkeypatch):
    """Although its folder may be written, so that a rename would succeed."""
    (tmp_path / "out").write_text("mine")
    real = os.access  # root may write anywhere
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name != "out" and real(path, mode)
    )
    for refuse in (check_target, lambda path: write_text(path, "new")):
        with pytest.raises(InvalidInputError, match="you may write to"):
            refuse(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_link_is_followed_from_the_folder_in_which_it_lies(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "first").symlink_to("second")
    (tmp_path / "folder" / "second").symlink_to("/dev/stdout")
    monkeypatch.chdir(tmp_path)
    assert is_stream(Path("folder/first"))


def test_a_pipe_takes_more_than_it_holds(tmp_path):
    """A pipe has room for 64 kB; whoever writes waits for its reader."""
    os.mkfifo(tmp_path / "pipe")
    text, taken = "0123456789" * 30_000, []
    opened = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(opened, True)

    def read():
        time.sleep(0.05)  # until the pipe is full
        with os.fdopen(opened) as stream:
            taken.append(stream.read())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    write_text(tmp_path / "pipe", text)
    reader.join(20)
    assert taken == [text]


def test_standard_output_of_another_process_is_a_file_as_any_other(tmp_path):
    with (tmp_path / "theirs").open("wb") as file:
        other = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=file
        )
    try:
        assert not is_stream(Path(f"/proc/{other.pid}/fd/1"))
    finally:
        other.communicate(b"\n", timeout=60)
