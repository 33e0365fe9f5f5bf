"""Output that the system does not take is told at the end, with the status of a fault."""

import errno
import io
import os

import pytest

from sgdyson.cli import _end


@pytest.mark.parametrize(("code", "reason"), [(errno.ENOSPC, "No space"), (errno.EIO, "rror")])
def test_output_that_is_not_taken_at_the_end_is_a_sentence(monkeypatch, capsys, code, reason):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(_end.sys, "stdout", Full())
    with pytest.raises(SystemExit) as end:
        _end._end(0)
    _end.sys.stdout.close()  # the sink in its place
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("sgdyson: ")
    assert reason in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("status", [0, 1, 130])
def test_a_status_is_that_of_the_command(status):
    with pytest.raises(SystemExit) as end:
        _end._end(status)
    assert end.value.code == status
