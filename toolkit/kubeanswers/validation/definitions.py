"""CustomResourceDefinitions as schemas that objects are held against: which kinds they define, at which versions.

A definition whose schema is broken defines nothing here: it is told as a fault of its own, and objects of its kind
stay unjudged rather than taken for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.objects import mapping, mappings, scalar_text
from kubeanswers.records import dataclass
from kubeanswers.validation.structure import Structure

_GROUP: Final = "apiextensions.k8s.io/"


@dataclass(frozen=True)
class Defined:
    """One kind as a definition states it.

    Attributes:
        group: API group.
        kind: kind.
        plural: resource name.
        namespaced: whether it lives in a namespace.
        versions: schema of each served version.
        with_status: versions whose status is written by its own subresource, so that a create drops it.
    """

    group: str
    kind: str
    plural: str
    namespaced: bool
    versions: Mapping[str, Structure]
    with_status: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Definitions:
    """Kinds by group and name.

    Attributes:
        kinds: what is defined.
        broken: names of definitions that define nothing usable, with the reason.
    """

    kinds: Mapping[tuple[str, str], Defined] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    def find(self, api_version: str, kind: str) -> Defined | None:
        """Return the kind of a group, whatever the version."""
        return self.kinds.get((api_version.rpartition("/")[0], kind))

    def joined(self, other: Definitions) -> Definitions:
        """Return both, the other's kinds before one's own."""
        return Definitions({**self.kinds, **other.kinds}, {**self.broken, **other.broken})


def is_definition(obj: Mapping[str, Any]) -> bool:
    """Return whether an object defines a kind."""
    return obj.get("kind") == "CustomResourceDefinition" and scalar_text(obj.get("apiVersion")).startswith(_GROUP)


def definitions_of(objects: Iterable[Mapping[str, Any]]) -> Definitions:
    """Return the kinds that CustomResourceDefinitions among the objects define."""
    kinds: dict[tuple[str, str], Defined] = {}
    broken: dict[str, str] = {}
    for obj in objects:
        if not is_definition(obj):
            continue
        name = scalar_text(mapping(obj.get("metadata")).get("name"))
        try:
            found = _defined(mapping(obj.get("spec")))
        except (TypeError, ValueError, KeyError) as error:
            broken[name] = str(error)
            continue
        kinds[(found.group, found.kind)] = found
    return Definitions(kinds, broken)


def _defined(spec: Mapping[str, Any]) -> Defined:
    names = mapping(spec.get("names"))
    group, kind = scalar_text(spec.get("group")), scalar_text(names.get("kind"))
    if not group or not kind:
        raise ValueError("it names no group or kind")
    versions = {name: Structure.of(schema) for name, schema in _schemas(spec)}
    if not versions:
        raise ValueError("it serves no version")
    with_status = frozenset(
        scalar_text(one.get("name"))
        for one in mappings(spec.get("versions"))
        if "status" in mapping(one.get("subresources")) or "status" in mapping(spec.get("subresources"))
    )
    plural, scope = scalar_text(names.get("plural")), scalar_text(spec.get("scope"))
    return Defined(group, kind, plural, scope == "Namespaced", versions, with_status)


def _schemas(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the served versions with their schemas; the one of all versions where a version brings none."""
    common = mapping(mapping(spec.get("validation")).get("openAPIV3Schema"))
    for one in mappings(spec.get("versions")):
        if one.get("served") is not False:
            own = mapping(one.get("schema")).get("openAPIV3Schema")
            if own is not None and not isinstance(own, Mapping):
                raise ValueError("the schema is no mapping")
            yield scalar_text(one.get("name")), own or common or {"type": "object", **_OPEN}


_OPEN: Final = {"x-kubernetes-preserve-unknown-fields": True}
