"""What a pod asks for: resource lists, the API server's defaults, and the totals scheduling and quota count.

Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ and, for init containers and
sidecars, https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from kubeanswers.objects import mapping, mappings, scalar_text
from kubeanswers.quantities import parse_quantity

ResourceList = dict[str, Decimal]
"""Amounts by resource name, in the resource's own unit (cores, bytes, pieces), rounded up to thousandths."""

_MILLI: Final = Decimal("0.001")
_NATIVE: Final = frozenset({"cpu", "memory", "ephemeral-storage", "storage"})


def resource_list(data: object) -> ResourceList:
    """Return a manifest's resource list as amounts.

    Raises:
        ValueError: an amount is not a quantity.
    """
    return {str(name): amount(value) for name, value in mapping(data).items()}


def amount(value: object) -> Decimal:
    """Return a quantity rounded up to thousandths, the finest grain the API server keeps.

    Raises:
        ValueError: the value is not a quantity.
    """
    parsed = parse_quantity(value if isinstance(value, int | float) else scalar_text(value))
    return parsed.quantize(_MILLI, ROUND_CEILING) if parsed.as_tuple().exponent < -3 else parsed  # type: ignore[operator]


def is_huge_page(name: str) -> bool:
    """Return whether the resource is huge pages of some size."""
    return name.startswith("hugepages-")


def is_extended(name: str) -> bool:
    """Return whether the resource is an extended one, such as ``nvidia.com/gpu``."""
    group, slash, _ = name.partition("/")
    return (
        bool(slash)
        and not name.startswith("requests.")
        and group != "kubernetes.io"
        and not group.endswith(".kubernetes.io")
    )


def may_overcommit(name: str) -> bool:
    """Return whether limits of the resource may exceed its requests."""
    return not is_huge_page(name) and not is_extended(name)


def added(*lists: Mapping[str, Decimal]) -> ResourceList:
    """Return the sum of resource lists."""
    total: ResourceList = {}
    for item in lists:
        for name, value in item.items():
            total[name] = total.get(name, Decimal(0)) + value
    return total


def highest(*lists: Mapping[str, Decimal]) -> ResourceList:
    """Return the larger amount of each resource."""
    total: ResourceList = {}
    for item in lists:
        for name, value in item.items():
            total[name] = max(total.get(name, value), value)
    return total


