"""A namespace under ResourceQuota and LimitRange: what the API server would take, refuse, and count.

The order is the API server's: defaults (its own, then those of LimitRanges), validation (422), then LimitRange and
quota (403).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any, Final, TypeVar

from kubeanswers.compute import ResourceList, container_amounts, resource_list, with_defaults
from kubeanswers.kinds import KindTable, builtin_kinds
from kubeanswers.objects import mapping, mappings, scalar_text, texts
from kubeanswers.quota.limit_ranges import (
    Limit,
    claim_refusals,
    limits_of,
    pod_refusals,
    printed,
    with_limit_defaults,
)
from kubeanswers.quota.usage import countable, in_scope, missing_amounts, usage
from kubeanswers.records import dataclass
from kubeanswers.validation.checks.policies import limit_range, resource_quota
from kubeanswers.validation.checks.report import faults
from kubeanswers.validation.checks.resources import all_resources

Key = tuple[str, str]
T = TypeVar("T")
_CHARGED_ON_UPDATE: Final = frozenset({"Service", "PersistentVolumeClaim", "ResourceClaim"})
"""Kinds whose updates are checked against quotas; a pod cannot change what it asks for, others only count."""

_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True)
class Admission:
    """What the API server answers.

    Attributes:
        code: HTTP status.
        why: the reasons for a refusal.
        stored: the object as it would be stored, defaults filled in; None for a refusal.
    """

    code: int
    why: str = ""
    stored: Mapping[str, Any] | None = None


@dataclass
class NamespaceAccount:
    """The objects of one namespace and what its quotas have counted.

    Attributes:
        cluster: cluster-scoped objects that matter: PriorityClass, RuntimeClass, StorageClass.
        kinds: which kinds there are.
        objects: the namespace's objects by kind and name.
        recorded: what the quota controller says is used, by quota name; taken for what the objects alone would say.
    """

    cluster: tuple[Mapping[str, Any], ...] = ()
    kinds: KindTable = field(default_factory=builtin_kinds)
    objects: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    recorded: Mapping[str, ResourceList] = field(default_factory=dict)
    _counts: dict[str, ResourceList] = field(default_factory=dict, repr=False)
    """What is used of each quota that was asked; every write but a create, which is added to it, forgets it."""

    _rules: dict[str, list[Any]] = field(default_factory=dict, repr=False)
    """The quotas and limits of the namespace, read once until one of them is written."""

    def create(self, data: Mapping[str, Any]) -> Admission:
        """Return the answer to a create and, if it is yes, count the object."""
        return self._write(data, None)

    def update(self, data: Mapping[str, Any]) -> Admission:
        """Return the answer to an update; 404 if there is nothing to update."""
        old = self.objects.get(_key(data))
        return Admission(404, "not found") if old is None else self._write(data, old)

    def delete(self, data: Mapping[str, Any]) -> Admission:
        """Remove an object, freeing what it used; 404 if it is not there."""
        self._forget()
        return Admission(200 if self.objects.pop(_key(data), None) is not None else 404)

    def set_status(self, data: Mapping[str, Any]) -> Admission:
        """Replace an object's status, as its controller would; a finished pod frees its quota."""
        old = self.objects.get(_key(data))
        if old is None:
            return Admission(404, "not found")
        self._forget()
        self.objects[_key(data)] = {**old, "status": data.get("status")}
        return Admission(200)

    def _write(self, data: Mapping[str, Any], old: Mapping[str, Any] | None) -> Admission:
        try:
            return self._decide(data, old)
        except ValueError as error:
            return Admission(400, str(error))

    def _decide(self, data: Mapping[str, Any], old: Mapping[str, Any] | None) -> Admission:
        made, refusal = self._defaulted(data, old)
        if refusal:
            return Admission(403, refusal)
        faults = self._faults(made, old)
        if faults:
            return Admission(422, "; ".join(faults))
        refusals = self._limit_refusals(made, old)
        if refusals:
            return Admission(403, "; ".join(refusals))
        refusal = self._quota_refusal(made, old)
        if refusal:
            return Admission(403, refusal)
        self._count(made, new=old is None)
        self.objects[_key(made)] = made
        return Admission(200 if old is not None else 201, stored=made)

    def _defaulted(self, data: Mapping[str, Any], old: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], str]:
        """Return the object as admission leaves it, and why admission refuses it if it does."""
        spec = dict(mapping(data.get("spec")))
        if data.get("kind") == "PersistentVolumeClaim" and "storageClassName" not in spec:
            default = next((item for item in self._cluster("StorageClass") if _is_default(item)), None)
            return ({**data, "spec": {**spec, "storageClassName": _name(default)}} if default else data), ""
        if data.get("kind") != "Pod":
            return data, ""
        spec = with_defaults(spec)
        if old is not None:
            kept = {key: value for key, value in mapping(old.get("spec")).items() if key not in spec}
            return {**data, "spec": {**kept, **spec}, "status": old.get("status")}, ""
        spec = with_limit_defaults(spec, self._limits())
        for kind, key, apply in (
            ("PriorityClass", "priorityClassName", _priority),
            ("RuntimeClass", "runtimeClassName", _overhead),
        ):
            wanted = scalar_text(spec.get(key))
            found = next((item for item in self._cluster(kind) if _name(item) == wanted), None)
            if wanted and found is None and not wanted.startswith("system-"):
                return data, f"no {kind} with name {wanted} was found"
            if not wanted and kind == "PriorityClass":
                found = next((item for item in self._cluster(kind) if item.get("globalDefault") is True), None)
            given = apply(found, wanted)
            refusal = _contradiction(spec, given)
            if refusal:
                return data, refusal
            spec.update({name: value for name, value in given.items() if value is not None})
        return {**data, "spec": spec}, ""

    def _faults(self, data: Mapping[str, Any], old: Mapping[str, Any] | None) -> list[str]:
        """Return what is wrong with an object (answer 422); ValueError where an amount is no quantity (400)."""
        spec = mapping(data.get("spec"))
        match data.get("kind"):
            case "Pod":
                if not mappings(spec.get("containers")):
                    return ["spec.containers: Required value"]
                same = old is None or _asked(spec) == _asked(mapping(old.get("spec")))
                return faults(all_resources, spec) + ([] if same else ["spec: pod updates may not change resources"])
            case "PersistentVolumeClaim":
                return _claim_faults(spec, old)
            case "LimitRange":
                for entry in mappings(spec.get("limits")):
                    Limit.of(entry)
                return faults(limit_range, data)
            case "ResourceQuota":
                resource_list(spec.get("hard"))
                return faults(resource_quota, data) + (_scope_changes(spec, mapping(old.get("spec"))) if old else [])
        return []

    def _limit_refusals(self, data: Mapping[str, Any], old: Mapping[str, Any] | None) -> list[str]:
        if data.get("kind") == "Pod" and old is None:
            return pod_refusals(mapping(data.get("spec")), self._limits())
        if data.get("kind") == "PersistentVolumeClaim":
            return claim_refusals(mapping(data.get("spec")), self._limits())
        return []

    def _quota_refusal(self, data: Mapping[str, Any], old: Mapping[str, Any] | None) -> str:
        kind = scalar_text(data.get("kind"))
        interested = [quota for quota in self._quotas() if self._asked(quota, data, kind)]
        for quota in interested:
            names = countable(_hard(quota), kind)
            missing = missing_amounts(names, mapping(data.get("spec"))) if kind == "Pod" and old is None else {}
            if missing:
                text = "; ".join(f"{name} for: {','.join(sorted(who))}" for name, who in sorted(missing.items()))
                return f"failed quota: {_name(quota)}: must specify {text}"
        if old is not None and kind not in _CHARGED_ON_UPDATE:
            return ""
        asked = usage(data, self.kinds)
        for quota in interested:
            refusal = self._exceeded(
                quota, self._change(asked, old) if old and self._asked(quota, old, kind) else asked
            )
            if refusal:
                return refusal
        return ""

    def _change(self, asked: ResourceList, old: Mapping[str, Any]) -> ResourceList:
        """Return what an update asks for beyond what the object used before."""
        before = usage(old, self.kinds)
        return {name: value - before.get(name, Decimal(0)) for name, value in asked.items()}

    def _asked(self, quota: Mapping[str, Any], data: Mapping[str, Any], kind: str) -> bool:
        return bool(countable(_hard(quota), kind)) and in_scope(mapping(quota.get("spec")), data)

    def _exceeded(self, quota: Mapping[str, Any], delta: ResourceList) -> str:
        hard, used = _hard(quota), self.used(quota)
        asked = {name: value for name, value in delta.items() if name in hard and value > 0}
        over = sorted(name for name, value in asked.items() if used.get(name, Decimal(0)) + value > hard[name])
        if not over:
            return ""
        parts = [
            f"{title}: {','.join(f'{name}={printed(name, amounts.get(name, Decimal(0)))}' for name in over)}"
            for title, amounts in (("requested", asked), ("used", used), ("limited", hard))
        ]
        return f"exceeded quota: {_name(quota)}, {', '.join(parts)}"

    def used(self, quota: Mapping[str, Any]) -> ResourceList:
        """Return what the namespace's objects use of a quota, for every resource it names and the cluster counts."""
        name = _name(quota)
        if name not in self._counts:
            self._counts[name] = self._sum(quota)
        return dict(self._counts[name])

    def _sum(self, quota: Mapping[str, Any]) -> ResourceList:
        hard = _hard(quota)
        total: ResourceList = {name: Decimal(0) for name in hard if _is_counted(name, self.kinds)}
        if (recorded := self.recorded.get(_name(quota))) is not None:
            return {name: recorded.get(name, value) for name, value in total.items()}
        for (kind, _), data in self.objects.items():
            if self._asked(quota, data, kind):
                _add(total, usage(data, self.kinds))
        return total

    def _count(self, made: Mapping[str, Any], *, new: bool) -> None:
        """Keep up what is used: a new object is added, any other change counted again when next asked."""
        kind = scalar_text(made.get("kind"))
        if not new or kind in ("ResourceQuota", "LimitRange"):
            self._forget()
            return
        for quota in self._quotas():
            if (total := self._counts.get(_name(quota))) is not None and self._asked(quota, made, kind):
                _add(total, usage(made, self.kinds))

    def _forget(self) -> None:
        self._counts.clear()
        self._rules.clear()

    def _quotas(self) -> list[Mapping[str, Any]]:
        return self._ruled("ResourceQuota", lambda data: [data])

    def _limits(self) -> list[Limit]:
        return self._ruled("LimitRange", lambda data: limits_of(mapping(data.get("spec"))))

    def _ruled(self, kind: str, read: Callable[[Mapping[str, Any]], list[T]]) -> list[T]:
        if kind not in self._rules:
            found = sorted(key for key in self.objects if key[0] == kind)
            self._rules[kind] = [item for key in found for item in read(self.objects[key])]
        return self._rules[kind]

    def _cluster(self, kind: str) -> Iterable[Mapping[str, Any]]:
        return (item for item in self.cluster if item.get("kind") == kind)


