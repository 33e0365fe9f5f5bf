"""Tables of the pages are whole: each begins with a head, and all rows have its cells."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def tables(text):
    """Runs of lines that begin with a bar, outside code and formulas."""
    text = re.sub(r"^```.*?^```|\$\$.*?\$\$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [block.splitlines() for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)]


def cells(row):
    """A bar in code or behind a backslash parts nothing."""
    bare = re.sub(r"`[^`]*`|\\\|", "", row.strip())
    return bare.strip("|").count("|") + 1


def faults(text):
    for table in tables(text):
        if len(table) < 3 or not re.fullmatch(r"\|(\s*:?-+:?\s*\|)+\s*", table[1]):
            yield f"a table without a head: {table[0]}"
        yield from (row for row in table if cells(row) != cells(table[0]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_are_whole(page):
    assert list(faults(page.read_text(encoding="utf-8"))) == []


def test_a_table_that_is_cut_or_ragged_is_found():
    whole = "| a | b |\n|---|---|\n| `x|y` | $\\lvert B \\rvert$ |\n"
    assert list(faults(whole)) == []
    assert list(faults(whole + "\n| c | d |\n"))
    assert list(faults(whole + "| c | |B| |\n"))


def test_the_first_page_has_the_table_of_the_readme():
    """Word for word, with links that are right where it stands."""
    readme, first = (
        path.read_text(encoding="utf-8") for path in (PAGES[0], ROOT / "docs/index.md")
    )
    [jobs] = [table for table in tables(readme) if table[0].startswith("| job |")]
    assert [row.replace("](docs/", "](") for row in jobs] in tables(first)
