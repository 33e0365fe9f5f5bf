"""What does not fit is refused beforehand, with what it takes and what there is."""

import pytest

from sgdyson import _capacity
from sgdyson._capacity import available_memory, free_disk, in_words, require_disk, require_memory
from sgdyson.errors import InvalidInputError

MEMINFO = "MemTotal:       64000000 kB\nMemFree:  1000 kB\nMemAvailable:   48000000 kB\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of 49 GB, whose files tell what is written into them."""
    monkeypatch.setattr(_capacity, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(_capacity, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(_capacity, "_free_of_the_process", lambda: None)
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text(MEMINFO)
    return tmp_path


def write(folder, **numbers):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in numbers.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


def test_the_machine_says_what_is_available(machine):
    assert available_memory() == 48_000_000 * 1024


@pytest.mark.parametrize(
    ("line", "folder", "limit", "used"),
    [
        ("0::/user/run", "user/run", "memory__max", "memory__current"),
        ("0::/user/run/inner", "user/run", "memory__max", "memory__current"),
        ("0::/", "", "memory__max", "memory__current"),
        ("0::/../../elsewhere", "", "memory__max", "memory__current"),
        ("4:memory:/box", "memory/box", "memory__limit_in_bytes", "memory__usage_in_bytes"),
        ("4:memory:/box", "memory", "memory__limit_in_bytes", "memory__usage_in_bytes"),
    ],
)
def test_a_container_has_less(machine, line, folder, limit, used):
    """Of either version, of its own group or of one above; its cache of files is given up."""
    (machine / "proc" / "self" / "cgroup").write_text(f"2:cpu:/box\n{line}\n")
    stat = "anon 5\ninactive_file 1000"
    write(machine / "cgroup" / folder, **{limit: 9000, used: 6000, "memory__stat": stat})
    assert available_memory() == 9000 - 6000 + 1000


def test_a_group_without_a_limit_is_none(machine):
    (machine / "proc" / "self" / "cgroup").write_text("0::/box\n")
    write(machine / "cgroup" / "box", memory__max="max", memory__current=6000)
    assert available_memory() == 48_000_000 * 1024


@pytest.mark.parametrize("need", [10**14, 8e18, float("inf"), 10**400])
def test_too_much_is_refused_with_what_there_is(machine, tmp_path, need):
    with pytest.raises(InvalidInputError, match=r"replicas = 7 would take .*B of memory, and 49"):
        require_memory(need, "replicas = 7")
    with pytest.raises(InvalidInputError, match=r"take .*B on disk, and .*B are free in .*; wait"):
        require_disk(need, tmp_path, "it", "wait")


def test_what_fits_passes(machine, tmp_path):
    require_memory(10**9, "it")
    require_disk(1, tmp_path / "not" / "there" / "yet", "it")


def test_the_disk_of_a_folder_that_is_not_there_is_that_of_the_one_above(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "new" / "newer", tmp_path / "file" / "below"):
        assert free_disk(folder) == pytest.approx(free_disk(tmp_path), abs=1 << 30)


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 B"), (999, "999 B"), (999.9, "1 kB"), (2.5e9, "2.5 GB"), (8e12, "8 TB")],
)
def test_bytes_in_words(number, words):
    assert in_words(number) == words


def test_no_more_than_the_limit_of_a_group(machine):
    """Its cache of files may be larger than what is counted as used: it is given up once."""
    (machine / "proc" / "self" / "cgroup").write_text("0::/box\n")
    write(machine / "cgroup" / "box", memory__max=9000, memory__current=500)
    write(machine / "cgroup" / "box", memory__stat="inactive_file 800")
    assert available_memory() == 9000


def test_what_fits_exactly_passes(machine):
    require_memory(48_000_000 * 1024, "it")
    with pytest.raises(InvalidInputError):
        require_memory(48_000_000 * 1024 + 1, "it")


def test_a_limit_of_the_process_less_what_it_has(machine, monkeypatch):
    """`ulimit -v`, in bytes; the system counts in pages what is used."""
    import resource

    monkeypatch.undo()
    monkeypatch.setattr(_capacity, "_PROC", machine / "proc")
    monkeypatch.setattr(_capacity, "_CGROUPS", machine / "cgroup")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (10**9, resource.RLIM_INFINITY))
    (machine / "proc" / "self" / "statm").write_text("1000 500 300 1 0 400 0\n")
    assert available_memory() == 10**9 - 1000 * resource.getpagesize()
