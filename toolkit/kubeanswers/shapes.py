"""Documents that differ only in names, parsed once: a dump of ten thousand tenants repeats a few hundred shapes.

Names here are DNS-like words with a digit and a letter other than ``e``, so that no plain scalar changes its type when
one takes another's place, and renaming keeps different things different.  A shape is trusted after it has predicted
one document that was also parsed.  Values that do not vary are shared between the documents of a shape.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import field
from itertools import count
from typing import Any, Final

from kubeanswers.records import dataclass

NAME: Final = re.compile(r"(?<![A-Za-z0-9_\-])([a-z][a-z\-]*+[0-9][a-z0-9\-]*+)(?![A-Z_])")
_UNSAFE: Final = ("\\", "!", "\t", "\n%", "\n...", "Secret")
"""What makes a text not worth the trouble: escapes, tags, directives; and nothing of a Secret is remembered."""
_LETTERS: Final = frozenset("abcdfghijklmnopqrstuvwxyz")
_MOST_SHAPES: Final = 4096
_LONGEST: Final = 65536

_VERSION: Final = re.compile(r"v[0-9]+((alpha|beta)[0-9]+)?")
_SHORTEST: Final = 5
"""Shortest word with a digit that is nobody's but a name: ``ipv4`` and the like mean something by themselves."""

Names = tuple[str, ...]
Key = tuple[tuple[object, ...], Names]
"""What is the same in every text of a shape, and the names that stand in this one."""
Document = tuple[Any, int]
"""A value and the line it starts at."""
Formed = tuple[Any, int, int]
"""A value, the line it starts at, and the number of its form."""
UNFORMED: Final = -1
"""Instead of a form's number, for a document that was parsed."""
Fill = Callable[[Names], Any]


@dataclass(slots=True)
class _Shape:
    """One shape: the documents and names it was learnt from, and how to fill in others."""

    value: list[Document]
    names: Names
    trusted: bool = False
    forms: dict[tuple[object, ...], list[int]] = field(default_factory=dict)
    fills: dict[tuple[int, ...], Fill | None] = field(default_factory=dict)

    def filled(self, names: Names) -> list[Document]:
        """Return the documents with other names, sharing what they do not touch."""
        varying = tuple(i for i, (new, old) in enumerate(zip(names, self.names, strict=True)) if new != old)
        if not varying:
            return self.value
        if varying not in self.fills:
            self.fills[varying] = filler(self.value, {self.names[i]: i for i in varying})
        fill = self.fills[varying]
        if fill is None:
            return self.value
        made: list[Document] = fill(names)
        return made


@dataclass(slots=True)
class Shapes:
    """The shapes seen so far in one reading.

    Attributes:
        known: by what is the same in every text of a shape.
        numbers: the next number of a form: documents of one form differ only in names, and these in neither length
            nor meaning.
    """

    known: dict[tuple[object, ...], _Shape] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def find(self, text: str) -> tuple[Key | None, list[Formed] | None]:
        """Return the key of a text, None where it cannot have one, and its documents where the shape is trusted."""
        if not is_safe(text):
            return None, None
        parts = NAME.split(text)
        written = parts[1::2]
        numbers = {name: i for i, name in enumerate(dict.fromkeys(written))}
        if any(_LETTERS.isdisjoint(name) for name in numbers):
            return None, None
        key = ((*parts[::2], *(numbers[name] for name in written)), tuple(map(sys.intern, numbers)))
        shape = self.known.get(key[0])
        if shape is None or not shape.trusted:
            return key, None
        filled = shape.filled(key[1])
        likes = tuple(likeness(name) for name in key[1])
        forms = shape.forms.get(likes)
        if forms is None:
            forms = shape.forms[likes] = [next(self.numbers) for _ in filled]
        return key, [(value, line, form) for (value, line), form in zip(filled, forms, strict=True)]

    def learn(self, key: Key, documents: list[Document]) -> None:
        """Note what a text with that key was parsed to; the second time decides whether the shape is trusted."""
        shape = self.known.get(key[0])
        if shape is not None:
            shape.trusted = shape.filled(key[1]) == documents
            if not shape.trusted:
                del self.known[key[0]]
        elif len(self.known) < _MOST_SHAPES:
            self.known[key[0]] = _Shape(documents, key[1])


def is_safe(text: str) -> bool:
    """Return whether a text is worth remembering: short, plain YAML without a Secret."""
    return len(text) <= _LONGEST and not text.startswith("%") and not any(sign in text for sign in _UNSAFE)


def likeness(name: str) -> object:
    """Return what one name must share with another so that an API server takes both or neither."""
    if len(name) < _SHORTEST or _VERSION.fullmatch(name):
        return name
    return -len(name) if name[-1] == "-" else len(name)


def filler(node: Any, numbers: dict[str, int]) -> Fill | None:
    """Return what makes the node with other names; None where none of them occurs in it."""
    if isinstance(node, str):
        return _text(node, numbers)
    if isinstance(node, dict):
        return _mapping(node, numbers)
    if isinstance(node, list | tuple):
        places = [(i, fill) for i, item in enumerate(node) if (fill := filler(item, numbers)) is not None]
        return _list(node, places) if places else None
    return None


def _text(text: str, numbers: dict[str, int]) -> Fill | None:
    parts = NAME.split(text)
    places = [(i, numbers[part]) for i, part in enumerate(parts) if i % 2 and part in numbers]
    if not places:
        return None
    if len(parts) == 3 and not parts[0] and not parts[2]:
        only = places[0][1]
        return lambda names: names[only]

    def filled(names: Names) -> str:
        made = parts.copy()
        for place, number in places:
            made[place] = names[number]
        return sys.intern("".join(made))

    return filled


def _mapping(node: dict[str, Any], numbers: dict[str, int]) -> Fill | None:
    keys = {key: fill for key in node if (fill := _text(key, numbers)) is not None}
    values = [(key, fill) for key, value in node.items() if (fill := filler(value, numbers)) is not None]
    if not keys and not values:
        return None
    is_textual = all(type(value) is str for value in node.values())

    def fill_mapping(names: Names) -> dict[str, Any]:
        made = node.copy()
        for key, make in values:
            made[key] = make(names)
        if keys:
            made = {keys[key](names) if key in keys else key: value for key, value in made.items()}
        return _once(made) if is_textual else made

    return fill_mapping


def _once(made: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping of texts, the same one for the same texts: a tenant's labels stand on many of its objects."""
    if len(_texts) >= _MOST_TEXTS:
        _texts.clear()
    return _texts.setdefault(tuple(made.items()), made)


_texts: dict[tuple[tuple[str, Any], ...], dict[str, Any]] = {}
_MOST_TEXTS: Final = 1024
"""Mappings kept to be shared; a tenant's objects stand close together."""


def _list(node: list[Any] | tuple[Any, ...], places: list[tuple[int, Fill]]) -> Fill:
    whole = tuple if isinstance(node, tuple) else None

    def filled(names: Names) -> Any:
        made = list(node)
        for place, make in places:
            made[place] = make(names)
        return whole(made) if whole else made

    return filled
