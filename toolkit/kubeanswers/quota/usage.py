"""What one object uses of a ResourceQuota, and which quotas it counts against.

Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/ (compute, storage, object counts, devices, scopes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from kubeanswers.compute import (
    ResourceList,
    amount,
    container_amounts,
    highest,
    is_best_effort,
    is_extended,
    is_huge_page,
    pod_total,
    resource_list,
)
from kubeanswers.kinds import KindTable
from kubeanswers.objects import mapping, mappings, scalar_text, texts

_ONE: Final = Decimal(1)
_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
_MUST_SAY: Final = frozenset(f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in ("cpu", "memory"))
_LEGACY_COUNTS: Final = frozenset(
    {"configmaps", "secrets", "resourcequotas", "replicationcontrollers", "services", "persistentvolumeclaims"}
)
_ALL_DEVICES: Final = Decimal(32)
"""Devices a request for all of them may be given at most (resource.k8s.io API, AllocationResultsMaxSize)."""

_RESIZING: Final = "PodResizePending"
_BY_CLASS: Final = "deviceclass.resource.kubernetes.io/"
"""What a device class is called where containers ask for its devices as for any other resource."""

_STORAGE_CLASS: Final = ".storageclass.storage.k8s.io/"
_DEVICE_CLASS: Final = ".deviceclass.resource.k8s.io/devices"


def usage(data: Mapping[str, Any], kinds: KindTable) -> ResourceList:
    """Return what the object counts for, by quota resource name.

    Raises:
        ValueError: an amount is not a quantity.
    """
    group = scalar_text(data.get("apiVersion")).rpartition("/")[0]
    kind = scalar_text(data.get("kind"))
    entry = kinds.find(group, kind)
    if entry is None:
        return {}
    counted = f"count/{entry.resource}" + (f".{group}" if group else "")
    found: ResourceList = {counted: _ONE}
    if not group and entry.resource in _LEGACY_COUNTS:
        found[entry.resource] = _ONE
    match (group, kind):
        case ("", "Pod"):
            found.update(_pod(data))
        case ("", "Service"):
            found.update(_service(mapping(data.get("spec"))))
        case ("", "PersistentVolumeClaim"):
            found.update(_claim(data))
        case ("resource.k8s.io", "ResourceClaim"):
            found.update(_devices(mapping(data.get("spec"))))
    return found


def _pod(data: Mapping[str, Any]) -> ResourceList:
    if mapping(data.get("status")).get("phase") in ("Succeeded", "Failed"):
        return {}  # a finished pod holds nothing but its object count
    versions = list(_versions(mapping(data.get("spec")), mapping(data.get("status"))))
    requests, limits = (highest(*(pod_total(item, side) for item in versions)) for side in ("requests", "limits"))
    return {"pods": _ONE, **_named(requests, limits)}


def _versions(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the spec as it is wanted, as it is granted and as it is in force: while a resize is under way, they differ.

    A resize that can never be done is not counted.
    """
    reports = (*mappings(status.get("containerStatuses")), *mappings(status.get("initContainerStatuses")))
    told = {scalar_text(item.get("name")): item for item in reports}
    pending = next((item for item in mappings(status.get("conditions")) if item.get("type") == _RESIZING), {})
    hopeless = pending.get("reason") == "Infeasible"
    if not told or not hopeless:
        yield spec
    for in_force in (False, True) if told else ():
        kinds = [kind for kind in ("containers", "initContainers") if kind in spec]
        made = {kind: [_told(item, told, in_force, hopeless) for item in mappings(spec[kind])] for kind in kinds}
        yield {**spec, **made}


def _told(
    container: Mapping[str, Any], told: Mapping[str, Mapping[str, Any]], in_force: bool, hopeless: bool
) -> Mapping[str, Any]:
    report = told.get(scalar_text(container.get("name")), {})
    wanted = {} if hopeless else mapping(container.get("resources"))
    actual = mapping(report.get("resources")) if in_force else {}
    requests = actual.get("requests") or report.get("allocatedResources") or wanted.get("requests")
    limits = actual.get("limits") or wanted.get("limits")
    return {**container, "resources": {"requests": requests, "limits": limits}}


def _named(requests: ResourceList, limits: ResourceList) -> ResourceList:
    """Return requests and limits under the names quotas use."""
    found: ResourceList = {}
    for name, value in requests.items():
        if name in _COMPUTE or is_huge_page(name):
            found[name] = value
            found[f"requests.{name}"] = value
        elif _is_device(name):
            found[f"requests.{name}"] = value
    for name, value in limits.items():
        if name in _COMPUTE:
            found[f"limits.{name}"] = value
    return found


def _is_device(name: str) -> bool:
    """Return whether a container may ask for the resource and a quota counts it under ``requests.``."""
    return is_extended(name) or name.startswith(_BY_CLASS)


def _service(spec: Mapping[str, Any]) -> ResourceList:
    ports = mappings(spec.get("ports"))
    nodes = balancers = 0
    if spec.get("type") == "NodePort":
        nodes = len(ports)
    elif spec.get("type") == "LoadBalancer":
        balancers = 1
        given = [port for port in ports if port.get("nodePort")]
        nodes = len(given) if spec.get("allocateLoadBalancerNodePorts") is False else len(ports)
    return {"services.nodeports": Decimal(nodes), "services.loadbalancers": Decimal(balancers)}


