"""Files for a user: whole or not at all, and nothing of the user's is ever in the way."""

import errno
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sgdyson import _files
from sgdyson._files import check_target, create_text, is_scratch, replacing, write_text
from sgdyson._folders import claim_folder
from sgdyson._stored import Stored
from sgdyson.errors import InvalidInputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole_and_nothing_else_is_touched(tmp_path):
    """A user's own `.partial`, of whatever spelling, stays what it is."""
    mine = ["a.partial", ".a.html.partial", "a.html.partial", ".a.partial.html"]
    for name in ("a.html", *mine):
        (tmp_path / name).write_text("mine")
    write_text(tmp_path / "a.html", "new")
    assert (tmp_path / "a.html").read_text() == "new"
    assert {(tmp_path / name).read_text() for name in mine} == {"mine"}
    assert names(tmp_path) == sorted(["a.html", *mine])


@pytest.mark.parametrize("chain", [["file"], ["link", "file"], ["gone"], ["folder/file"]])
def test_links_stay_and_what_they_lead_to_is_written(tmp_path, chain):
    """Also what is not there yet, as `open` does."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "out").symlink_to(chain[0])
    write_text(tmp_path / "out", "new")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / chain[-1]).read_text() == "new"
    assert not (tmp_path / chain[-1]).is_symlink()


def test_a_link_in_a_circle_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(InvalidInputError, match="cannot be written"):
        write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").is_symlink()


def test_a_failure_leaves_the_old_file_and_nothing_behind(tmp_path):
    (tmp_path / "out").write_text("old")

    def fail():
        with replacing(tmp_path / "out") as scratch:
            scratch.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out").read_text() == "old"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_a_disk_that_takes_nothing_more_is_one_sentence(tmp_path, monkeypatch, code):
    def full(handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(InvalidInputError, match=os.strerror(code)) as caught:
        write_text(tmp_path / "out", "new")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_mode_is_that_of_a_plain_open(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_text(tmp_path / "new", "x")
        (tmp_path / "plain").write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "new").chmod(0o640)
    write_text(tmp_path / "new", "y")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".", "is a folder"),
        ("", "is a folder"),
        ("/", "is a folder"),
        ("missing/out", "does not exist"),
        ("file/out", "is a file"),
        ("a\0b", "zero byte"),
        ("n" * 300, "File name too long"),
        ("\ud800", "cannot be encoded"),
        ("~nobody-of-this-name/out", "home"),
    ],
)
def test_no_place_for_a_file(tmp_path, monkeypatch, name, reason):
    """Told before the work as well as after it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for refuse in (check_target, lambda path: write_text(path, "x"), lambda p: create_text(p, "x")):
        with pytest.raises(InvalidInputError) as caught:
            refuse(name)
        assert "\n" not in str(caught.value)
    with pytest.raises(InvalidInputError, match=reason):
        write_text(name, "x")
    assert names(tmp_path) == ["file"]


def test_a_folder_that_must_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(InvalidInputError, match="you may write to"):
        check_target(tmp_path / "out")


