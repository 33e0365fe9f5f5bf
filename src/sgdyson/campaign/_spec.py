"""A campaign as a file: read, checked as a whole, spread over its settings, hashed."""

import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .._capacity import in_words
from .._failures import reason_of
from .._files import user_path
from .._version import __version__
from ..errors import InvalidInputError, require
from ._lists import combinations, mistakes_of_lists, replaced, varied_in
from ._mistakes import sentences
from ._setting import Setting, check_model, sha256_of

_MOST_BYTES = 1_000_000  # of a spec: the largest that someone writes has some thousand


@dataclass(frozen=True)
class Spec:
    """A campaign: its settings, in the order of the grid.

    Attributes:
        raw: as it was read.
        varied: values of every parameter that is a list, by name.
        settings: all of them; the last varied parameter changes fastest.
        version: of sgdyson, which gives the values their meaning.
    """

    raw: dict[str, Any]
    varied: dict[str, list[Any]]
    settings: list[Setting]
    version: str = field(default_factory=lambda: __version__)

    @cached_property
    def data(self) -> list[str]:
        """Fingerprints of what networks learn, a text or a data set; empty for other models."""
        models = {setting.model: setting for setting in self.settings}.values()
        settings = (setting.build().settings() for setting in models)
        sources = (
            str(words[name]) for words in settings for name in ("corpus", "data") if name in words
        )
        return list(dict.fromkeys(sources))

    @property
    def first(self) -> Setting:
        """The first setting, asked for what all of them share."""
        return self.settings[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the grid: an axis for each varied parameter, or one for a zip."""
        if self.first.vary == "zip" and self.varied:
            return (len(self.settings),)
        return tuple(len(values) for values in self.varied.values())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every value, of the data, and of the version that gives them their meaning."""
        return self.digest_of(self.version)

    def digest_of(self, version: str, data: Any = None) -> str:
        """The digest as another version, or with other data, would have it."""
        words = {"version": version, "settings": self.settings, "varied": self.varied}
        return sha256_of(words | {"data": self.data if data is None else data})


def read_spec(path: Path | str) -> Spec:
    """Read and check a spec file.

    Raises:
        InvalidInputError: every mistake in the file, a line each.
    """
    path = user_path(path)
    try:
        size = path.stat().st_size
        require(
            size <= _MOST_BYTES,
            f"{path} has {in_words(size)}; a spec has at most {in_words(_MOST_BYTES)}.",
        )
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read ({reason_of(error)}); `sgdyson new NAME` writes a spec to"
            " start from."
        ) from error
    except RecursionError as error:
        raise InvalidInputError(f"{path} is nested too deeply; flatten it.") from error
    except ValueError as error:  # TOML's, UTF-8's, and Python's own of very long numbers
        raise InvalidInputError(f"{path} is not TOML: {error}.") from error
    return parse_spec(raw, str(path))


def parse_spec(raw: dict[str, Any], source: str = "spec") -> Spec:
    """Check a spec given as nested dictionaries; see `read_spec`."""
    varied = dict(varied_in(raw))
    mistakes = mistakes_of_lists(raw, varied)
    settings: list[Setting] = []
    if not mistakes:
        for values in combinations(raw, varied):
            try:
                setting = Setting.model_validate(
                    replaced(raw, dict(zip(varied, values, strict=True)))
                )
                check_model(setting)
                settings.append(setting)
            except ValidationError as error:
                mistakes += sentences(error, Setting)
            except InvalidInputError as error:
                mistakes.append(str(error))
    if mistakes:
        lines = "\n".join(f"  * {line}" for line in dict.fromkeys(mistakes))
        raise InvalidInputError(f"{source} has mistakes:\n{lines}")
    return Spec(raw, varied, settings)
