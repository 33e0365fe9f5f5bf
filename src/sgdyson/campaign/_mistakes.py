"""Mistakes in a spec, as sentences that name the key, the value, the rule and the remedy."""

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


def sentences(error: ValidationError, root: type[BaseModel]) -> list[str]:
    """One sentence for each mistake."""
    return [_sentence(mistake, root) for mistake in error.errors(include_url=False)]


def _sentence(mistake: Any, root: type[BaseModel]) -> str:
    path = [str(word) for word in mistake["loc"]]
    names = _tables(root)
    key = ".".join(word for word in path if word not in names or word in root.model_fields)
    kind = mistake["type"]
    if kind == "extra_forbidden":
        return f"{key} is not known; {_nearest(path, root)}"
    if kind == "missing":
        return f"{key} is missing; add it."
    if kind == "union_tag_not_found":
        return f"{key}.kind is missing; choose one of {', '.join(names)}."
    if kind == "union_tag_invalid":
        return f"{key}.kind = {mistake['ctx']['tag']!r}; choose one of {', '.join(names)}."
    rule = mistake["msg"].removeprefix("Value error, ")
    return f"{key} = {mistake['input']!r}: {rule[0].lower()}{rule[1:]}."


def _tables(root: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """The kinds of model, by their tag."""
    union = root.model_fields["model"].annotation
    return {get_args(kind.model_fields["kind"].annotation)[0]: kind for kind in get_args(union)}


def _nearest(path: list[str], root: type[BaseModel]) -> str:
    """The known key nearest to an unknown one; it may belong to another table."""
    *above, name = path
    owner: Any = root
    for word in above:
        owner = _tables(root).get(word, owner)
        if word in owner.model_fields and word != "model":
            owner = owner.model_fields[word].annotation
    close = difflib.get_close_matches(name, owner.model_fields, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    return f"known are {', '.join(owner.model_fields)}."