def test_a_pipe_takes_the_bytes_and_stays(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    taken = []
    reader = threading.Thread(target=lambda: taken.append((tmp_path / "pipe").read_text()))
    reader.start()
    deadline = threading.Timer(20, lambda: os.open(tmp_path / "pipe", os.O_RDWR))
    deadline.start()
    for _ in range(1000):  # until the reader has opened it
        try:
            write_text(tmp_path / "pipe", "new")
            break
        except InvalidInputError:
            reader.join(0.01)
    reader.join(20)
    deadline.cancel()
    assert taken == ["new"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_pipe_that_nobody_reads_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInputError, match="nobody reads"):
        write_text(tmp_path / "pipe", "new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def device(path, kind, major, minor):
    try:
        os.mknod(path, kind | 0o666, os.makedev(major, minor))
    except PermissionError:
        pytest.skip("only root makes devices")


@pytest.mark.parametrize("minor", [3, 7])
def test_a_sink_takes_the_bytes_and_stays(tmp_path, minor):
    """A null device swallows them, a full one refuses; of our own making, never the real one."""
    device(tmp_path / "sink", stat.S_IFCHR, 1, minor)
    (tmp_path / "link").symlink_to("sink")
    for name in ("sink", "link"):
        try:
            write_text(tmp_path / name, "new")
        except InvalidInputError as error:
            assert "No space left" in str(error), minor  # noqa: PT017
        except OSError as error:
            # a sandbox may forbid devices that it lets us make
            pytest.skip(str(error))
        assert stat.S_ISCHR((tmp_path / "sink").stat().st_mode)
    assert names(tmp_path) == ["link", "sink"]


@pytest.mark.parametrize(("kind", "major", "minor"), [(stat.S_IFBLK, 7, 250), (stat.S_IFCHR, 1, 9)])
def test_other_devices_are_refused(tmp_path, kind, major, minor):
    device(tmp_path / "device", kind, major, minor)
    for refuse in (check_target, lambda path: write_text(path, "new")):
        with pytest.raises(InvalidInputError, match="is a device or a socket"):
            refuse(tmp_path / "device")
    assert stat.S_IFMT((tmp_path / "device").stat().st_mode) == kind


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(InvalidInputError, match="socket"):
            write_text("socket", "new")
    assert names(tmp_path) == ["socket"]


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_standard_output_is_written_to_where_it_stands(tmp_path, name):
    """A file behind it is neither replaced nor overwritten from its beginning."""
    (tmp_path / "link").symlink_to("/dev/stdout")
    code = f"print('before'); from sgdyson._files import write_text; write_text({name!r}, 'new\\n')"
    with (tmp_path / "file").open("wb") as file:
        subprocess.run(
            [sys.executable, "-c", code], stdout=file, check=True, cwd=tmp_path, timeout=60,
            env={**os.environ, "PYTHONUNBUFFERED": ""},  # else nothing is on its way
        )  # fmt: skip
    assert (tmp_path / "file").read_text() == "before\nnew\n"


def test_home_is_not_a_folder_called_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    write_text("~/out", "new")
    assert names(tmp_path) == ["home"]
    assert claim_folder("~/run", "marker", {}, "a run") == tmp_path / "home" / "run"


def test_a_new_file_replaces_nothing(tmp_path):
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("taken", "link"):
        with pytest.raises(InvalidInputError, match="exists"):
            create_text(tmp_path / name, "new")
    with pytest.raises(InvalidInputError, match="encoded"):
        create_text(tmp_path / "half", "half of it, \ud800")
    assert names(tmp_path) == ["link", "taken"]


def test_scratch_names_are_told_from_a_users():
    assert is_scratch(".sgdyson-0123456789abcdef.html")
    assert is_scratch(".sgdyson-0123456789abcdef")
    assert not is_scratch(".sgdyson-notes.html")


class TestFolders:
    @pytest.mark.parametrize("foreign", ["thesis.tex", "marker/x", ".hidden", "campaigns/x"])
    def test_a_folder_with_other_contents_is_not_touched(self, tmp_path, foreign):
        (tmp_path / foreign).parent.mkdir(exist_ok=True)
        (tmp_path / foreign).write_text("mine")
        with pytest.raises(InvalidInputError, match="is not empty"):
            claim_folder(tmp_path, "marker", {"seed": 1}, "a study")
        assert (tmp_path / foreign).read_text() == "mine"
        assert len(names(tmp_path)) == 1

    @pytest.mark.parametrize("content", ["", "{", "[1]", '{"seed": 2}', "[" * 100_000, "\xff"])
    def test_a_claim_of_another_is_refused(self, tmp_path, content):
        (tmp_path / "marker").write_text(content, encoding="latin-1")
        with pytest.raises(InvalidInputError, match="choose another folder"):
            claim_folder(tmp_path, "marker", {"seed": 1}, "a study")

    def test_our_own_is_recognised(self, tmp_path):
        for _ in range(2):
            claim_folder(tmp_path / "a" / "b", "marker", {"seed": 1}, "a study")

    def test_a_file_in_its_place_is_one_sentence(self, tmp_path):
        (tmp_path / "file").touch()
        for name in ("file", "file/below"):
            with pytest.raises(InvalidInputError, match="cannot be used"):
                claim_folder(tmp_path / name, "marker", {}, "a study")
        assert Path(tmp_path / "file").is_file()


@pytest.mark.parametrize(
    ("error", "words"),
    [(OSError("no such group."), "no such group"), (OSError(), "OSError"),
     (OSError(errno.EIO, os.strerror(errno.EIO)), os.strerror(errno.EIO))],
)  # fmt: skip
def test_an_error_of_a_library_is_told_in_its_own_words(error, words):
    """It has no number, so that the system has no words for it."""

    def read():
        raise error

    with pytest.raises(InvalidInputError, match=rf"the disk \({words}\)$"):
        Stored("w", "float64", (3, 3), read).load()