def with_defaults(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pod spec with requests filled from limits, for containers and for the pod itself."""
    made = dict(spec)
    for kind in ("initContainers", "containers"):
        if kind in made:
            made[kind] = [_container_defaults(item) for item in mappings(made[kind])]
    own = mapping(made.get("resources"))
    if own:
        made["resources"] = _pod_defaults(own, made)
    return made


def _container_defaults(container: Mapping[str, Any]) -> dict[str, Any]:
    resources = mapping(container.get("resources"))
    limits, requests = mapping(resources.get("limits")), mapping(resources.get("requests"))
    if not limits:
        return dict(container)
    return {**container, "resources": {**resources, "requests": {**limits, **requests}}}


def _pod_defaults(own: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """A pod-level request not written is what its containers ask for together, or else the pod's limit."""
    limits, requests = mapping(own.get("limits")), dict(mapping(own.get("requests")))
    asked = aggregate(spec, "requests") if limits else {}
    summed = {name: scalar_text(value) for name, value in asked.items() if name in ("cpu", "memory")}
    for name, value in {**limits, **summed}.items():
        if name not in requests and _at_pod_level(name):
            requests[name] = value
    return {**own, "requests": requests} if requests else dict(own)


def _at_pod_level(name: str) -> bool:
    return name in ("cpu", "memory") or is_huge_page(name)


def container_amounts(container: Mapping[str, Any], side: str) -> ResourceList:
    """Return a container's requests or limits."""
    return resource_list(mapping(container.get("resources")).get(side))


def aggregate(spec: Mapping[str, Any], side: str) -> ResourceList:
    """Return what the containers of a pod need at their busiest moment: sidecars run on, init containers take turns."""
    running = added(*(container_amounts(item, side) for item in mappings(spec.get("containers"))))
    sidecars: ResourceList = {}
    starting: ResourceList = {}
    for item in mappings(spec.get("initContainers")):
        own = container_amounts(item, side)
        if item.get("restartPolicy") == "Always":
            running, sidecars = added(running, own), added(sidecars, own)
            starting = highest(starting, sidecars)
        else:
            starting = highest(starting, added(own, sidecars))
    return highest(running, starting)


def pod_total(spec: Mapping[str, Any], side: str, *, overhead: bool = True) -> ResourceList:
    """Return a pod's requests or limits as scheduler and quota count them; pod-level amounts replace the sum."""
    total = aggregate(spec, side)
    own = resource_list(mapping(spec.get("resources")).get(side))
    total.update({name: value for name, value in own.items() if _at_pod_level(name)})
    if overhead:
        for name, value in resource_list(spec.get("overhead")).items():
            if side == "requests" or total.get(name):
                total[name] = total.get(name, Decimal(0)) + value
    return total


def is_best_effort(spec: Mapping[str, Any]) -> bool:
    """Return whether the pod asks for no CPU and no memory anywhere (quality of service BestEffort)."""
    holders: Iterable[Mapping[str, Any]] = (
        *mappings(spec.get("containers")),
        *mappings(spec.get("initContainers")),
        spec,
    )
    for holder in holders:
        for side in ("requests", "limits"):
            amounts = container_amounts(holder, side)
            if any(amounts.get(name, 0) > 0 for name in ("cpu", "memory")):
                return False
    return True


def resource_faults(spec: Mapping[str, Any]) -> list[str]:
    """Return what the API server finds wrong with the pod's resources (answer 422)."""
    faults: list[str] = []
    for kind in ("containers", "initContainers"):
        for i, container in enumerate(mappings(spec.get(kind))):
            limits, requests = container_amounts(container, "limits"), container_amounts(container, "requests")
            faults += [f"spec.{kind}[{i}].resources.{text}" for text in _list_faults(limits, requests)]
    own = mapping(spec.get("resources"))
    faults += [
        f"spec.resources.{text}"
        for text in _list_faults(resource_list(own.get("limits")), resource_list(own.get("requests")))
    ]
    return [*faults, *_pod_level_faults(spec, own)]


def _list_faults(limits: ResourceList, requests: ResourceList) -> list[str]:
    faults: list[str] = []
    for side, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            if value < 0:
                faults.append(f"{side}[{name}]: must be greater than or equal to 0")
            if is_extended(name) and value != value.to_integral_value():
                faults.append(f"{side}[{name}]: must be an integer")
            if "/" not in name and name not in _NATIVE and not is_huge_page(name):
                faults.append(f"{side}[{name}]: must be a standard resource type or fully qualified")
    return faults + [text for name, value in requests.items() for text in _against_limit(name, value, limits.get(name))]


def _against_limit(name: str, request: Decimal, limit: Decimal | None) -> list[str]:
    if limit is None:
        return [] if may_overcommit(name) else ["limits: Limit must be set for non overcommitable resources"]
    if not may_overcommit(name) and request != limit:
        return [f"requests: must be equal to {name} limit of {limit}"]
    return [f"requests: must be less than or equal to {name} limit of {limit}"] if request > limit else []


def _pod_level_faults(spec: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    """Pod-level requests must cover what the containers ask for together; no container's limit may exceed the pod's."""
    asked = aggregate(spec, "requests")
    faults = [
        f"spec.resources.requests[{name}]: must be at least the containers' {asked[name]}"
        for name, value in resource_list(own.get("requests")).items()
        if asked.get(name, Decimal(0)) > value
    ]
    limits = resource_list(own.get("limits"))
    for container in mappings(spec.get("containers")):
        given = container_amounts(container, "limits")
        over = [name for name, value in limits.items() if given.get(name, Decimal(0)) > value]
        faults += [f"spec.containers: must be less than or equal to pod limits of {name}" for name in over]
    return faults
