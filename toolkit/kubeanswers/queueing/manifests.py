"""Kueue's objects, and jobs that wait in its queues, as values; what is wrong with them by file, line and field.

Both API versions are read (v1beta1 and v1beta2; topologies and cohorts of v1alpha1 as well).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, text_map
from kubeanswers.quantities import parse_quantity
from kubeanswers.queueing.values import (
    NEVER,
    ClusterQueue,
    Cohort,
    Design,
    Flavor,
    FlavorQuotas,
    Limit,
    Preemption,
    ResourceGroup,
)
from kubeanswers.records import dataclass
from kubeanswers.scheduling.fields import MALFORMED, explained
from kubeanswers.scheduling.objects import label_selector, machine, toleration
from kubeanswers.scheduling.requests import amount
from kubeanswers.scheduling.values import Machine, Taint

GROUP: Final = "kueue.x-k8s.io"
VALIDATE: Final = "tenancykit validate names the field"
T = TypeVar("T")

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "queueingStrategy": ("BestEffortFIFO", "StrictFIFO"),
    "stopPolicy": ("None", "Hold", "HoldAndDrain"),
    "withinClusterQueue": ("Never", "LowerPriority", "LowerOrNewerEqualPriority"),
    "reclaimWithinCohort": ("Never", "LowerPriority", "LowerOrNewerEqualPriority", "Any"),
    "policy": ("Never", "LowerPriority"),
    "whenCanBorrow": ("Borrow", "TryNextFlavor", "MayStopSearch"),
    "whenCanPreempt": ("Preempt", "TryNextFlavor", "MayStopSearch"),
    "preference": ("BorrowingOverPreemption", "PreemptionOverBorrowing"),
}


@dataclass
class Faults:
    """What is wrong, with its place."""

    found: list[Fault] = field(default_factory=list)

    def add(self, item: ManifestObject, path: str, what: str, allowed: str = "", cure: str = "") -> None:
        """Note a fault of a field of an object."""
        self.found.append(Fault(f"{item.where}: {item}: {path}", what, allowed, cure))

    @contextlib.contextmanager
    def about(self, item: ManifestObject) -> Iterator[None]:
        """Note an object that cannot be read because it is not of the API's own form."""
        try:
            yield
        except InputError as error:
            self.found += [
                Fault(f"{item.where}: {item}: {fault.where}", fault.what, fault.allowed, fault.cure)
                for fault in error.faults
            ]
        except MALFORMED as error:
            self.found.append(Fault(f"{item.where}: {item}", explained(error), "the API's own form", VALIDATE))

    def each(self, items: Iterable[ManifestObject], read: Callable[[ManifestObject], T]) -> Iterator[T]:
        """Yield what is read of each object, without those that are faulty."""
        for item in items:
            with self.about(item):
                yield read(item)

    def word(self, item: ManifestObject, path: str, value: object, default: str) -> str:
        """Return a word of the API, the default where it is missing."""
        if value in (None, ""):
            return default
        words = _WORDS[path.rpartition(".")[2]]
        if value not in words:
            self.add(item, path, f"{value!r}", ", ".join(words), did_you_mean(str(value), words))
            return default
        return str(value)

    def amount(self, item: ManifestObject, path: str, resource: str, value: object) -> int | None:
        """Return an amount; ``None`` where it is missing or none."""
        if value is None:
            return None
        with self.about(item):
            return amount(resource, value, path)
        return None


def of_kind(objects: ObjectSet, kind: str) -> Iterator[ManifestObject]:
    """Yield Kueue's objects of a kind."""
    return (item for item in objects if item.group == GROUP and item.kind == kind)


def read_design(objects: ObjectSet, faults: Faults) -> Design:
    """Return the design of the objects; what is wrong with them is added to the faults."""
    queues = tuple(faults.each(of_kind(objects, "ClusterQueue"), lambda item: _queue(item, faults)))
    cohorts = tuple(faults.each(of_kind(objects, "Cohort"), lambda item: _cohort(item, faults)))
    local = {}
    names = {queue.name for queue in queues}
    for item in of_kind(objects, "LocalQueue"):
        target = str(item.spec.get("clusterQueue", ""))
        if target not in names:
            faults.add(
                item, "spec.clusterQueue", f"ClusterQueue {target!r} does not exist", cure=did_you_mean(target, names)
            )
        local[f"{item.namespace}/{item.name}"] = target
    _circles(objects, cohorts, faults)
    _limits_without_cohort(objects, queues, cohorts, faults)
    return Design(
        queues,
        cohorts,
        tuple(faults.each(of_kind(objects, "ResourceFlavor"), _flavor)),
        local,
        {item.name: _namespace_labels(item) for item in objects if (item.group, item.kind) == ("", "Namespace")},
        {
            item.name: tuple(str(level.get("nodeLabel")) for level in mappings(item.spec.get("levels")))
            for item in of_kind(objects, "Topology")
        },
        tuple(_machines(objects, faults)),
    )


