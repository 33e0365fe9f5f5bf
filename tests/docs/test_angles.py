"""What stands between angles in a docstring is seen on its page, and strikes out nothing."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

markdown = pytest.importorskip("markdown")
errors = pytest.importorskip("mkdocs.exceptions")

FILE = Path(__file__).parents[2] / "docs" / "ext" / "angles.py"
SPEC = importlib.util.spec_from_file_location("angles", FILE)
angles = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(angles)


def converted(text, docstring):
    config = angles.on_config(SimpleNamespace(markdown_extensions=[]))
    md = markdown.Markdown(extensions=config.markdown_extensions)
    if docstring:  # as mkdocstrings marks its own
        md.treeprocessors.register(markdown.treeprocessors.Treeprocessor(md), "mkdocstrings_ids", 1)
    return md.convert(text)


@pytest.mark.parametrize("text", ["the <S> of a pair", "<s^2> = 4/pi", "<r> of many", "a <X>"])
def test_means_are_seen(text):
    for docstring in (True, False):
        html = converted(text, docstring)
        assert text.replace("<", "&lt;").replace(">", "&gt;") in html


@pytest.mark.parametrize("text", ["<sum of x^2> = n", "n <tr M^4>/<tr M^2>^2", "a <b and c> d"])
def test_all_signs_of_a_docstring_are_seen(text):
    html = converted(text, docstring=True)
    assert html.count("&lt;") == text.count("<")


@pytest.mark.parametrize("docstring", [True, False])
def test_code_is_left_alone(docstring):
    assert "<code>a &lt;S&gt; b</code>" in converted("`a <S> b` and", docstring)


def test_html_of_a_page_stays_and_other_elements_stop_the_build():
    page = SimpleNamespace(file=SimpleNamespace(src_uri="a.md"))
    html = converted('<span class="x">text</span>\n\n<p>more</p> and <b>more</b>', docstring=False)
    assert "&lt;" not in html
    assert angles.on_page_content(html, page=page) == html
    for lost in ("((A, B), (-B*, A*))", "(out, *kernel); is (*kernel, in)"):
        with pytest.raises(errors.PluginError, match="two stars"):
            angles.on_page_content(converted(lost, docstring=True), page=page)
    for wrong in ("<S> of a pair", "<sum of x>", "<del>"):
        with pytest.raises(errors.PluginError, match="was read as HTML"):
            angles.on_page_content(f"<p>{wrong}</p>", page=page)
