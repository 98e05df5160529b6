"""Files that differ only in the name they stand under, read once: ten thousand tenants have the same few files each.

What a file of a folder ``research-0042`` holds is that of the files beside it under other names, with this name where
theirs stands.  Names are those of ``shapes``: words with a digit and a letter other than ``e``, so that no plain scalar
changes its type when one takes another's place.  What a file is predicted to hold is trusted after one prediction that
was also parsed; values the name is not in are shared between the files.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import field
from typing import Any, Final

from kubeanswers.records import dataclass
from kubeanswers.shapes import NAME, Fill, Formed, filler, is_safe

_NAME: Final = re.compile(r"(?=[a-z-]*[0-9])[a-z][a-z0-9-]{3,251}[a-z0-9]")
"""Names that one may take another's place of: both ends are letters or digits, none is short enough to be a word."""
_MARKS: Final = frozenset("cdfgijkmnoqrsuwxyz")
"""Letters that neither a number nor a version of an API (``v1beta2``) is written with: a name has one of them."""
_BLANK: Final = "\0"
_MOST_TEXT: Final = 16 * 1024 * 1024
"""Characters of texts remembered (assumption: hundreds of different files of a tenant)."""
_LONGEST_KEY: Final = 512


@dataclass(slots=True)
class _Twin:
    """What was read once, and how it is filled in for other names."""

    name: str
    found: list[Formed]
    words: tuple[str, ...] = ()
    fills: list[Fill | None] = field(default_factory=list)
    trusted: bool = False
    forms: dict[int, list[int]] = field(default_factory=dict)

    def filled(self, name: str, forms: list[int]) -> list[Formed]:
        """Return what a file of another name holds, with the numbers of its forms."""
        names = tuple([sys.intern(word.replace(_BLANK, name)) for word in self.words])
        return [
            (data if make is None else make(names), line, form)
            for make, (data, line, _), form in zip(self.fills, self.found, forms, strict=True)
        ]


@dataclass(slots=True)
class Twins:
    """The files seen so far in one reading.

    Attributes:
        numbers: the next number of a form, as ``shapes`` has it.
    """

    numbers: Iterator[int]
    _known: dict[str, _Twin | None] = field(default_factory=dict)
    _size: int = 0

    def find(self, text: str, name: str) -> tuple[str | None, list[Formed] | None]:
        """Return what is the same in every file of a kind, None where nothing is; and the objects, once that is known.

        Args:
            text: what the file holds.
            name: what it stands under; empty for nothing.
        """
        if not name or _BLANK in text:
            return None, None
        key = text.replace(name, _BLANK)
        twin = self._known.get(key)
        if twin is None or not twin.trusted:
            return (key if is_safe(text) else None), None
        forms = twin.forms.get(len(name))
        if forms is None:
            forms = twin.forms[len(name)] = [next(self.numbers) for _ in twin.found]
        return key, twin.filled(name, forms)

    def learn(self, key: str, name: str, found: list[Formed]) -> None:
        """Note what a file held that was parsed; the second of a kind decides whether they are trusted."""
        if key in self._known:
            twin = self._known[key]
            if twin is not None and name != twin.name:
                predicted = twin.filled(name, [form for _, _, form in found]) if len(found) == len(twin.found) else None
                twin.trusted = predicted == found
                if not twin.trusted:
                    self._known[key] = None
        elif self._size + len(key) <= _MOST_TEXT and _short_keys(found):
            self._size += len(key)
            words = tuple(dict.fromkeys(word for word in NAME.findall(key.replace(_BLANK, name)) if name in word))
            numbers = {word: i for i, word in enumerate(words)}
            blanks = tuple(word.replace(name, _BLANK) for word in words)
            self._known[key] = _Twin(name, found, blanks, [filler(data, numbers) for data, _, _ in found])


def _short_keys(node: Any) -> bool:
    """Return whether every key stays one with a longer name in it: YAML allows 1024 characters."""
    if isinstance(node, dict):
        return all(len(key) <= _LONGEST_KEY and _short_keys(value) for key, value in node.items())
    return not isinstance(node, list | tuple) or all(map(_short_keys, node))


def name_of(path: str) -> str:
    """Return what a file stands under: the innermost part of its path that is a name; empty where none is."""
    for part in reversed(path.split("/")):
        stem = part.removesuffix(".yaml").removesuffix(".yml")
        if _NAME.fullmatch(stem) and not _MARKS.isdisjoint(stem):
            return stem
    return ""