def _claim(data: Mapping[str, Any]) -> ResourceList:
    spec = mapping(data.get("spec"))
    asked = resource_list(mapping(spec.get("resources")).get("requests"))
    granted = resource_list(mapping(data.get("status")).get("allocatedResources"))
    annotations = mapping(mapping(data.get("metadata")).get("annotations"))
    name = scalar_text(annotations.get("volume.beta.kubernetes.io/storage-class", spec.get("storageClassName")))
    found: ResourceList = {}
    storage = highest(asked, granted).get("storage") if "storage" in asked else None
    storage = storage.to_integral_value(ROUND_CEILING) if storage is not None else None
    if name:
        found[f"{name}{_STORAGE_CLASS}persistentvolumeclaims"] = _ONE
    if storage is not None:
        found["requests.storage"] = storage
        if name:
            found[f"{name}{_STORAGE_CLASS}requests.storage"] = storage
    return found


def _devices(spec: Mapping[str, Any]) -> ResourceList:
    found: ResourceList = {}
    for request in mappings(mapping(spec.get("devices")).get("requests")):
        exact = mapping(request.get("exactly")) or request
        choices = mappings(request.get("firstAvailable")) or [exact]
        worst: ResourceList = {}
        for choice in choices:
            every = choice.get("allocationMode") == "All"
            count = _ALL_DEVICES if every else amount(choice.get("count") or 1)
            worst = highest(worst, {f"{scalar_text(choice.get('deviceClassName'))}{_DEVICE_CLASS}": count})
        for name, value in worst.items():
            found[name] = found.get(name, Decimal(0)) + value
    return found


def countable(names: Iterable[str], kind: str) -> set[str]:
    """Return the quota resources that objects of a kind count against, of those a quota names.

    A quota none of whose resources concern the kind is not asked, whatever its scopes.
    """
    return {name for name in names if _concerns(name, kind)}


def _concerns(name: str, kind: str) -> bool:
    if kind == "Pod":
        bare = name.removeprefix("requests.")
        fixed = {"pods", "count/pods", *(f"{side}{item}" for side in ("", "requests.", "limits.") for item in _COMPUTE)}
        return name in fixed or is_huge_page(bare) or (bare != name and _is_device(bare))
    if kind == "PersistentVolumeClaim":
        plain = ("persistentvolumeclaims", "requests.storage")
        return name in (*plain, "count/persistentvolumeclaims") or name.endswith(
            tuple(f"{_STORAGE_CLASS}{item}" for item in plain)
        )
    if kind == "Service":
        return name in ("services", "services.nodeports", "services.loadbalancers", "count/services")
    return True


def missing_amounts(names: Iterable[str], spec: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return, per quota resource, the containers that must state an amount and do not.

    A quota on CPU or memory obliges every container to say what it asks for, unless the pod says it as a whole.
    """
    required = _MUST_SAY & set(names)
    if any(_at_pod_level(spec)):
        return {}
    found: dict[str, list[str]] = {}
    for item in (*mappings(spec.get("containers")), *mappings(spec.get("initContainers"))):
        stated = _named(container_amounts(item, "requests"), container_amounts(item, "limits"))
        for name in sorted(required - stated.keys()):
            found.setdefault(name, []).append(scalar_text(item.get("name")))
    return found


def _at_pod_level(spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the resources stated for the pod as a whole, of those that may be."""
    names = [*container_amounts(spec, "requests"), *container_amounts(spec, "limits")]
    return (name for name in names if name in ("cpu", "memory") or is_huge_page(name))


def in_scope(quota: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Return whether every scope of the quota's spec takes the object in."""
    terms = [(scope, "Exists", frozenset[str]()) for scope in texts(quota.get("scopes"))]
    for item in mappings(mapping(quota.get("scopeSelector")).get("matchExpressions")):
        values = frozenset(texts(item.get("values")))
        terms.append((scalar_text(item.get("scopeName")), scalar_text(item.get("operator")), values))
    return all(_takes_in(scope, operator, values, data) for scope, operator, values in terms)


def _takes_in(  # noqa: PLR0911 - one answer per scope
    scope: str, operator: str, values: frozenset[str], data: Mapping[str, Any]
) -> bool:
    spec, kind = mapping(data.get("spec")), data.get("kind")
    if kind == "PersistentVolumeClaim":
        return scope == "VolumeAttributesClass" and any(_chosen(name, operator, values) for name in _attributes(data))
    if kind != "Pod":
        return False
    match scope:
        case "Terminating":
            return spec.get("activeDeadlineSeconds") is not None
        case "NotTerminating":
            return spec.get("activeDeadlineSeconds") is None
        case "BestEffort":
            return is_best_effort(spec)
        case "NotBestEffort":
            return not is_best_effort(spec)
        case "PriorityClass":
            return _chosen(scalar_text(spec.get("priorityClassName")), operator, values)
        case "CrossNamespacePodAffinity":
            return _looks_abroad(spec)
    return False


def _attributes(claim: Mapping[str, Any]) -> list[str]:
    """Return the VolumeAttributesClasses a claim wants, has or is being given; an empty name where there is none."""
    status = mapping(claim.get("status"))
    names = (
        mapping(claim.get("spec")).get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        mapping(status.get("modifyVolumeStatus")).get("targetVolumeAttributesClassName"),
    )
    return [scalar_text(name) for name in names if name] or [""]


def _chosen(name: str, operator: str, values: frozenset[str]) -> bool:
    match operator:
        case "Exists":
            return bool(name)
        case "DoesNotExist":
            return not name
        case "In":
            return name in values
    return name not in values


def _looks_abroad(spec: Mapping[str, Any]) -> bool:
    affinity = mapping(spec.get("affinity"))
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = mapping(affinity.get(kind))
        required = mappings(rules.get("requiredDuringSchedulingIgnoredDuringExecution"))
        preferred = mappings(rules.get("preferredDuringSchedulingIgnoredDuringExecution"))
        for term in (*required, *(mapping(item.get("podAffinityTerm")) for item in preferred)):
            if term.get("namespaces") or term.get("namespaceSelector") is not None:
                return True
    return False