def _namespace_labels(item: ManifestObject) -> Mapping[str, str]:
    return {"kubernetes.io/metadata.name": item.name, **item.labels}


def _machines(objects: ObjectSet, faults: Faults) -> Iterator[Machine]:
    for item in objects:
        if (item.group, item.kind) == ("", "Node"):
            conditions = mappings(mapping(item.data.get("status")).get("conditions"))
            if any(one.get("type") == "Ready" and one.get("status") != "True" for one in conditions):
                continue
            with faults.about(item):
                yield machine(dict(item.data))


def _queue(item: ManifestObject, faults: Faults) -> ClusterQueue:
    spec = item.spec
    preemption, fungibility = mapping(spec.get("preemption")), mapping(spec.get("flavorFungibility"))
    borrow = mapping(preemption.get("borrowWithinCohort"))
    threshold = borrow.get("maxPriorityThreshold")
    if threshold is not None and (not isinstance(threshold, int) or isinstance(threshold, bool)):
        faults.add(item, "spec.preemption.borrowWithinCohort.maxPriorityThreshold", f"{threshold!r}", "a whole number")
        threshold = None
    reclaim = faults.word(item, "spec.preemption.reclaimWithinCohort", preemption.get("reclaimWithinCohort"), NEVER)
    policy = faults.word(item, "spec.preemption.borrowWithinCohort.policy", borrow.get("policy"), NEVER)
    if reclaim == NEVER and policy != NEVER:
        faults.add(
            item,
            "spec.preemption.borrowWithinCohort",
            f"policy {policy} with reclaimWithinCohort Never: the API server refuses it",
            cure="set reclaimWithinCohort, or leave borrowWithinCohort out",
        )
    if fungibility.get("preference") and {"whenCanBorrow", "whenCanPreempt"} - {
        name for name, value in fungibility.items() if value == "TryNextFlavor"
    }:
        faults.add(
            item,
            "spec.flavorFungibility.preference",
            "without whenCanBorrow and whenCanPreempt TryNextFlavor: the API server refuses it",
            cure="set both, or leave preference out",
        )
    groups = _groups(item, faults)
    if not groups:
        faults.add(item, "spec.resourceGroups", "no flavor, so nothing is ever admitted", "at least one group")
    return ClusterQueue(
        item.name,
        groups,
        str(spec.get("cohortName") or spec.get("cohort") or ""),
        faults.word(item, "spec.queueingStrategy", spec.get("queueingStrategy"), "BestEffortFIFO"),
        Preemption(
            faults.word(item, "spec.preemption.withinClusterQueue", preemption.get("withinClusterQueue"), NEVER),
            reclaim,
            policy,
            threshold,
        ),
        faults.word(item, "spec.flavorFungibility.whenCanBorrow", fungibility.get("whenCanBorrow"), "Borrow"),
        faults.word(item, "spec.flavorFungibility.whenCanPreempt", fungibility.get("whenCanPreempt"), "TryNextFlavor"),
        faults.word(item, "spec.flavorFungibility.preference", fungibility.get("preference"), ""),
        _weight(item, faults),
        faults.word(item, "spec.stopPolicy", spec.get("stopPolicy"), "None"),
        label_selector(dict(selector)) if (selector := spec.get("namespaceSelector")) is not None else None,
    )


def _weight(item: ManifestObject, faults: Faults) -> float:
    weight = mapping(item.spec.get("fairSharing")).get("weight")
    if weight is None:
        return 1.0
    try:
        value = float(parse_quantity(weight))
    except (ValueError, TypeError):
        value = -1.0
    if value < 0:
        faults.add(item, "spec.fairSharing.weight", f"{weight!r}", "zero or more")
        return 1.0
    return value


def _cohort(item: ManifestObject, faults: Faults) -> Cohort:
    parent = str(item.spec.get("parentName") or item.spec.get("parent") or "")
    return Cohort(item.name, parent, _groups(item, faults), _weight(item, faults))


def _groups(item: ManifestObject, faults: Faults) -> tuple[ResourceGroup, ...]:
    found = []
    seen: dict[str, str] = {}
    for number, group in enumerate(mappings(item.spec.get("resourceGroups"))):
        path = f"spec.resourceGroups[{number}]"
        resources = tuple(str(name) for name in group.get("coveredResources") or ())
        flavors = mappings(group.get("flavors"))
        if not resources:
            faults.add(item, f"{path}.coveredResources", "is empty", "at least one resource")
        if not flavors:
            faults.add(item, f"{path}.flavors", "is empty", "at least one flavor")
        flavored = tuple(str(one.get("name")) for one in flavors)
        for field_, kind, names in (("coveredResources", "resource", resources), ("flavors", "flavor", flavored)):
            for at, name in enumerate(names):
                place = f"{path}.{field_}[{at}]"
                if before := seen.get(f"{kind} {name}"):
                    faults.add(item, place, f"{kind} {name} is in {before} as well", "one place in one group each")
                seen.setdefault(f"{kind} {name}", place)
        found.append(
            ResourceGroup(
                resources,
                tuple(
                    _flavor_quotas(item, f"{path}.flavors[{at}]", flavor, resources, faults)
                    for at, flavor in enumerate(flavors)
                ),
            )
        )
    return tuple(found)


