"""Custom resources: is the version current, are the required fields there, does the project know the others.

What is known of each kind stands in ``custom_kinds.yaml`` with its source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.source import read_yaml

_BUILT_IN: Final = frozenset(
    {
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
_CONSTRAINTS: Final = "constraints.gatekeeper.sh"
_CONSTRAINT_FIELDS: Final = ("enforcementAction", "match", "parameters", "scopedEnforcementActions")
_ALWAYS: Final = frozenset({"apiVersion", "kind", "metadata", "status"})


@dataclass(frozen=True)
class CustomKind:
    """What is known of one kind of custom resource.

    Attributes:
        api_version: current group and version.
        kind: kind.
        namespaced: whether it lives in a namespace.
        source: where it is defined.
        top: fields beside metadata.
        required: required fields by the path of their parent; lists are written ``parent[]``.
        fields: known fields by the path of their parent.
    """

    api_version: str
    kind: str
    namespaced: bool
    source: str
    top: tuple[str, ...]
    required: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, tuple[str, ...]]


@cache
def known_kinds() -> Mapping[tuple[str, str], CustomKind]:
    """Return the custom kinds that are known, by group and kind."""
    document = read_yaml(Path(__file__).with_name("custom_kinds.yaml"), name="custom_kinds.yaml")
    found: dict[tuple[str, str], CustomKind] = {}
    for entry in document.data["entries"]:
        group = entry["apiVersion"].rpartition("/")[0]
        found[(group, entry["kind"])] = CustomKind(
            api_version=entry["apiVersion"],
            kind=entry["kind"],
            namespaced=entry["namespaced"],
            source=entry["source"],
            top=tuple(entry["top"]),
            required={path: tuple(names) for path, names in entry.get("required", {}).items()},
            fields={path: tuple(names) for path, names in entry.get("fields", {}).items()},
        )
    return found


def is_custom(api_version: str) -> bool:
    """Return whether a group is not one of Kubernetes itself."""
    group = api_version.rpartition("/")[0]
    return "." in group and group not in _BUILT_IN


def is_known(api_version: str, kind: str) -> bool:
    """Return whether the fields of a custom kind are known here."""
    group = api_version.rpartition("/")[0]
    known = known_kinds().get((group, kind))
    return group == _CONSTRAINTS or (known is not None and known.api_version == api_version)


def faults(obj: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a custom resource; a kind or version nobody here knows has no faults.

    Another version of a known kind may well be served: operators serve several, as their definitions say.
    """
    api_version, kind = str(obj.get("apiVersion")), str(obj.get("kind"))
    group = api_version.rpartition("/")[0]
    if group == _CONSTRAINTS:
        return _constraint_faults(obj)
    known = known_kinds().get((group, kind))
    if known is None or api_version != known.api_version:
        return []
    found: list[str] = []
    if (obj.get("metadata") or {}).get("namespace") and not known.namespaced:
        found.append(f"metadata.namespace: {kind} is cluster-scoped")
    unknown = sorted(set(obj) - set(known.top) - _ALWAYS)
    found += [_unknown(name, name, known.top) for name in unknown]
    found += [f"{name}: is required" for name in known.required.get("", ()) if name not in obj]
    for name in known.top:
        if name in obj:
            found += _below(name, name, obj[name], known)
    return found


def _below(path: str, shape: str, value: Any, known: CustomKind) -> Iterator[str]:
    """Yield the faults of a value; ``path`` is where it stands, ``shape`` the same with lists written ``[]``."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _below(f"{path}[{index}]", f"{shape}[]", item, known)
        return
    if not isinstance(value, Mapping):
        return
    for name in known.required.get(shape, ()):
        if name not in value:
            yield f"{path}.{name}: is required"
    allowed = known.fields.get(shape)
    if allowed is None:
        return
    for name, inner in value.items():
        if name not in allowed:
            yield _unknown(f"{path}.{name}", str(name), allowed)
        else:
            yield from _below(f"{path}.{name}", f"{shape}.{name}", inner, known)


def _unknown(path: str, name: str, allowed: tuple[str, ...]) -> str:
    meant = did_you_mean(name, allowed)
    return f"{path}: unknown field" + (f"; {meant}" if meant else "")


def _constraint_faults(obj: Mapping[str, Any]) -> list[str]:
    spec = obj.get("spec") or {}
    return [_unknown(f"spec.{name}", name, _CONSTRAINT_FIELDS) for name in spec if name not in _CONSTRAINT_FIELDS]
