"""Requests and limits of containers and pods, device claims and in-place resizing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from kubeanswers.compute import is_huge_page, may_overcommit
from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.report import Report, each, items, mapping

_POD_RESOURCES: Final = ("cpu", "memory")


def resources(path: str, value: Any, report: Report, claims: frozenset[str] = frozenset()) -> None:
    """Check requests and limits: known names, readable amounts, requests within limits, whole devices."""
    found = mapping(value)
    limits, requests = mapping(found.get("limits")), mapping(found.get("requests"))
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            _amount(f"{path}.{kind}[{name}]", name, amount, report)
    for name, amount in requests.items():
        _within(path, name, amount, limits, report)
    for name in limits:
        if is_huge_page(name) and not ({"cpu", "memory"} & {*limits, *requests}):
            report.add(path, "huge pages need cpu or memory beside them")
    seen: list[tuple[Any, Any]] = []
    for place, claim in each(f"{path}.claims", found.get("claims")):
        if claim.get("name") not in claims:
            report.add(f"{place}.name", f"{claim.get('name')!r} is not among the pod's resourceClaims")
        seen.append((claim.get("name"), claim.get("request") or ""))
    report.unique(f"{path}.claims", seen)


def all_resources(spec: Mapping[str, Any], report: Report) -> None:
    """Check what the containers of a pod ask for, and the pod itself."""
    claims = frozenset(str(one.get("name")) for _, one in each("", spec.get("resourceClaims")))
    for kind in ("containers", "initContainers"):
        for place, one in each(f"spec.{kind}", spec.get(kind)):
            resources(f"{place}.resources", one.get("resources"), report, claims)
    pod_resources("spec", spec, report)


def _amount(path: str, name: str, amount: Any, report: Report) -> None:
    report.text(path, name, words.container_resource)
    value = words.quantity(amount)
    if value is None:
        report.add(path, f"{amount!r} is not a quantity")
        return
    if value < 0:
        report.add(path, f"{amount!r} must be at least 0")
    if not may_overcommit(name) and value != int(value):
        report.add(path, f"{amount!r} must be an integer")
    if is_huge_page(name):
        page = words.quantity(name.removeprefix("hugepages-"))
        if not page or page < 0:
            report.add(path, f"{name!r} must name the size of its pages, such as hugepages-2Mi")
        elif value % page:
            report.add(path, f"{amount!r} must be a multiple of the page size")


def _within(path: str, name: str, amount: Any, limits: Mapping[str, Any], report: Report) -> None:
    value = words.quantity(amount)
    if name not in limits:
        if not may_overcommit(name):
            report.add(f"{path}.limits[{name}]", "must be set: the resource cannot be overcommitted")
        return
    limit = words.quantity(limits[name])
    if value is None or limit is None:
        return
    if not may_overcommit(name) and value != limit:
        report.add(f"{path}.requests[{name}]", f"must equal its limit of {limits[name]}")
    elif value > limit:
        report.add(f"{path}.requests[{name}]", f"must be at most its limit of {limits[name]}")


def resize_policy(path: str, value: Any, pod_policy: Any, report: Report) -> None:
    """Check how a container is resized in place."""
    names: list[Any] = []
    for place, one in each(path, value):
        report.choice(f"{place}.resourceName", one.get("resourceName"), _POD_RESOURCES, optional=False)
        policy = one.get("restartPolicy")
        report.choice(f"{place}.restartPolicy", policy, ("NotRequired", "RestartContainer"), optional=False)
        if pod_policy == "Never" and policy == "RestartContainer":
            report.add(f"{place}.restartPolicy", "must be NotRequired where the pod's restartPolicy is Never")
        names.append(one.get("resourceName"))
    report.unique(path, names)


def pod_resources(path: str, spec: Mapping[str, Any], report: Report) -> None:
    """Check requests and limits of the whole pod against those of its containers."""
    value = spec.get("resources")
    if value is None:
        return
    found = mapping(value)
    place = f"{path}.resources"
    if items(found.get("claims")):
        report.add(f"{place}.claims", "may not be given for a pod")
    limits, requests = mapping(found.get("limits")), mapping(found.get("requests"))
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name in amounts:
            if name not in _POD_RESOURCES and not is_huge_page(name):
                report.add(f"{place}.{kind}[{name}]", "only cpu, memory and huge pages are given for a pod")
    resources(place, {"limits": limits, "requests": requests}, report)
    _enough(path, spec, requests, limits, report)


def _enough(
    path: str, spec: Mapping[str, Any], requests: Mapping[str, Any], limits: Mapping[str, Any], report: Report
) -> None:
    """Note where the pod's amounts are less than its containers'."""
    for name, amount in requests.items():
        total = sum((part for _, part in _of_containers(path, spec, "requests", name)), start=Decimal(0))
        mine = words.quantity(amount)
        if mine is not None and total > mine:
            report.add(f"{path}.resources.requests[{name}]", "is less than its containers request together")
    for name, amount in limits.items():
        mine = words.quantity(amount)
        for where, part in _of_containers(path, spec, "limits", name):
            if mine is not None and part > mine:
                report.add(where, f"must be at most the pod's limit of {amount}")


def _of_containers(path: str, spec: Mapping[str, Any], kind: str, name: str) -> Iterator[tuple[str, Decimal]]:
    for place, one in each(f"{path}.containers", spec.get("containers")):
        amounts = mapping(mapping(one.get("resources")).get(kind))
        part = words.quantity(amounts[name]) if name in amounts else None
        if part is not None:
            yield f"{place}.resources.{kind}[{name}]", part


def overhead(path: str, value: Any, report: Report) -> None:
    """Check what a pod's runtime takes for itself."""
    for name, amount in mapping(value).items():
        _amount(f"{path}[{name}]", name, amount, report)
