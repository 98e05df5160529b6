"""Tenants that differ in nothing but their name: an export of ten thousand has a handful of kinds of them.

Tenants are alike where their files are one text with their name in it (``kubeanswers.twins``), where nothing else in
the set says their names or a beginning of them, and where no pattern looks into names from behind: exchanging two of
them then changes no answer but the names in it.  Whoever has a file of its own, or an object that a kustomization
changed, is alike nobody; where a name is spoken of elsewhere, nobody is taken for alike, and everybody is asked.
What adds up over tenants (queues) is not asked here: whoever asks a few looks at that over everybody.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from kubeanswers.objects import ManifestObject, ObjectSet
from kubeanswers.records import dataclass
from kubeanswers.shapes import UNFORMED
from kubeanswers.twins import name_of
from kubeanswers.validation.references import Dangling, dangling

BLANK: Final = "\0"
ASKED: Final = 21
"""Tenants of a kind that are asked for the others: one more than any list of examples holds."""
_FEWEST: Final = 64
"""Tenants of a kind from which on it is worth it (assumption)."""
_DIGIT: Final = re.compile(r"[0-9]")
_OTHER: Final = re.compile(r"[^a-z0-9\0]+")
_PATTERN: Final = re.compile(
    r"""[*?\]][^\s'"]*[0-9]|\[[^\]'"\s]*[0-9]"""
    r"""|\b(?:endsWith|contains|matches|find|findAll|startsWith)\(\s*r?['"][^'"]*[0-9]"""
    r"""|\b(?:substring|charAt|split|indexOf|lastIndexOf|reverse|replace|int|uint|double)\("""
)
"""What may tell names by a part of them: globs and regular expressions with a digit, CEL that takes texts apart."""


@dataclass(frozen=True, eq=False)
class Kind:
    """Names of tenants whose objects differ in this name only, in the order they were read.

    Attributes:
        names: their names, as their files say them; differing in digits alone.
    """

    names: tuple[str, ...]

    @cached_property
    def stem(self) -> str:
        """What every name begins with, up to its first digit, letters and digits only."""
        return _bare(_DIGIT.split(self.names[0], maxsplit=1)[0])

    def asked(self, more: int = 0) -> tuple[str, ...]:
        """Return those that are asked for all."""
        return self.names[: ASKED + more]


def alike(objects: ObjectSet, said: Iterable[str] = ()) -> tuple[Kind, ...]:
    """Return the kinds of tenants that differ in nothing but their name; none where that is not certain.

    Args:
        objects: the set.
        said: what else may speak of names: options of whoever asks.
    """
    spoken = tuple(said)
    return objects.derived(f"alike {spoken}", lambda: _alike(objects, spoken))


def dangling_of(objects: ObjectSet) -> tuple[Dangling, ...]:
    """Return every reference to what is not there, as ``dangling`` does; tenants that are alike are asked as a few."""
    kinds = alike(objects)
    names = {name for kind in kinds for name in kind.names}
    found = dangling(with_few(objects, kinds)) if kinds else ()
    return found if kinds and not any(ref.item.where.twin in names for ref in found) else dangling(objects)


def _alike(objects: ObjectSet, said: Iterable[str]) -> tuple[Kind, ...]:
    kinds, members = _kinds(objects)
    if not kinds or not all(_in_order(kind.names) for kind in kinds):
        return ()
    rest = [item for item in objects if item.where.twin not in members]
    first = {kind.names[0]: kind for kind in kinds}
    own: dict[Kind, set[str]] = {kind: set() for kind in kinds}
    for item in objects:
        if item.where.twin in first:
            own[first[item.where.twin]].update(_blanked(item.data, item.where.twin))
    outside = set(said)
    others: dict[str, str] = {}
    for item in rest:
        name = others.setdefault(item.where.file, name_of(item.where.file))
        outside.update(_blanked(item.data, name))
    names = {*members, *filter(None, others.values())}
    free = not any(after.startswith(before) for before, after in pairwise(sorted(names)))
    if not free or _speaks(outside.union(*own.values()), {kind.stem for kind in kinds}):
        return ()
    return kinds if all(_apart(kind, own[kind], kinds) for kind in kinds) else ()


def with_few(objects: ObjectSet, kinds: Sequence[Kind], more: int = 0) -> ObjectSet:
    """Return the set with those of each kind that are asked for all, and everything that is of no kind."""
    left = {name for kind in kinds for name in kind.names[ASKED + more :]}
    kept = tuple(item for item in objects if item.where.twin not in left)
    return ObjectSet(kept, objects.duplicates, objects.kinds)


def _kinds(objects: ObjectSet) -> tuple[tuple[Kind, ...], frozenset[str]]:
    """Return the names that hold the same objects, and all of these names."""
    barred = {name_of(item.where.file) for pair in objects.duplicates for item in pair}
    held: dict[str, list[object]] = {}
    last: ManifestObject | None = None
    for item in objects:
        where = item.where
        if where.twin:
            if where.form == UNFORMED:
                barred.add(where.twin)
            parts = held.setdefault(where.twin, [])
            if last is None or last.where.file is not where.file:
                parts.append(where.file.replace(where.twin, BLANK))
            parts.append(where.form)
        last = item
    alone = {item.where.file for item in objects if not item.where.twin}
    barred |= {name_of(file) for file in alone}
    found: dict[object, list[str]] = {}
    for name, parts in held.items():
        if name not in barred:
            found.setdefault((_DIGIT.sub("0", name), tuple(parts)), []).append(name)
    kinds = tuple(Kind(tuple(names)) for names in found.values() if len(names) >= _FEWEST)
    return kinds, frozenset(name for kind in kinds for name in kind.names)


def _in_order(names: Sequence[str]) -> bool:
    """Return whether those that are asked are the first by name, too: lists of examples begin with the first."""
    return sorted(names)[: ASKED + 1] == list(names[: ASKED + 1])


def _blanked(data: Any, name: str) -> Iterator[str]:
    """Yield every text of an object, keys included, with a blank for a name."""
    if isinstance(data, str):
        yield data.replace(name, BLANK) if name else data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _blanked(key, name)
            yield from _blanked(value, name)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _blanked(value, name)


def _bare(text: str) -> str:
    """Return a text as words are compared: letters and digits only, in lower case."""
    return _OTHER.sub("", text.lower())


def _speaks(texts: Iterable[str], stems: Iterable[str]) -> bool:
    """Return whether a text says a beginning of names that not all share, or looks into names by a pattern."""
    begins = re.compile("|".join(f"{re.escape(stem)}[0-9]" for stem in stems))
    return any(begins.search(_bare(text)) or _PATTERN.search(text) for text in texts)


def _apart(kind: Kind, texts: Iterable[str], kinds: Iterable[Kind]) -> bool:
    """Return whether what the names stand in reads as no other name, whichever of them is filled in."""
    begins = {other.stem: re.compile(f"{re.escape(other.stem)}[0-9]") for other in kinds}
    places = Counter({bare: bare.count(BLANK) for text in texts if BLANK in (bare := _bare(text))})
    return all(
        len(begin.findall(bare.replace(BLANK, name))) == (count if stem == kind.stem else 0)
        for name in map(_bare, kind.names)
        for bare, count in places.items()
        for stem, begin in begins.items()
    )
