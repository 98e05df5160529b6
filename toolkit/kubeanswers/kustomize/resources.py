"""The objects of a kustomization while it is built: what they are now, what they were called, how they are selected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from kubeanswers.kinds import builtin_kinds
from kubeanswers.objects import DEFAULT_NAMESPACE, Where, mapping, scalar_text, text_map
from kubeanswers.records import dataclass
from kubeanswers.selectors import Requirement, Selector

_SET_TERM: Final = re.compile(r"^([^\s!=,()]+)\s+(in|notin)\s+\(([^)]*)\)$")


class Identity(NamedTuple):
    """Group, kind, namespace (empty for a cluster-scoped kind) and name."""

    group: str
    kind: str
    namespace: str
    name: str


@dataclass(slots=True, eq=False)
class Resource:
    """One object on its way through a build; its data is replaced, never changed in place, for it may be shared.

    Attributes:
        data: the object.
        where: where it was read.
        earlier: what it was called before each change of its name or namespace.
        prefixes: name prefixes put on it, innermost first.
        suffixes: name suffixes, likewise.
        hashed: whether its name ends in a hash of its content.
        read: the object as it was read; None for one that is generated.
    """

    data: Mapping[str, Any]
    where: Where
    earlier: tuple[Identity, ...] = ()
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    hashed: bool = False
    read: Mapping[str, Any] | None = None

    @property
    def kind(self) -> str:
        """The object's kind."""
        return str(self.data.get("kind", ""))

    @property
    def group(self) -> str:
        """The object's API group."""
        return str(self.data.get("apiVersion", "")).rpartition("/")[0]

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The object's metadata."""
        return mapping(self.data.get("metadata"))

    @property
    def name(self) -> str:
        """The object's name now."""
        return scalar_text(self.metadata.get("name"))

    @property
    def written_namespace(self) -> str:
        """The namespace written in the object; empty where none is."""
        return scalar_text(self.metadata.get("namespace"))

    @property
    def namespaced(self) -> bool:
        """Whether its kind lives in a namespace; Kustomize takes kinds it does not know for such."""
        entry = builtin_kinds().find(self.group, self.kind)
        return entry is None or entry.namespaced

    @property
    def identity(self) -> Identity:
        """What it is called now."""
        return _identity(self.data)

    def become(self, data: Any) -> None:
        """Take other data.

        Raises:
            ValueError: it is no object any more.
        """
        if not isinstance(data, Mapping):
            raise ValueError("it leaves no object")  # noqa: TRY004 - a patch, not the code, is wrong
        self.data = data

    def remember(self) -> None:
        """Note what it is called, before that changes."""
        self.earlier = (*self.earlier, self.identity)

    def named(self, **fields: str) -> None:
        """Set fields of its metadata."""
        self.data = {**self.data, "metadata": {**self.metadata, **fields}}


def _identity(data: Mapping[str, Any]) -> Identity:
    group = str(data.get("apiVersion", "")).rpartition("/")[0]
    kind = str(data.get("kind", ""))
    metadata = mapping(data.get("metadata"))
    entry = builtin_kinds().find(group, kind)
    spaced = entry is None or entry.namespaced
    space = (scalar_text(metadata.get("namespace")) or DEFAULT_NAMESPACE) if spaced else ""
    return Identity(group, kind, space, scalar_text(metadata.get("name")))


def identity_of(data: Mapping[str, Any]) -> Identity:
    """Return the identity an object or patch states."""
    return _identity(data)


def changed(node: Any, path: tuple[str, ...], change: Callable[[Any], Any], empty: Any = None) -> Any:
    """Return ``node`` with ``change`` made at every place the path leads to, through lists; the rest is shared.

    Args:
        node: plain data.
        path: keys; one that ends in ``[]`` must hold a list.
        change: makes the new value from the old one.
        empty: what a missing end is taken for and created from; None leaves it missing.
    """
    if isinstance(node, list):
        made = [changed(item, path, change, empty) for item in node]
        return made if any(new is not old for new, old in zip(made, node, strict=True)) else node
    if not path:
        return change(node)
    if not isinstance(node, Mapping):
        return node
    key = path[0].removesuffix("[]")
    inner = node.get(key)
    if inner is None:
        if empty is None or key != path[0]:
            return node
        inner = {} if len(path) > 1 else empty
        return {**node, key: changed(inner, path[1:], change, empty)}
    new = changed(inner, path[1:], change, empty)
    return node if new is inner else {**node, key: new}


def label_selector(text: str) -> Selector:
    """Return the selector of ``a=b,c in (d,e),!f``.

    Raises:
        ValueError: the text is no selector.
    """
    terms = [term.strip() for term in re.split(r",(?![^(]*\))", text) if term.strip()]
    return Selector(tuple(_term(term) for term in terms))


def _term(text: str) -> Requirement:
    found = _SET_TERM.match(text)
    if found:
        values = frozenset(value.strip() for value in found[3].split(","))
        return Requirement(found[1], "In" if found[2] == "in" else "NotIn", values)
    for sign, operator in (("!=", "NotIn"), ("==", "In"), ("=", "In")):
        key, given, value = text.partition(sign)
        if given and key.strip():
            return Requirement(key.strip(), operator, frozenset({value.strip()}))
    key = text.removeprefix("!").strip()
    if not key or re.search(r"[\s=()]", key):
        raise ValueError(f"{text!r} is not a selector")
    return Requirement(key, "DoesNotExist" if text.startswith("!") else "Exists", frozenset())


@dataclass(frozen=True)
class Target:
    """Which objects a patch or a replacement is for; every field is a regular expression for the whole text.

    Raises:
        ValueError: a field is no regular expression or no selector.
    """

    fields: Mapping[str, re.Pattern[str]]
    labels: Selector
    annotations: Selector

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Target:
        """Return the target a kustomization writes."""
        try:
            fields = {
                key: re.compile(scalar_text(data[key]))
                for key in ("group", "version", "kind", "name", "namespace")
                if data.get(key)
            }
        except re.error as error:
            raise ValueError(f"{error.pattern!r} is not a regular expression") from None
        return cls(
            fields,
            label_selector(scalar_text(data.get("labelSelector"))),
            label_selector(scalar_text(data.get("annotationSelector"))),
        )

    def selects(self, resource: Resource, identities: Iterable[Identity] | None = None) -> bool:
        """Return whether it means the object; name and namespace may be today's or the first ones."""
        now = resource.identity
        known = list(identities) if identities is not None else [resource.earlier[0] if resource.earlier else now, now]
        version = str(resource.data.get("apiVersion", "")).rpartition("/")[2]
        return (
            self._fits("group", resource.group)
            and self._fits("version", version)
            and self._fits("kind", resource.kind)
            and any(self._fits("name", one.name) for one in known)
            and any(self._fits("namespace", one.namespace) for one in known)
            and self.labels.matches(text_map(resource.metadata.get("labels")))
            and self.annotations.matches(text_map(resource.metadata.get("annotations")))
        )

    def _fits(self, key: str, value: str) -> bool:
        pattern = self.fields.get(key)
        return pattern is None or pattern.fullmatch(value) is not None
