"""What a pod asks for: resource lists, the API server's defaults, and the totals scheduling and quota count.

Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ and, for init containers and
sidecars, https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final, TypeVar

from kubeanswers.objects import mapping, mappings, scalar_text
from kubeanswers.quantities import parse_quantity

ResourceList = dict[str, Decimal]
"""Amounts by resource name, in the resource's own unit (cores, bytes, pieces), rounded up to thousandths."""
Amount = TypeVar("Amount", int, Decimal)

_MILLI: Final = Decimal("0.001")


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


def is_native(name: str) -> bool:
    """Return whether a resource belongs to Kubernetes itself."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Return whether the resource is a device plugin's or operator's, such as ``nvidia.com/gpu``."""
    return not is_native(name) and not name.startswith("requests.")


def may_overcommit(name: str) -> bool:
    """Return whether limits of the resource may exceed its requests."""
    return not is_huge_page(name) and not is_extended(name)


def added(*lists: Mapping[str, Amount]) -> dict[str, Amount]:
    """Return the sum of resource lists."""
    total: dict[str, Amount] = {}
    for item in lists:
        for name, value in item.items():
            total[name] = total[name] + value if name in total else value
    return total


def highest(*lists: Mapping[str, Amount]) -> dict[str, Amount]:
    """Return the larger amount of each resource."""
    total: dict[str, Amount] = {}
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


def busiest(
    spec: Mapping[str, Any],
    staying: Callable[[Mapping[str, Any]], Mapping[str, Amount]],
    passing: Callable[[Mapping[str, Any]], Mapping[str, Amount]],
) -> dict[str, Amount]:
    """Return what the containers of a pod need at their busiest moment: sidecars run on, init containers take turns.

    Args:
        spec: the pod's specification.
        staying: returns what a container needs that runs on.
        passing: returns what an init container needs that ends before others start.
    """
    running = added(*(staying(item) for item in mappings(spec.get("containers"))))
    sidecars: dict[str, Amount] = {}
    starting: dict[str, Amount] = {}
    for item in mappings(spec.get("initContainers")):
        if item.get("restartPolicy") == "Always":
            sidecars = added(sidecars, staying(item))
            starting = highest(starting, sidecars)
        else:
            starting = highest(starting, added(sidecars, passing(item)))
    return highest(added(running, sidecars), starting)


def aggregate(spec: Mapping[str, Any], side: str) -> ResourceList:
    """Return the requests or limits of a pod's containers at their busiest moment."""

    def own(container: Mapping[str, Any]) -> ResourceList:
        return container_amounts(container, side)

    return busiest(spec, own, own)


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
