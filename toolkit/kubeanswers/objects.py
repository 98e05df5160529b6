"""Kubernetes objects as an audit sees them: parsed data and the place they were read from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property, lru_cache
from typing import Any, Final, TypeVar

from kubeanswers.kinds import KindTable, builtin_kinds, kind_table
from kubeanswers.records import dataclass

T = TypeVar("T")

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
DEFAULT_NAMESPACE: Final = "default"
"""Where kubectl puts a namespaced object whose manifest names no namespace, unless told otherwise."""


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in the input.

    Attributes:
        file: the file.
        line: first line of the document.
        index: position of the object in the file.
        form: number of the form that what was read there shares with others (see ``shapes``); -1 for none.
        twin: the name it stands under, where all objects of its form differ in this name only (see ``twins``).
    """

    file: str
    line: int = 1
    index: int = 0
    form: int = field(default=-1, compare=False, repr=False)
    twin: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, eq=False)
class ManifestObject:
    """One Kubernetes object; two objects are the same only if they are one reading.

    Attributes:
        data: the object as plain data; values of a Secret are not in it.
        where: where it was read.
        namespaced: whether its kind lives in a namespace (an unknown kind does if its manifest says so).
        known: whether its kind is built in or defined by a CustomResourceDefinition of the set.
    """

    data: Mapping[str, Any]
    where: Where
    namespaced: bool = True
    known: bool = True
    group: str = field(init=False)
    version: str = field(init=False)
    kind: str = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        metadata = self.metadata
        group, version, kind = _words(str(self.data.get("apiVersion", "")), str(self.data.get("kind", "")))
        object.__setattr__(self, "group", group)
        object.__setattr__(self, "version", version)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "name", str(metadata.get("name") or metadata.get("generateName") or ""))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The object's metadata; empty where the manifest has none."""
        return mapping(self.data.get("metadata"))

    @property
    def spec(self) -> Mapping[str, Any]:
        """The object's spec; empty where the manifest has none."""
        return mapping(self.data.get("spec"))

    @property
    def labels(self) -> Mapping[str, str]:
        """The object's labels, as text."""
        return text_map(self.metadata.get("labels"))

    @property
    def annotations(self) -> Mapping[str, str]:
        """The object's annotations, as text."""
        return text_map(self.metadata.get("annotations"))

    @property
    def namespace(self) -> str:
        """The namespace the object lives in; empty for a cluster-scoped kind."""
        if not self.namespaced:
            return ""
        return str(self.metadata.get("namespace") or DEFAULT_NAMESPACE)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Group, kind, namespace and name: what must be unique in a cluster."""
        return (self.group, self.kind, self.namespace, self.name)

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespaced else ""
        return f"{self.kind} {place}{self.name}"

    def __repr__(self) -> str:
        return f"<{self} at {self.where}>"


@lru_cache(maxsize=4096)
def _words(version: str, kind: str) -> tuple[str, str, str]:
    """Return group, version and kind: a few words, repeated by every object of a dump."""
    group, _, version = version.rpartition("/")
    return sys.intern(group), sys.intern(version), sys.intern(kind)


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is a mapping, else an empty one: audited manifests may hold anything anywhere."""
    if type(value) is dict:  # what a reader makes; the general question takes four times as long
        return value
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> list[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the mappings of a list, dropping anything else in it."""
    return [item for item in sequence(value) if isinstance(item, Mapping)]


def texts(value: object) -> list[str]:
    """Return the plain values of a list as text."""
    return [
        item if isinstance(item, str) else str(item) for item in sequence(value) if not isinstance(item, dict | list)
    ]


def name_of(data: Mapping[str, Any]) -> str:
    """Return ``metadata.name`` of an object's data; empty where it has none."""
    return scalar_text(mapping(data.get("metadata")).get("name"))


def text_map(value: object) -> Mapping[str, str]:
    """Return a mapping's plain values as text; booleans read as Kubernetes would quote them."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key): scalar_text(item) for key, item in value.items() if not isinstance(item, dict | list)}


def scalar_text(value: object) -> str:
    """Return a plain value as the text it was written as."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


@dataclass(frozen=True)
class ObjectSet:
    """The objects of one audit, in the order they were read.

    Of objects with the same identity the last one counts, as it would after ``kubectl apply``;
    ``duplicates`` keeps the ones it replaced.
    """

    objects: tuple[ManifestObject, ...]
    duplicates: tuple[tuple[ManifestObject, ManifestObject], ...] = ()
    kinds: KindTable = field(default_factory=builtin_kinds, repr=False)
    _derived: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _by_place: dict[tuple[str, str], dict[tuple[str, str], ManifestObject]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def derived(self, name: str, make: Callable[[], T]) -> T:
        """Return what follows from the objects alone, made once per name: several evaluators ask for the same."""
        if name not in self._derived:
            self._derived[name] = make()
        found: T = self._derived[name]
        return found

    def __iter__(self) -> Iterator[ManifestObject]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    @cached_property
    def _by_kind(self) -> Mapping[tuple[str, str], list[ManifestObject]]:
        found: dict[tuple[str, str], list[ManifestObject]] = {}
        for item in self.objects:
            found.setdefault((item.group, item.kind), []).append(item)
        return found

    def of(self, group: str, *kinds: str) -> list[ManifestObject]:
        """Return the objects of the given kinds of one API group, in reading order per kind."""
        return [item for kind in kinds for item in self._by_kind.get((group, kind), ())]

    def get(self, group: str, kind: str, namespace: str, name: str) -> ManifestObject | None:
        """Return the object with that identity, or None."""
        index = self._by_place.get((group, kind))
        if index is None:
            found = self._by_kind.get((group, kind), ())
            index = self._by_place[group, kind] = {(item.namespace, item.name): item for item in found}
        return index.get((namespace, name))

    @cached_property
    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """Labels by namespace, for every namespace declared or used; each carries ``kubernetes.io/metadata.name``.

        The API server sets that label on every namespace and refuses any other value of it.
        """
        labels: dict[str, dict[str, str]] = {}
        for item in self.of("", "Namespace"):
            labels[item.name] = dict(item.labels)
        for item in self.objects:
            if item.namespaced:
                labels.setdefault(item.namespace, {})
        for name, known in labels.items():
            known["kubernetes.io/metadata.name"] = name
        return labels

    @property
    def unknown_kinds(self) -> tuple[ManifestObject, ...]:
        """Objects whose kind is neither built in nor defined by the set: listed, never silently passed over."""
        return tuple(item for item in self.objects if not item.known)


def object_set(raw: Iterable[tuple[Mapping[str, Any], Where]]) -> ObjectSet:
    """Return the object set of parsed manifests; lists must have been taken apart before.

    CustomResourceDefinitions anywhere in the input decide the scope of their kinds everywhere in it.
    """
    pairs = list(raw)
    table = kind_table(
        data for data, _ in pairs if data.get("kind") in ("CustomResourceDefinition", "ConstraintTemplate")
    )
    kept: dict[tuple[str, str, str, str], ManifestObject] = {}
    duplicates: list[tuple[ManifestObject, ManifestObject]] = []
    for data, where in pairs:
        item = _typed(data, where, table)
        key = item.identity if mapping(data.get("metadata")).get("name") else (*item.identity[:3], f"\0{len(kept)}")
        if kept.setdefault(key, item) is not item:
            duplicates.append((kept.pop(key), item))
            kept[key] = item
    return ObjectSet(tuple(kept.values()), tuple(duplicates), table)


def scrubbed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object without Secret values: only their keys remain, and no annotation that repeats the manifest."""
    metadata = mapping(data.get("metadata"))
    annotations = mapping(metadata.get("annotations"))
    if _LAST_APPLIED in annotations:
        kept = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        data = {**data, "metadata": {**metadata, "annotations": kept}}
    if data.get("kind") != "Secret":
        return data
    clean = {key: value for key, value in data.items() if key not in ("data", "stringData")}
    keys = sorted({*mapping(data.get("data")), *mapping(data.get("stringData"))})
    return {**clean, "data": dict.fromkeys(keys, "")}


def from_dicts(objects: Iterable[Mapping[str, Any]], file: str = "<objects>") -> ObjectSet:
    """Return the object set of objects built in memory; each one's place is its position."""
    return object_set((data, Where(file, 1, i)) for i, data in enumerate(objects))


def _typed(data: Mapping[str, Any], where: Where, table: KindTable) -> ManifestObject:
    group, _, kind = _words(str(data.get("apiVersion", "")), str(data.get("kind", "")))
    entry = table.find(group, kind)
    if entry is not None:
        return ManifestObject(data, where, entry.namespaced)
    return ManifestObject(data, where, bool(mapping(data.get("metadata")).get("namespace")), known=False)
