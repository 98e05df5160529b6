"""ValidatingAdmissionPolicy answers: status code and message per request, and policies refused outright."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubeanswers.access.rbac import AccessRules
from kubeanswers.admission.api_defaults import as_admitted
from kubeanswers.admission.evaluation import AdmissionPolicies
from kubeanswers.admission.request import AdmissionRequest
from kubeanswers.kinds import builtin_kinds
from kubeanswers.objects import from_dicts, mapping
from kubeanswers.validation.checks.admission import admission_binding, admission_policy
from kubeanswers.validation.checks.report import faults
from tests.oracle.comparison import Comparison

_ADMIN = ("system:admin", ["system:masters", "system:authenticated"])


def compare_vap(data: Mapping[str, Any], folder: Path) -> Comparison:  # noqa: ARG001 - one signature for all
    result = Comparison(data["set"])
    cluster = data.get("cluster_objects", [])
    access = AccessRules(from_dicts(cluster))
    classes = {item["metadata"]["name"]: item.get("value") for item in cluster if item["kind"] == "PriorityClass"}
    runtimes = {item["metadata"]["name"]: item for item in cluster if item["kind"] == "RuntimeClass"}
    for case in data["cases"]:
        refused = bool(faults(admission_policy, case["policy"]))
        result.add(
            case["id"],
            "policy refused",
            bool(case.get("policy_rejected")),
            refused,
            "; ".join(faults(admission_policy, case["policy"])),
        )
        found = [fault for binding in case["bindings"] for fault in faults(admission_binding, binding)]
        if not refused and case["bindings"]:
            result.add(case["id"], "binding refused", bool(case.get("binding_rejected")), bool(found), "; ".join(found))
        spaces = {item["metadata"]["name"]: item for item in case["namespaces"]}
        policies = AdmissionPolicies([case["policy"]], case["bindings"], _live(spaces), case["params"], access)
        for number, asked in enumerate(case["requests"]):
            if "answer" in asked:
                _compare_request(
                    result, case["id"], number, policies, _request(asked, classes, runtimes), asked["answer"]
                )
    return result


def _live(spaces: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    made: dict[str, Mapping[str, Any]] = {}
    for name, item in spaces.items():
        labels = {**mapping(item["metadata"].get("labels")), "kubernetes.io/metadata.name": name}
        made[name] = as_admitted({**item, "metadata": {**item["metadata"], "labels": labels}})
    return made


def _compare_request(
    result: Comparison,
    case: str,
    number: int,
    policies: AdmissionPolicies,
    request: AdmissionRequest,
    recorded: Mapping[str, Any],
) -> None:
    answer = policies.review(request)
    denial = answer.denial
    accepted = 201 if request.operation == "CREATE" else 200
    if answer.undecided:
        result.undecided += 1
    code = denial.code if denial else ("undecided" if answer.undecided else accepted)
    expected: list[object] = [recorded["code"], _message(recorded)]
    answered: list[object] = [code, denial.message if denial else ""]
    if "resulted in error" in str(expected[1]) and "resulted in error" in str(answered[1]):
        expected[1] = answered[1] = "an evaluation error"  # the wording of Go's errors is not compared
    why = "; ".join(item.message for item in answer.refusals)
    result.add(case, f"request {number}: {request.operation}", expected, answered, why)


def _message(recorded: Mapping[str, Any]) -> str:
    text = str(recorded.get("message", ""))
    _, found, tail = text.partition("denied request: ")
    return tail if found else ""


def _request(
    asked: Mapping[str, Any], classes: Mapping[str, Any], runtimes: Mapping[str, Mapping[str, Any]]
) -> AdmissionRequest:
    namespace = asked.get("namespace", "")
    old = as_admitted(asked["old"], namespace, classes, runtimes) if asked.get("old") else None
    made = asked.get("object")
    operation, subresource = asked["op"], ""
    if operation == "EPHEMERAL":
        assert old is not None
        operation, subresource = "UPDATE", "ephemeralcontainers"
        new: dict[str, Any] | None = {**old, "spec": {**old["spec"], "ephemeralContainers": made}}
    else:
        new = as_admitted(made, namespace, classes, runtimes) if made else None
    shown = new if new is not None else old
    assert shown is not None
    group, _, version = str(shown["apiVersion"]).rpartition("/")
    kind = builtin_kinds().find(group, shown["kind"])
    assert kind is not None
    user = asked.get("user", _ADMIN[0])
    groups = [*asked.get("groups", []), "system:authenticated"] if "user" in asked else _ADMIN[1]
    return AdmissionRequest(
        operation,
        group,
        version,
        shown["kind"],
        kind.resource,
        shown["metadata"].get("name", ""),
        namespace if kind.namespaced else "",
        subresource,
        new,
        old,
        user,
        frozenset(groups),
        dry_run=True,
    )