def _flavor_quotas(
    item: ManifestObject, path: str, flavor: Mapping[str, Any], resources: tuple[str, ...], faults: Faults
) -> FlavorQuotas:
    limits: dict[str, Limit] = {}
    for at, quota in enumerate(mappings(flavor.get("resources"))):
        name = str(quota.get("name"))
        place = f"{path}.resources[{at}]"
        if name not in resources:
            faults.add(item, f"{place}.name", f"{name!r} is not covered by its group", ", ".join(resources))
        if quota.get("nominalQuota") is None:
            faults.add(item, f"{place}.nominalQuota", "is missing", "a quantity of zero or more")
        if name in limits:
            faults.add(item, f"{place}.name", f"{name} has a quota already", "one quota of a resource per flavor")
        limits[name] = limit = Limit(
            faults.amount(item, f"{place}.nominalQuota", name, quota.get("nominalQuota")) or 0,
            faults.amount(item, f"{place}.borrowingLimit", name, quota.get("borrowingLimit")),
            faults.amount(item, f"{place}.lendingLimit", name, quota.get("lendingLimit")),
        )
        if item.kind == "ClusterQueue" and (limit.lending or 0) > limit.nominal:
            what = f"{quota.get('lendingLimit')} is more than nominalQuota {quota.get('nominalQuota')}"
            faults.add(item, f"{place}.lendingLimit", f"{what}: the API server refuses it", "at most the nominal quota")
    for name in resources:
        if name not in limits:
            faults.add(item, f"{path}.resources", f"no quota of {name}", "a quota of every covered resource")
    return FlavorQuotas(str(flavor.get("name")), limits)


def _flavor(item: ManifestObject) -> Flavor:
    spec = item.spec
    return Flavor(
        item.name,
        text_map(spec.get("nodeLabels")),
        tuple(
            Taint(str(one.get("key", "")), str(one.get("value") or ""), str(one.get("effect", "")))
            for one in mappings(spec.get("nodeTaints"))
        ),
        tuple(toleration(dict(one)) for one in mappings(spec.get("tolerations"))),
        str(spec.get("topologyName") or ""),
    )


def _circles(objects: ObjectSet, cohorts: Iterable[Cohort], faults: Faults) -> None:
    """Note cohorts that are above themselves."""
    parents = {cohort.name: cohort.parent for cohort in cohorts}
    for item in of_kind(objects, "Cohort"):
        path, at = [item.name], parents.get(item.name, "")
        while at and at not in path:
            path.append(at)
            at = parents.get(at, "")
        if at == item.name:
            circle = " -> ".join([*path, at])
            faults.add(item, "spec.parentName", f"the cohorts run in a circle: {circle}", cure="take one parent away")


def _limits_without_cohort(
    objects: ObjectSet, queues: Iterable[ClusterQueue], cohorts: Iterable[Cohort], faults: Faults
) -> None:
    """Note limits of borrowing and lending where there is nobody to borrow from or lend to."""
    alone: dict[tuple[str, str], tuple[ResourceGroup, ...]] = {
        ("ClusterQueue", queue.name): queue.groups for queue in queues if not queue.cohort
    }
    alone |= {("Cohort", cohort.name): cohort.groups for cohort in cohorts if not cohort.parent}
    for item in objects:
        groups = alone.get((item.kind, item.name), ()) if item.group == GROUP else ()
        for number, group in enumerate(groups):
            for at, flavor in enumerate(group.flavors):
                for name, limit in flavor.limits.items():
                    for word, value in (("borrowingLimit", limit.borrowing), ("lendingLimit", limit.lending)):
                        if value is not None:
                            above = "cohort" if item.kind == "ClusterQueue" else "parent"
                            faults.add(
                                item,
                                f"spec.resourceGroups[{number}].flavors[{at}] {name} {word}",
                                f"has no meaning without a {above}: the API server refuses it",
                                cure=f"name a {above}, or leave the limit out",
                            )


def seconds(value: object, field_: str) -> float:
    """Return a time of the API as seconds since 1970; 0 where there is none; without a zone it counts as UTC.

    Raises:
        InputError: it is no time.
    """
    if value in (None, ""):
        return 0.0
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise InputError(Fault(field_, f"{value!r} is not a time", "RFC 3339, such as 2026-01-31T08:00:00Z")) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
