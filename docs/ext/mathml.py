"""MkDocs hook: formulas become MathML at build time, so pages need no script and no network.

`pymdownx.arithmatex` (generic) marks the formulas, of pages and of docstrings alike; browsers
render MathML themselves. A command that the converter does not know stops the build.
"""

import html
import re
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

_BAR, _PRIME = ">&#x0007C;</mo>", "<mi>&#x02032;</mi>"
_NORM = "<mo>&#x02016;</mo>"
_NAMES = "lg|ln|log|exp|sin|cos|tan|arcsin|arccos|arctan|sinh|cosh|tanh"
_FUNCTION = re.compile(rf"<mi>({_NAMES})</mi>(?!<mo)")  # of what stands in no bracket
_ROOT = '<msqrt><mspace width="0" height="0.85em" depth="0.15em"/>'
_MARKED = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
# $$ in the middle of a paragraph of a docstring, of which the extension takes the inner two as $
_WITHIN = re.compile(r'\$<span class="arithmatex">\\\((.*?)\\\)</span>\$', re.DOTALL)
_ENDED = re.compile(r'(<span class="formula">(?:(?!</?span).)*</span>)([,.;:)])', re.DOTALL)
_CODE = re.compile(r"<(script|style|code|pre)\b.*?</\1>", re.DOTALL)


def on_page_content(content: str, *, page: Any, **_: Any) -> str:
    """Replace every marked formula of a page."""

    def replace(match: re.Match[str]) -> str:
        formula = html.unescape(match[3]).strip()
        mathml = convert(formula, display="block" if match[2] == "[" else "inline")
        if "\\" in mathml or "<mi>&</mi>" in mathml:
            raise PluginError(f"{page.file.src_uri}: cannot convert the formula {formula!r}")
        mathml = mathml.replace(_BAR, ' lspace="0" rspace="0"' + _BAR)  # |B| is no relation
        # a bar that stretches would go down to the index below it
        mathml = mathml.replace(_NORM, _NORM.replace("<mo", '<mo stretchy="false"'))
        mathml = _FUNCTION.sub(
            r'<mo lspace="0.1em" rspace="0.17em">\1</mo>', mathml
        )  # lg s, not lgs
        # raised, the sign would be a speck
        mathml = mathml.replace(_PRIME, _PRIME.replace("<mi", '<mi mathsize="125%"'))
        mathml = mathml.replace("<msqrt>", _ROOT)  # over a low letter the sign would hang below it
        return f'<{match[1]} class="formula">{mathml}</{match[1]}>'

    content = _WITHIN.sub(r'<span class="arithmatex">\\[\1\\]</span>', content)
    content = _MARKED.sub(replace, content)
    content = _ENDED.sub(r'<span class="whole">\1\2</span>', content)  # no line begins with a comma
    if stray := re.search(r".{0,40}\$.{0,40}", _CODE.sub("", content)):
        raise PluginError(f"{page.file.src_uri}: a dollar sign that ends no formula: {stray[0]!r}")
    return content
