"""Where a kustomization's changes are made: Kustomize's own places, and those that ``configurations`` add.

Source: https://github.com/kubernetes-sigs/kustomize/tree/master/examples/transformerconfigs
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.objects import mappings, scalar_text
from kubeanswers.records import dataclass

FieldSpec = tuple[str, str, tuple[str, ...], bool]
"""Group and kind (empty for any), path, and whether what is missing is created."""
_SLASH: Final = re.compile(r"(?<!\\)/")
_FIELDS: Final = {
    "namePrefix": "prefixes", "nameSuffix": "suffixes", "namespace": "namespaces", "commonLabels": "selectors",
    "labels": "labels", "templateLabels": "templates", "volumeClaimTemplateLabels": "claims",
    "commonAnnotations": "annotations", "images": "images", "replicas": "replicas", "varReference": "variables",
}  # fmt: skip


@dataclass
class Settings:
    """Places beside Kustomize's own, as the kustomizations built so far add them.

    Attributes:
        prefixes: names that prefixes are put on.
        suffixes: names that suffixes are put on.
        namespaces: fields that hold the namespace.
        selectors: labels that ``commonLabels`` writes.
        labels: labels that ``labels`` writes.
        templates: labels that ``labels`` writes with its templates.
        claims: labels that ``labels`` writes with its claim templates.
        annotations: annotations.
        images: images.
        replicas: numbers of replicas.
        variables: text in which ``$(NAME)`` is replaced.
        references: (kind referred to, place) of names that follow the object they mean.
    """

    prefixes: list[FieldSpec] = field(default_factory=list)
    suffixes: list[FieldSpec] = field(default_factory=list)
    namespaces: list[FieldSpec] = field(default_factory=list)
    selectors: list[FieldSpec] = field(default_factory=list)
    labels: list[FieldSpec] = field(default_factory=list)
    templates: list[FieldSpec] = field(default_factory=list)
    claims: list[FieldSpec] = field(default_factory=list)
    annotations: list[FieldSpec] = field(default_factory=list)
    images: list[FieldSpec] = field(default_factory=list)
    replicas: list[FieldSpec] = field(default_factory=list)
    variables: list[FieldSpec] = field(default_factory=list)
    references: list[tuple[str, FieldSpec]] = field(default_factory=list)

    def add(self, data: Mapping[str, Any]) -> Iterator[str]:
        """Add the places of a configuration file; yield the names of what is none of its fields."""
        for key, value in data.items():
            if key in _FIELDS:
                getattr(self, _FIELDS[key]).extend(map(field_spec, mappings(value)))
            elif key == "nameReference":
                for entry in mappings(value):
                    kind = scalar_text(entry.get("kind"))
                    self.references.extend((kind, field_spec(one)) for one in mappings(entry.get("fieldSpecs")))
            elif key not in ("apiVersion", "kind", "metadata"):
                yield str(key)

    def absorb(self, other: Settings) -> None:
        """Take in the places of a kustomization this one builds on."""
        for name in (*_FIELDS.values(), "references"):
            own = getattr(self, name)
            own.extend(spec for spec in getattr(other, name) if spec not in own)


def field_spec(data: Mapping[str, Any]) -> FieldSpec:
    """Return a place as a configuration or a plugin writes it."""
    path = tuple(part.replace("\\/", "/") for part in _SLASH.split(scalar_text(data.get("path"))))
    return scalar_text(data.get("group")), scalar_text(data.get("kind")), path, data.get("create") is True


def specs(text: str) -> tuple[FieldSpec, ...]:
    """Return ``group Kind path/to/field`` lines; ``*`` is any, a path ending in ``+`` is created."""
    found = []
    for row in text.split("\n"):
        if row.strip():
            group, kind, path = row.split()
            parts = tuple(path.removesuffix("+").split("/"))
            found.append((group.strip("*"), kind.strip("*"), parts, path.endswith("+")))
    return tuple(found)


def fitting(places: Iterable[FieldSpec], group: str, kind: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield path and whether it is created of the places that mean objects of a group and kind."""
    for wanted_group, wanted_kind, path, create in dict.fromkeys(places):
        if wanted_kind in ("", kind) and wanted_group in ("", group):
            yield path, create
