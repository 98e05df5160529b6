"""LimitRange: the defaults it fills in and what it refuses.

Source: https://kubernetes.io/docs/concepts/policy/limit-range/; messages in the words of the API server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from kubeanswers.compute import (
    ResourceList,
    aggregate,
    container_amounts,
    pod_total,
    resource_list,
)
from kubeanswers.objects import mapping, mappings, scalar_text
from kubeanswers.quantities import cpu_text, memory_text
from kubeanswers.records import dataclass


@dataclass(frozen=True)
class Limit:
    """One entry of a LimitRange, its own defaults applied."""

    kind: str
    max: ResourceList
    min: ResourceList
    default: ResourceList
    default_request: ResourceList
    ratio: ResourceList

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Limit:
        """Return the entry; for containers a missing default is the maximum, a missing request the default or minimum.

        Raises:
            ValueError: an amount is not a quantity.
        """
        keys = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
        high, low, default, request, ratio = (resource_list(data.get(key)) for key in keys)
        kind = scalar_text(data.get("type"))
        if kind == "Container":
            default = {**high, **default}
            request = {**low, **default, **request}
        return cls(kind, high, low, default, request, ratio)


def limits_of(spec: Mapping[str, Any]) -> list[Limit]:
    """Return the entries of a LimitRange's spec.

    Raises:
        ValueError: an amount is not a quantity.
    """
    return [Limit.of(item) for item in mappings(spec.get("limits"))]


def with_limit_defaults(spec: Mapping[str, Any], limits: Iterable[Limit]) -> dict[str, Any]:
    """Return the pod spec with the defaults of the container entries filled in."""
    entries = [limit for limit in limits if limit.kind == "Container"]
    made = dict(spec)
    for kind in ("initContainers", "containers"):
        if kind in made:
            made[kind] = [_filled(item, entries) for item in mappings(made[kind])]
    return made


def _filled(container: Mapping[str, Any], entries: list[Limit]) -> dict[str, Any]:
    resources = mapping(container.get("resources"))
    limits, requests = dict(mapping(resources.get("limits"))), dict(mapping(resources.get("requests")))
    for entry in entries:
        limits = {**{name: str(value) for name, value in entry.default.items()}, **limits}
        requests = {**{name: str(value) for name, value in entry.default_request.items()}, **requests}
    filled = {key: value for key, value in (("limits", limits), ("requests", requests)) if value}
    return {**container, "resources": {**resources, **filled}} if filled else dict(container)


def pod_refusals(spec: Mapping[str, Any], limits: Iterable[Limit]) -> list[str]:
    """Return why the entries refuse the pod, defaults being in it already."""
    found: list[str] = []
    containers = (*mappings(spec.get("containers")), *mappings(spec.get("initContainers")))
    for limit in limits:
        if limit.kind == "Container":
            for item in containers:
                found += _refusals(limit, container_amounts(item, "requests"), container_amounts(item, "limits"))
        elif limit.kind == "Pod":
            found += _refusals(limit, _pod_side(spec, "requests"), _pod_side(spec, "limits"))
    return found


def _pod_side(spec: Mapping[str, Any], side: str) -> ResourceList:
    return pod_total(spec, side, overhead=False) if spec.get("resources") else aggregate(spec, side)


def claim_refusals(spec: Mapping[str, Any], limits: Iterable[Limit]) -> list[str]:
    """Return why the entries refuse a PersistentVolumeClaim."""
    requests = resource_list(mapping(spec.get("resources")).get("requests"))
    found: list[str] = []
    for limit in limits:
        if limit.kind != "PersistentVolumeClaim":
            continue
        for name, least in limit.min.items():
            found += _too_small(limit.kind, name, least, requests, {})
        for name, most in limit.max.items():
            text = f"maximum {name} usage per {limit.kind} is {printed(name, most)}"
            if name not in requests:
                found.append(f"{text}.  No request is specified")
            elif requests[name] > most:
                found.append(f"{text}, but request is {printed(name, requests[name])}")
    return found


def _refusals(limit: Limit, requests: ResourceList, limits: ResourceList) -> list[str]:
    found: list[str] = []
    for name, least in limit.min.items():
        found += _too_small(limit.kind, name, least, requests, limits)
    for name, most in limit.max.items():
        text = f"maximum {name} usage per {limit.kind} is {printed(name, most)}"
        if name not in limits:
            found.append(f"{text}.  No limit is specified")
        elif limits[name] > most:
            found.append(f"{text}, but limit is {printed(name, limits[name])}")
        elif requests.get(name, most) > most:
            found.append(f"{text}, but request is {printed(name, requests[name])}")
    for name, ratio in limit.ratio.items():
        found += _too_far_apart(limit.kind, name, ratio, requests, limits)
    return found


def _too_small(kind: str, name: str, least: Decimal, requests: ResourceList, limits: ResourceList) -> list[str]:
    text = f"minimum {name} usage per {kind} is {printed(name, least)}"
    if name not in requests:
        return [f"{text}.  No request is specified"]
    if requests[name] < least:
        return [f"{text}, but request is {printed(name, requests[name])}"]
    return [f"{text}, but limit is {printed(name, limits[name])}"] if limits.get(name, least) < least else []


def _too_far_apart(kind: str, name: str, ratio: Decimal, requests: ResourceList, limits: ResourceList) -> list[str]:
    text = f"{name} max limit to request ratio per {kind} is {ratio}"
    if not requests.get(name):
        return [f"{text}, but no request is specified or request is 0"]
    if not limits.get(name):
        return [f"{text}, but no limit is specified or limit is 0"]
    observed = limits[name] / requests[name]
    return [f"{text}, but provided ratio is {observed:.6f}"] if limits[name] > ratio * requests[name] else []


def printed(name: str, value: Decimal) -> str:
    """Return an amount as the API server prints it: CPU in cores or thousandths, bytes in the largest whole unit."""
    resource = name.rsplit(".", 1)[-1]
    if resource == "cpu":
        return cpu_text(int(value * 1000))
    if resource in ("memory", "ephemeral-storage", "storage") or "hugepages-" in name:
        return memory_text(int(value))
    return str(value)
