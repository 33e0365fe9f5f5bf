"""Texts to learn are as long as was asked for."""

import pytest

from sgdyson.models._corpus import read_text


@pytest.mark.parametrize("of_file", [False, True])
@pytest.mark.parametrize(("most", "length"), [(3, 3), (6, 6), (100, 6)])
def test_a_text_is_cut_to_so_many_characters(tmp_path, of_file, most, length):
    text = "aβcdef"
    (tmp_path / "text").write_text(text, encoding="utf-8")
    assert read_text(tmp_path / "text" if of_file else text, most) == text[:length]
