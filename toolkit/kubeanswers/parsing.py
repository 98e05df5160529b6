"""YAML and JSON text to plain objects, document by document, keeping the documents a later error does not touch.

JSON goes to Python's own reader.  YAML is read from libyaml's events: about twice as fast as building PyYAML's node
tree, and the line of each document comes for free.  Plain scalars are read as the Kubernetes YAML library reads them
(YAML 1.1 booleans, no dates, no base-60 numbers).  One exception: an unquoted ``y`` or ``n`` where the API knows only
text (a name, a label, an argument) is that letter, as Kustomize and YAML 1.2 read it; ``kubectl apply`` refuses
some such files, where this is the more lenient reading.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Generator, Iterator
from dataclasses import field
from typing import Any, Final, NoReturn

import yaml

from kubeanswers.errors import Fault
from kubeanswers.records import dataclass
from kubeanswers.scalars import NOT_JSON, key_text, resolve
from kubeanswers.shapes import UNFORMED, Document, Formed, Shapes

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH: Final = 100
_MAX_VALUES: Final = 2_000_000
_MERGE: Final = "<<"
_TOO_MANY: Final = "has aliases that expand to more than two million values"
_SEPARATOR: Final = "\n---\n"
_NOT_JSON: Final = object()


def _is_simple(event: Any) -> bool:
    return type(event) is yaml.ScalarEvent and event.anchor is None


@dataclass
class _Parser:
    """Builds values from a stream of events; counts what aliases stand for so that they cannot explode."""

    events: Iterator[Any]
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    plain: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    count: int = 0
    expanded: int = 0
    duplicate: int = 0

    def value(self, event: Any, depth: int = 0, textual: bool = False) -> Any:
        if depth > _MAX_DEPTH:
            raise _Refused(event, f"is nested deeper than {_MAX_DEPTH} levels")
        self.count += 1
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self.count
        if isinstance(event, yaml.ScalarEvent):
            made: Any = self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            made = self._mapping(depth, textual)
        else:
            made = self._sequence(depth, textual)
        if event.anchor is not None:
            self.anchors[event.anchor] = (made, self.count - before + 1)
        return made

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            raise _Refused(event, f"alias *{event.anchor} stands before its anchor is complete")
        made, size = self.anchors[event.anchor]
        self.count += size
        self.expanded += size
        if self.expanded > _MAX_VALUES:
            raise _Refused(event, _TOO_MANY)
        return made

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.tag is not None:
            return _tagged(event)
        if not event.implicit[0]:
            return _shared(text)
        try:
            return self.plain[text]
        except KeyError:
            if text in NOT_JSON:
                raise _Refused(event, "holds a number that JSON has no word for, so kubectl refuses it") from None
            made = resolve(text)
            made = self.plain[text] = _shared(made) if type(made) is str else made
            return made

    def _key(self, event: Any) -> str:
        text: str = event.value
        if not event.implicit[0] or event.tag is not None or text[:1] in _LETTERS:
            return sys.intern(text)
        try:
            return self.keys[text]
        except KeyError:
            key = key_text(text)
            if key is None:
                raise _Refused(event, "a key is empty") from None
            key = self.keys[text] = sys.intern(key)
            return key

    def _sequence(self, depth: int, textual: bool) -> list[Any]:
        made: list[Any] = []
        for event in self.events:
            if type(event) is yaml.SequenceEndEvent:
                break
            value = self._plain(event) if _is_simple(event) else self.value(event, depth + 1)
            made.append(event.value if textual and _is_letter(event) else value)
        return made

    def _plain(self, event: Any) -> Any:
        """Return a scalar without an anchor: most of what a file holds, so it takes the short way."""
        self.count += 1
        return self._scalar(event)

    def _mapping(self, depth: int, textual: bool) -> dict[str, Any]:
        made: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        event: Any
        for event in self.events:
            if type(event) is yaml.MappingEndEvent:
                break
            if type(event) is not yaml.ScalarEvent:
                raise _Refused(event, "a key is not text")
            key, mark = self._key(event), event.start_mark
            following = next(self.events)
            if _is_simple(following):
                value = self._plain(following)
                if (value is True or value is False) and (textual or key in _NAMES) and _is_letter(following):
                    value = following.value
            else:
                value = self.value(following, depth + 1, key in _TEXTS)
            if key == _MERGE and event.implicit[0] and event.tag is None:
                for part in value if isinstance(value, list) else [value]:
                    merged = {**(part if isinstance(part, dict) else {}), **merged}
            elif key in made:
                self.duplicate = self.duplicate or (mark.line + 1 if mark else 1)
            else:
                made[key] = value
        return {**merged, **made} if merged else made


def _shared(text: str) -> str:
    """Return a short text as every document that holds it has it: dumps repeat names and words by the thousand."""
    return sys.intern(text) if len(text) <= _SHORT else text


_SHORT: Final = 128


def _tagged(event: Any) -> Any:
    """Return a scalar that says itself what it is; what is not of that kind is refused without being shown."""
    text: str = event.value
    kind = event.tag.removeprefix("tag:yaml.org,2002:")
    if kind not in _TAGGED:
        return text
    made = resolve(text)
    if type(made) not in _TAGGED[kind] or text in NOT_JSON:
        raise _Refused(event, f"holds a value that is no {kind}, though its tag says so")
    return made


_TAGGED: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}
_LETTERS: Final = frozenset("abcdeghijklmpqrsuvwxzABCDEGHIJKLMPQRSUVWXZ")
"""Letters no word that YAML reads as something else than text begins with."""


_NAMES: Final = frozenset(("name", "namespace", "nodeName", "serviceAccountName", "claimName", "secretName", "value"))
"""Fields that hold text in every kind that has them."""
_TEXTS: Final = frozenset(
    (
        *("labels", "annotations", "matchLabels", "nodeSelector", "selector", "data", "stringData"),
        *("args", "command", "values", "namespaces", "resourceNames"),
    )
)
"""Fields that hold texts, by name or in a row, in every built-in kind that has them."""


def _is_letter(event: Any) -> bool:
    return type(event) is yaml.ScalarEvent and event.tag is None and event.value in ("y", "Y", "n", "N")


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """A document is refused: too deep, too large, or not plain data."""

    def __init__(self, event: Any, why: str) -> None:
        super().__init__(why)
        self.line = event.start_mark.line + 1


def parse_documents(text: str, file: str, faults: list[Fault], shapes: Shapes | None = None) -> Iterator[Document]:
    """Yield ``(value, line)`` for every document that is not empty, up to the first one that cannot be read.

    What is wrong is added to ``faults`` without quoting the text, which may hold a Secret.  With ``shapes``, documents
    that differ from earlier ones only in names are not parsed again; they share values with them.
    """
    for value, line, _ in parse_forms(text, file, faults, shapes):
        yield value, line


def parse_forms(text: str, file: str, faults: list[Fault], shapes: Shapes | None) -> Iterator[Formed]:
    """Yield ``(value, line, form)`` for the documents that :func:`parse_documents` yields."""
    made = _from_json(text)
    if made is not _NOT_JSON:
        if made is not None:
            yield made, text.count("\n", 0, len(text) - len(text.lstrip())) + 1, UNFORMED
        return
    line = 0
    for part in [text] if shapes is None else _split(text):
        key, known = shapes.find(part) if shapes is not None else (None, None)
        if known is None:
            before = len(faults)
            made = []
            stopped = yield from _parsed(part, file, line, faults, made)
            if stopped:
                return
            if shapes is not None and key is not None and len(faults) == before:
                shapes.learn(key, made)
        else:
            for value, start, form in known:
                yield value, start + line, form
        line += part.count("\n") + 1


def _split(text: str) -> list[str]:
    """Return the documents of a text, each with the line end that may belong to its last value."""
    parts = text.split(_SEPARATOR)
    return [*(f"{part}\n" for part in parts[:-1]), parts[-1]]


def _parsed(
    text: str, file: str, offset: int, faults: list[Fault], documents: list[Document]
) -> Generator[Formed, None, bool]:
    """Yield and note the documents of a text ``offset`` lines into its file; return whether one is broken."""
    loader = _LOADER(text)
    parser = _Parser(iter(loader.get_event, None))
    try:
        for event in parser.events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            root: Any = next(parser.events)
            parser.anchors.clear()
            parser.count = parser.expanded = parser.duplicate = 0
            made = parser.value(root)
            if parser.duplicate:
                cure = "keep one of the two; the API server refuses the file under strict validation"
                where = f"{file}:{parser.duplicate + offset}"
                faults.append(Fault(where, "a key appears twice in one mapping", cure=cure))
            if made is not None:
                documents.append((made, root.start_mark.line + 1))
                yield made, root.start_mark.line + 1 + offset, UNFORMED
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (mark.line + 1 if mark else 1) + offset
        what = f"YAML syntax: {_unquoted(error.problem or error.context or 'not readable')}"
        faults.append(Fault(f"{file}:{line}", what, cure="correct the YAML; later documents of this file are not read"))
        return True
    except _Refused as error:
        faults.append(Fault(f"{file}:{error.line + offset}", str(error), cure="write the document out plainly"))
        return True
    except (yaml.YAMLError, StopIteration, RecursionError) as error:
        faults.append(Fault(file, f"YAML cannot be read ({type(error).__name__})", cure="save it as UTF-8 YAML text"))
        return True
    finally:
        loader.dispose()
    return False


def _from_json(text: str) -> Any:
    """Return the value of a text that is one JSON document without repeated keys, as kubectl prints it."""
    if text.lstrip()[:1] not in ("{", "["):
        return _NOT_JSON
    try:
        made = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        return _NOT_JSON
    level = [made]
    for _ in range(_MAX_DEPTH + 1):
        inner = (item.values() if isinstance(item, dict) else item for item in level)
        level = [value for values in inner for value in values if isinstance(value, dict | list)]
    return _NOT_JSON if level else made


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key appears twice")
    return made


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:_SHOWN]} is no number in JSON")


_SHOWN: Final = 20


def _unquoted(problem: str) -> str:
    """Drop what a parser message quotes from the text: it may be part of a Secret."""
    return re.sub(r"'[^']{3,}'|\"[^\"]{3,}\"", "'...'", problem)
