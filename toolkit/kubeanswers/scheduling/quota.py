"""What a namespace's ResourceQuotas say to a pod that is still to be created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kubeanswers.quantities import cpu_text, memory_text
from kubeanswers.scheduling.requests import Object, add, amount, container_requests, total_requests
from kubeanswers.scheduling.values import CPU, MEMORY

_PLAIN: Final = {
    CPU: f"requests.{CPU}",
    MEMORY: f"requests.{MEMORY}",
    "ephemeral-storage": "requests.ephemeral-storage",
}
_COUNTED: Final = ("pods", "count/pods")


def usage(pod: Object, where: str) -> dict[str, int]:
    """Return what a pod takes of a quota, by the quota's names (``requests.cpu``, ``limits.memory``, ``pods``)."""
    spec = pod.get("spec") or {}
    overhead = {k: amount(k, v, where) for k, v in (spec.get("overhead") or {}).items()}
    requests = add(total_requests(spec, where), overhead)
    limits = total_requests(_limits_only(spec), where)
    found = {f"requests.{name}": value for name, value in requests.items()}
    found |= {f"limits.{name}": value for name, value in add(limits, overhead if limits else {}).items()}
    return {**found, **dict.fromkeys(_COUNTED, 1)}


def _limits_only(spec: Object) -> dict[str, Any]:
    def bare(container: Object) -> dict[str, Any]:
        limits = (container.get("resources") or {}).get("limits") or {}
        return {**container, "resources": {"requests": limits}}

    return {
        "containers": [bare(c) for c in spec.get("containers") or ()],
        "initContainers": [bare(c) for c in spec.get("initContainers") or ()],
    }


def in_scope(quota: Object, pod: Object, where: str) -> bool:
    """Return whether a quota's scopes mean the pod."""
    spec = quota.get("spec") or {}
    rules = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    rules += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(_scope_holds(rule, pod.get("spec") or {}, where) for rule in rules)


def _scope_holds(rule: Object, spec: Object, where: str) -> bool:
    name = rule["scopeName"]
    if name in ("Terminating", "NotTerminating"):
        return bool((spec.get("activeDeadlineSeconds") is not None) == (name == "Terminating"))
    if name in ("BestEffort", "NotBestEffort"):
        asks = any(container_requests(c, where, {}) for c in spec.get("containers") or ())
        return bool(asks == (name == "NotBestEffort"))
    if name == "PriorityClass":
        value, values = spec.get("priorityClassName"), rule.get("values") or ()
        operator = rule.get("operator", "Exists")
        if operator in ("In", "NotIn"):
            return bool((value in values) == (operator == "In"))
        return bool(bool(value) == (operator == "Exists"))
    return True


def limits(quota: Object) -> dict[str, int]:
    """Return what a quota allows, by the names it is written with.

    Raises:
        InputError: an amount is malformed.
    """
    hard = (quota.get("spec") or {}).get("hard") or {}
    where = f"ResourceQuota {quota['metadata']['name']}: spec.hard"
    return {name: amount(_name(name).rsplit(".", 1)[-1], value, where) for name, value in hard.items()}


class Quotas:
    """ResourceQuotas with what is used of them, kept up as pods are let in."""

    def __init__(self, quotas: Iterable[Object], running: Iterable[tuple[Object, str]]) -> None:
        self.quotas = [quota for quota in quotas if quota.get("kind") == "ResourceQuota"]
        held = list(running)
        self.used: list[dict[str, int]] = []
        for quota in self.quotas:
            recorded = (quota.get("status") or {}).get("used")
            if recorded is not None:
                self.used.append({_name(k): amount(k.rsplit(".", 1)[-1], v, "quota") for k, v in recorded.items()})
            else:
                self.used.append(self._sum(quota, held))

    @staticmethod
    def _sum(quota: Object, pods: Iterable[tuple[Object, str]]) -> dict[str, int]:
        total: dict[str, int] = {}
        for pod, where in pods:
            if _namespace(pod) == _namespace(quota) and in_scope(quota, pod, where):
                total = add(total, usage(pod, where))
        return total

    def admit(self, pod: Object, where: str) -> str:
        """Return why the pod may not be created, worded like the API server; empty where it may, and then counted."""
        needs = usage(pod, where)
        chosen = [
            i
            for i, quota in enumerate(self.quotas)
            if _namespace(quota) == _namespace(pod) and in_scope(quota, pod, where)
        ]
        for i in chosen:
            reason = self._refusal(self.quotas[i], self.used[i], needs)
            if reason:
                return reason
        for i in chosen:
            self.used[i] = add(self.used[i], needs)
        return ""

    @staticmethod
    def _refusal(quota: Object, used: Mapping[str, int], needs: Mapping[str, int]) -> str:
        over = []
        for written, limit in sorted(limits(quota).items()):
            name = _name(written)
            need = needs.get(name, 0)
            if need and used.get(name, 0) + need > limit:
                over.append((written, name, need, limit))
        if not over:
            return ""
        asked, have, most = (
            ",".join(f"{written}={_text(name, value)}" for written, name, value in part)
            for part in (
                [(w, n, need) for w, n, need, _ in over],
                [(w, n, used.get(n, 0)) for w, n, _, _ in over],
                [(w, n, limit) for w, n, _, limit in over],
            )
        )
        return f"exceeded quota: {quota['metadata']['name']}, requested: {asked}, used: {have}, limited: {most}"


def _name(resource: str) -> str:
    return _PLAIN.get(resource, resource)


def _text(name: str, value: int) -> str:
    resource = name.rsplit(".", 1)[-1]
    if resource == CPU:
        return cpu_text(value)
    return memory_text(value) if resource in (MEMORY, "ephemeral-storage") else str(value)


def _namespace(thing: Object) -> str:
    return (thing.get("metadata") or {}).get("namespace") or "default"
