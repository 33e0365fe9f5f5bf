"""From the name of a matrix to a key that is a file's name on any disk, and its own."""

import unicodedata

_LONGEST = 200  # bytes of UTF-8; names of files end at 255, and a key has words before it


class Keys:
    """Keys by name; what was given once stays.

    Args:
        given: keys by name, of a store that is gone on with.
    """

    def __init__(self, given: dict[str, str]) -> None:
        self._keys = dict(given)
        self._taken = {_folded(key) for key in given.values()}

    def __getitem__(self, name: str) -> str:
        if name not in self._keys:
            plain, number = _plain(name), 1
            key = plain
            while _folded(key) in self._taken:  # names that differ in signs, case or length only
                number += 1
                key = f"{plain}~{number}"
            self._keys[name] = key
            self._taken.add(_folded(key))
        return self._keys[name]


def _plain(name: str) -> str:
    signs = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    return signs.encode()[:_LONGEST].decode(errors="ignore")


def _folded(key: str) -> str:
    """Equal for keys that some disk takes for one."""
    return unicodedata.normalize("NFC", key).casefold()