def _claim_faults(spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> list[str]:
    asked = resource_list(mapping(spec.get("resources")).get("requests")).get("storage")
    if asked is None or asked <= 0:
        return ["spec.resources[storage]: must be greater than zero"]
    bound = old is None or mapping(old.get("status")).get("phase") == "Bound"
    if not bound and mapping(spec.get("resources")) != mapping(mapping(mapping(old).get("spec")).get("resources")):
        return ["spec: is immutable after creation except resources.requests for bound claims"]
    return []


def _asked(spec: Mapping[str, Any]) -> list[object]:
    """Return what a pod asks for, which is changed through its resize subresource alone."""
    held = [item for kind in ("containers", "initContainers") for item in mappings(spec.get(kind))] + [spec]
    return [(item.get("name"), container_amounts(item, "requests"), container_amounts(item, "limits")) for item in held]


def _hard(quota: Mapping[str, Any]) -> ResourceList:
    return resource_list(mapping(quota.get("spec")).get("hard"))


def _add(total: ResourceList, asked: ResourceList) -> None:
    for name, value in asked.items():
        if name in total:
            total[name] += value


def _is_counted(name: str, kinds: KindTable) -> bool:
    """Return whether the quota controller counts the resource: unknown kinds and limits of devices it does not."""
    if name.startswith("count/"):
        resource, _, group = name.removeprefix("count/").partition(".")
        return (group, resource) in kinds.by_resource
    others = ("configmaps", "secrets", "resourcequotas", "replicationcontrollers")
    return (
        name in others
        or name.endswith("/devices")
        or any(countable([name], kind) for kind in ("Pod", "Service", "PersistentVolumeClaim"))
    )


def _key(data: Mapping[str, Any]) -> Key:
    return scalar_text(data.get("kind")), _name(data)


def _name(data: Mapping[str, Any] | None) -> str:
    return scalar_text(mapping(mapping(data).get("metadata")).get("name"))


def _is_default(data: Mapping[str, Any]) -> bool:
    return scalar_text(mapping(mapping(data.get("metadata")).get("annotations")).get(_DEFAULT_CLASS)) == "true"


_SYSTEM: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def _priority(found: Mapping[str, Any] | None, wanted: str) -> dict[str, Any]:
    """Return what the class gives a pod; without one its priority is 0."""
    if found is None:
        return {"priority": _SYSTEM.get(wanted, 0)}
    return {"priorityClassName": _name(found), "priority": found.get("value")}


def _overhead(found: Mapping[str, Any] | None, wanted: str) -> dict[str, Any]:  # noqa: ARG001 - as for priorities
    return {"overhead": dict(mapping(mapping(mapping(found).get("overhead")).get("podFixed"))) or None}


def _contradiction(spec: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Return why admission refuses what the pod itself says of a thing its class decides."""
    if spec.get("priority") is not None and "priority" in given and spec["priority"] != given["priority"]:
        return f"the integer value of priority must not be provided in pod spec, computed {given['priority']}"
    if spec.get("overhead") and "overhead" in given:
        own, fixed = resource_list(spec["overhead"]), resource_list(given["overhead"])
        return "" if own == fixed else "Pod's Overhead doesn't match RuntimeClass's defined Overhead"
    return ""


def _scope_changes(spec: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    same = set(texts(spec.get("scopes"))) == set(texts(old.get("scopes")))
    return [] if same else ["spec.scopes: field is immutable"]
