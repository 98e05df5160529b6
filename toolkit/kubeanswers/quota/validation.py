"""What the API server finds wrong with a ResourceQuota's spec.

Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/ (resources, scopes, and which fit together).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.admission.match_validation import is_qualified
from kubeanswers.compute import is_extended, resource_list
from kubeanswers.objects import mapping, mappings, scalar_text, texts

_COMPUTE: Final = frozenset(
    f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in ("cpu", "memory", "ephemeral-storage")
)
_COUNTS: Final = frozenset(
    [
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    ]
)
_STORAGE: Final = frozenset({"requests.storage", "persistentvolumeclaims"})
_STANDARD: Final = _COMPUTE | _COUNTS | _STORAGE
_POD_COMPUTE: Final = frozenset(
    f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in ("cpu", "memory")
)
_FITS: Final[Mapping[str, frozenset[str]]] = {
    "Terminating": _POD_COMPUTE | {"pods"},
    "NotTerminating": _POD_COMPUTE | {"pods"},
    "NotBestEffort": _POD_COMPUTE | {"pods"},
    "BestEffort": frozenset({"pods"}),
    "PriorityClass": _POD_COMPUTE | {"pods"},
    "CrossNamespacePodAffinity": _POD_COMPUTE | {"pods"},
    "VolumeAttributesClass": _STORAGE,
}
_ONLY_EXISTS: Final = frozenset(_FITS) - {"PriorityClass", "VolumeAttributesClass"}
_CONFLICTS: Final = (frozenset({"BestEffort", "NotBestEffort"}), frozenset({"Terminating", "NotTerminating"}))


def quota_faults(spec: Mapping[str, Any]) -> list[str]:
    """Return every fault of the spec (answer 422).

    Raises:
        ValueError: an amount is not a quantity (answer 400).
    """
    hard = resource_list(spec.get("hard"))
    found: list[str] = []
    for name, value in hard.items():
        if not is_qualified(name):
            found.append(f"spec.hard[{name}]: must be a qualified name")
        elif "/" not in name and not _is_standard(name):
            found.append(f"spec.hard[{name}]: must be a standard resource for quota")
        if value < 0:
            found.append(f"spec.hard[{name}]: must be greater than or equal to 0")
        elif (name in _COUNTS or is_extended(name)) and value != value.to_integral_value():
            found.append(f"spec.hard[{name}]: must be an integer")
    scopes = texts(spec.get("scopes"))
    found += _scope_faults("spec.scopes", scopes, hard)
    terms = mappings(mapping(spec.get("scopeSelector")).get("matchExpressions"))
    found += _scope_faults("spec.scopeSelector", [scalar_text(item.get("scopeName")) for item in terms], hard)
    for item in terms:
        found += _term_faults(item)
    return found


def scope_change_faults(spec: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """Return the fault of an update that changes the scopes (answer 422)."""
    same = set(texts(spec.get("scopes"))) == set(texts(old.get("scopes")))
    return [] if same else ["spec.scopes: field is immutable"]


def _is_standard(name: str) -> bool:
    return name in _STANDARD or name.removeprefix("requests.").startswith("hugepages-")


def _scope_faults(place: str, scopes: list[str], hard: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    for scope in scopes:
        if scope not in _FITS:
            found.append(f"{place}: unsupported scope {scope}")
        elif any(_is_standard(name) and name not in _FITS[scope] for name in hard):
            found.append(f"{place}: unsupported scope applied to resource")
    if any(pair <= set(scopes) for pair in _CONFLICTS):
        found.append(f"{place}: conflicting scopes")
    return found


def _term_faults(item: Mapping[str, Any]) -> list[str]:
    scope, operator = scalar_text(item.get("scopeName")), scalar_text(item.get("operator"))
    values = texts(item.get("values"))
    place = "spec.scopeSelector.matchExpressions"
    if scope in _ONLY_EXISTS and operator != "Exists":
        return [f"{place}.operator: must be Exists for scope {scope}"]
    if operator in ("In", "NotIn"):
        return [] if values else [f"{place}.values: must be at least one value when operator is In or NotIn"]
    if operator in ("Exists", "DoesNotExist"):
        return [f"{place}.values: must be no value when operator is Exists or DoesNotExist"] if values else []
    return [f"{place}.operator: not a valid selector operator"]
