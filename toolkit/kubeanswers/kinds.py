"""Which REST resource a kind is served under, and whether it lives in a namespace.

Manifests speak of kinds, RBAC and admission of resources; the table in ``kinds.yaml`` joins the two for the built-in
API and for the custom resources tenancy tooling uses. CustomResourceDefinitions in the audited set extend it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from functools import cache, cached_property
from importlib import resources
from typing import Any, Final

import yaml

from kubeanswers.records import dataclass

_VERSION: Final = re.compile(r"v[0-9]+((alpha|beta)[0-9]+)?\.")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object and the resource it is served under.

    Attributes:
        group: API group; empty for the core group.
        kind: the kind, as in a manifest.
        resource: plural resource name, as in an RBAC rule.
        namespaced: whether objects of the kind live in a namespace.
        short: names kubectl accepts for it besides the plural.
    """

    group: str
    kind: str
    resource: str
    namespaced: bool
    short: tuple[str, ...] = ()


@cache
def _builtin() -> tuple[Kind, ...]:
    kinds: list[Kind] = []
    text = resources.files("kubeanswers").joinpath("kinds.yaml").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, Sequence[str]]]
    table = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe loader, in C
    for group, scopes in table.items():
        for scope, entries in scopes.items():
            for entry in entries:
                kind, resource, *short = entry.split()
                name = "" if group == "core" else group
                kinds.append(Kind(name, kind, resource, scope == "namespaced", tuple(short)))
    return tuple(kinds)


@dataclass(frozen=True)
class KindTable:
    """The kinds known to an audit: the built-in ones and those of the set's CustomResourceDefinitions."""

    by_kind: Mapping[tuple[str, str], Kind]
    by_resource: Mapping[tuple[str, str], Kind]
    by_word: Mapping[str, Kind] = field(repr=False)

    def find(self, group: str, kind: str) -> Kind | None:
        """Return the kind's entry, or None where it is unknown."""
        return self.by_kind.get((group, kind))

    def served_as(self, resource: str) -> Sequence[Kind]:
        """Return the kinds of any group that are served under a plural resource name."""
        return self._by_plural.get(resource, ())

    @cached_property
    def _by_plural(self) -> Mapping[str, Sequence[Kind]]:
        found: dict[str, list[Kind]] = {}
        for (_, resource), kind in self.by_resource.items():
            found.setdefault(resource, []).append(kind)
        return found

    def resource(self, word: str) -> tuple[str, str]:
        """Return (group, resource) for what a person types: ``deploy``, ``pods``, ``roles.rbac.authorization.k8s.io``.

        An unknown word is taken as a resource of the core group, the way RBAC itself would; a version between resource
        and group (``deployments.v1.apps``) is left out.
        """
        name, _, group = word.partition(".")
        if _VERSION.match(group):
            group = group.partition(".")[2]
        if group:
            return group, name
        known = self.by_word.get(word.lower())
        return (known.group, known.resource) if known else ("", word)


def kind_table(definitions: Iterable[Mapping[str, Any]] = ()) -> KindTable:
    """Return the table of built-in kinds, extended by the given CustomResourceDefinition objects."""
    kinds = [*_builtin(), *(kind for data in definitions if (kind := _from_definition(data)))]
    by_word: dict[str, Kind] = {}
    for kind in kinds:
        for word in (kind.resource, kind.kind.lower(), *kind.short):
            by_word.setdefault(word, kind)
    return KindTable(
        by_kind={(kind.group, kind.kind): kind for kind in kinds},
        by_resource={(kind.group, kind.resource): kind for kind in kinds},
        by_word=by_word,
    )


@cache
def builtin_kinds() -> KindTable:
    """Return the table of the built-in kinds alone."""
    return kind_table()


def _from_definition(data: Mapping[str, Any]) -> Kind | None:
    spec = data.get("spec")
    if data.get("kind") == "ConstraintTemplate" and isinstance(spec, Mapping):
        return _from_template(spec)
    names = spec.get("names") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(names, Mapping):
        return None
    group, kind, plural = spec.get("group"), names.get("kind"), names.get("plural")
    if not (isinstance(group, str) and isinstance(kind, str) and isinstance(plural, str)):
        return None
    short = names.get("shortNames")
    words = tuple(str(word) for word in short) if isinstance(short, list) else ()
    return Kind(group, kind, plural, spec.get("scope") != "Cluster", words)


def _from_template(spec: Mapping[str, Any]) -> Kind | None:
    """Return the kind of constraint a Gatekeeper template defines."""
    names: Any = spec
    for key in ("crd", "spec", "names"):
        names = names.get(key) if isinstance(names, Mapping) else None
    kind = names.get("kind") if isinstance(names, Mapping) else None
    return Kind("constraints.gatekeeper.sh", kind, kind.lower(), namespaced=False) if isinstance(kind, str) else None
