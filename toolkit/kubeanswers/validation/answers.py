"""Sets of objects held against what an API server takes: every fault with its file, line and field.

Objects that differ only in names are judged once: a tree of ten thousand tenants repeats a few hundred shapes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.objects import ManifestObject, Where, mapping
from kubeanswers.records import dataclass
from kubeanswers.shapes import NAME, UNFORMED, likeness
from kubeanswers.validation.definitions import Definitions
from kubeanswers.validation.places import at_line, line_of
from kubeanswers.validation.schema import DEFAULT_VERSION, is_judged, validate_object

_MOST_SHAPES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Invalid:
    """One thing an API server would refuse.

    Attributes:
        item: the object.
        field: path of the field.
        what: what is wrong with it.
        where: file and line of the field.
    """

    item: ManifestObject
    field: str
    what: str
    where: Where

    @property
    def cure(self) -> str:
        """What to do about it."""
        if "did you mean" in self.what:
            return "write it so"
        if "unknown field" in self.what:
            return "remove it, or write the field this version knows"
        if "does not serve" in self.what:
            return "write a version that is served"
        if "is required" in self.what or "required property" in self.what:
            return "add it"
        return "correct the value"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "object": str(self.item),
            "apiVersion": self.item.data.get("apiVersion"),
            "file": self.where.file,
            "line": self.where.line,
            "field": self.field,
            "what": self.what,
            "cure": self.cure,
        }

    def __str__(self) -> str:
        return f"{self.where}: {self.item}: {self.field}: {self.what}; {self.cure}"


@dataclass
class Validator:
    """Judges objects one after another for one version of Kubernetes, each shape once.

    Attributes:
        version: Kubernetes minor version.
        definitions: custom kinds at hand.
        by_form: whether objects are judged as they were read, so that one of each form tells about the others.
        unjudged: how many objects there were of kinds whose fields are not known here, by group and kind.
    """

    version: str = DEFAULT_VERSION
    definitions: Definitions = field(default_factory=Definitions)
    by_form: bool = False
    unjudged: Counter[str] = field(default_factory=Counter)
    _seen: dict[Any, tuple[str, ...]] = field(default_factory=dict)

    def texts(self, obj: Mapping[str, Any], form: int | None = None) -> tuple[str, ...]:
        """Return every fault of an object as ``field: what is wrong``; ``form`` is its number among equal ones."""
        key = shape_of(obj) if form is None else form
        found = self._seen.get(key) if key is not None else None
        if found is None:
            found = tuple(validate_object(obj, self.version, definitions=self.definitions))
            if found:
                return found  # faults quote names: each object has its own
            if key is not None and len(self._seen) < _MOST_SHAPES:
                self._seen[key] = found
        return found

    def faults(self, item: ManifestObject) -> Iterator[Invalid]:
        """Yield what is wrong with an object, each with the line of its field."""
        form = item.where.form if self.by_form and item.where.form != UNFORMED else None
        if form is not None and form in self._seen:
            return
        if not is_judged(item.data, self.definitions):
            self.unjudged[f"{item.kind}.{item.group}"] += 1
            form = None  # each of them is counted
        for text in self.texts(item.data if form is not None else _without_marks(item), form):
            path, _, what = text.partition(": ")
            place = "" if path == "object" else path
            yield Invalid(item, place or "object", what, at_line(item.where, line_of(item, place)))


def invalid(
    objects: Iterable[ManifestObject], version: str = DEFAULT_VERSION, definitions: Definitions | None = None
) -> Iterator[Invalid]:
    """Yield everything an API server would refuse of some objects."""
    validator = Validator(version, definitions or Definitions())
    for item in objects:
        yield from validator.faults(item)


def shape_of(obj: Mapping[str, Any]) -> Any:
    """Return what is the same in every object that differs only in names of equal length; None for what has no shape.

    Names here are words with a digit, as tenants are numbered; different names stay different.
    """
    try:
        text = json.dumps(obj, ensure_ascii=False)
    except (TypeError, ValueError):
        return None
    parts = NAME.split(text)
    numbers: dict[str, int] = {}
    for index in range(1, len(parts), 2):
        word = parts[index]
        parts[index] = f"\0{numbers.setdefault(word, len(numbers))}:{likeness(word)}"
    return hash("\1".join(parts)), len(text)


def _without_marks(item: ManifestObject) -> Mapping[str, Any]:
    """Return an object as it would be sent: values of Secrets are not read, so nothing is said of them."""
    if (item.group, item.kind) != ("", "Secret"):
        return item.data
    data = mapping(item.data.get("data"))
    shown = dict.fromkeys(data, "e30=")  # base64 of an empty JSON object: right for every type there is
    return {**item.data, **({"data": shown} if data else {})}
