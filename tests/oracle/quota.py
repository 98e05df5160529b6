"""Quota and LimitRange answers: every step's status code, what was stored, and what the quotas counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubeanswers.compute import ResourceList, resource_list
from kubeanswers.objects import mapping, mappings
from kubeanswers.quota.enforcement import Admission, NamespaceAccount
from tests.oracle.comparison import Comparison

# What a new namespace of the recording distribution holds before any case begins (its README says so).
_GIVEN = (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"), ("ConfigMap", "openshift-service-ca.crt"))


def compare_quota(data: Mapping[str, Any], folder: Path) -> Comparison:  # noqa: ARG001 - one signature for all
    result = Comparison(data["set"])
    for case in data["cases"]:
        account = NamespaceAccount(tuple(data.get("cluster_objects", ())))
        for kind, name in _GIVEN:
            account.objects[(kind, name)] = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}
        for item in case["setup"]:
            account.create(item)
        _compare_status(result, case, account, "status_before")
        for number, step in enumerate(case["steps"]):
            _compare_step(result, case["id"], account, number, step)
        _compare_status(result, case, account, "status_after")
    return result


def _compare_step(
    result: Comparison, case: str, account: NamespaceAccount, number: int, step: Mapping[str, Any]
) -> None:
    written = step["object"]
    if "kind" not in written:
        written = {"kind": step.get("kind", "Pod"), **written}
    actions = {
        "create": account.create,
        "update": account.update,
        "delete": account.delete,
        "status": account.set_status,
    }
    answer = actions[step["op"]](written)
    expected: list[object] = [step["code"]]
    answered: list[object] = [answer.code]
    if step.get("resources") and written["kind"] == "Pod" and answer.stored is not None:
        expected.append(_recorded(step["resources"]))
        answered.append(_stored(answer))
    question = f"step {number}: {step['op']} {written['kind']}"
    result.add(case, question, str(expected), str(answered), f"{answer.why} / recorded: {step.get('message', '')}")


def _amounts(resources: object) -> dict[str, Any]:
    return {side: _plain(resource_list(values)) for side, values in sorted(mapping(resources).items()) if values}


def _plain(amounts: ResourceList) -> dict[str, str]:
    """Return amounts as text that is the same for the same value, whatever suffix it was written with."""
    return {name: format(value.normalize(), "f") for name, value in sorted(amounts.items())}


def _recorded(resources: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        kind: {name: _amounts(item) for name, item in sorted(resources[kind].items())}
        for kind in ("containers", "initContainers")
        if resources.get(kind)
    }
    return {
        **found,
        "overhead": _plain(resource_list(resources.get("overhead"))),
        "pod": _amounts(resources.get("pod")),
    }


def _stored(answer: Admission) -> dict[str, Any]:
    spec = mapping(mapping(answer.stored).get("spec"))
    found = {
        kind: {
            item["name"]: _amounts(item.get("resources"))
            for item in sorted(mappings(spec.get(kind)), key=lambda c: str(c["name"]))
        }
        for kind in ("containers", "initContainers")
        if spec.get(kind)
    }
    return {**found, "overhead": _plain(resource_list(spec.get("overhead"))), "pod": _amounts(spec.get("resources"))}


def _compare_status(result: Comparison, case: Mapping[str, Any], account: NamespaceAccount, moment: str) -> None:
    for name, status in (case.get(moment) or {}).items():
        quota = account.objects.get(("ResourceQuota", name))
        answered = _plain(account.used(quota)) if quota else None
        wanted = _plain(resource_list(status["used"]))
        result.add(case["id"], f"{moment}: {name}", str(wanted), str(answered))
