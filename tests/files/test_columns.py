"""Columns whole where there is room, the most wanted of them where there is not."""

import pytest

from sgdyson._columns import Columns

NAME = "a name of forty characters, more or less"
KEPT = {"name": [NAME, "b"], "n": ["1", "22"]}
OTHERS = {key: [key * 6, key] for key in "abcdef"}
HEADS = {key: key.upper() for key in OTHERS}


@pytest.fixture
def columns():
    return Columns(KEPT, OTHERS, HEADS, ("e", "b"))


def test_all_of_them_where_there_is_room(columns, capsys):
    assert columns.fitting(columns.width) == list(OTHERS)
    columns.show("a remedy")
    told = capsys.readouterr()
    assert NAME in told.out
    assert told.err == ""
    assert max(map(len, told.out.splitlines())) == columns.width


@pytest.mark.parametrize("width", range(40, 100))
def test_what_is_shown_fits_and_is_the_most_wanted(columns, width):
    shown = columns.fitting(width)
    order = ["e", "b", "a", "c", "d", "f"]
    assert set(shown) == set(order[: len(shown)])
    assert shown == sorted(shown)
    name = max(26, width // 4)  # what it is folded to
    assert name + 5 + 9 * len(shown) < width or not shown


def test_what_is_left_out_is_named(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sgdyson._columns.console", lambda width: _Narrow())
    columns.show("a remedy")
    assert capsys.readouterr().err == "no room in this terminal for C, D, F; a remedy\n"


class _Narrow:
    width = 60

    def print(self, table):
        assert [column.header for column in table.columns] == ["name", "n", "A", "B", "E"]
