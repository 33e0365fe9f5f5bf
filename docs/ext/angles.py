"""MkDocs hook: `<S>` in a text is a mean, and no HTML that strikes out the rest of the page.

In docstrings every `<` is a sign; in pages, where HTML is used, the one before a single letter that
names no element of a text. Code and formulas are left alone. A page with an element that no page
should have stops the build.
"""

import re
from typing import Any

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from mkdocs.exceptions import PluginError

_LEFT_ALONE = r"(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)|\$[^$]*\$"
_ANY = re.compile(rf"{_LEFT_ALONE}|<(?=/?[A-Za-z])", re.DOTALL)
_SINGLE = re.compile(rf"{_LEFT_ALONE}|<(?=[A-Zc-hj-oqrstv-z](\^\d)?>)", re.DOTALL)
_AFTER_FENCES, _IN_DOCSTRINGS = 21, "mkdocstrings_ids"
_ELEMENTS = """a abbr article autoref b blockquote br button code div em figcaption figure h1 h2 h3
    h4 h5 h6 hr img label li nav ol p path pre script small span strong style sub sup svg table
    tbody td th thead tr ul video"""
_MATHS = re.compile(r"<math.*?</math>", re.DOTALL)
_STRONG = re.compile(r"<em>(.*?)</em>", re.DOTALL)
_WHOLE = re.compile(r"[^,;()](?:[^()]|\([^()]*\))*")  # no stars as of a conjugate or of `*kernel`
_ELEMENT = re.compile(r"<([A-Za-z][^\s>/]*)")


class _Angles(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        sign = _ANY if _IN_DOCSTRINGS in self.md.treeprocessors else _SINGLE
        text = sign.sub(lambda m: "&lt;" if m[0] == "<" else m[0], "\n".join(lines))
        return text.split("\n")


class _Signs(Extension):
    def extendMarkdown(self, md: Markdown) -> None:  # the name that Markdown calls
        md.preprocessors.register(_Angles(md), "angles", _AFTER_FENCES)


def on_config(config: Any) -> Any:
    """Have pages and docstrings read so."""
    config.markdown_extensions.append(_Signs())
    return config


def on_page_content(content: str, *, page: Any, **_: Any) -> str:
    """Stop at an element that no page should have, such as that of a text struck out."""
    for name in _ELEMENT.findall(_MATHS.sub("", content)):
        if name.lower() not in _ELEMENTS.split():
            raise PluginError(f"{page.file.src_uri}: <{name}> was read as HTML; write `<{name}>`")
    for words in _STRONG.findall(content):
        if not _WHOLE.fullmatch(words):
            raise PluginError(
                f"{page.file.src_uri}: two stars around {words!r}, not shown; use code"
            )
    return content
