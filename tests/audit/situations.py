"""Inputs as data, each with what an audit must say of it; a case stands for its kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubeanswers.objects import ObjectSet, from_dicts
from tenancykit.auditing import AuditReport, Finding, audit
from tenancykit.auditing.outputs import RULES

CASES = Path(__file__).parent / "cases"
RBAC = "rbac.authorization.k8s.io"
_HARD = {
    "requests.cpu": "4", "requests.memory": "8Gi", "limits.cpu": "4", "limits.memory": "8Gi",
    "requests.storage": "10Gi",
    "requests.ephemeral-storage": "10Gi", "persistentvolumeclaims": "5", "pods": "20", "services": "5",
    "services.loadbalancers": "0", "services.nodeports": "0", "secrets": "20", "configmaps": "20",
}  # fmt: skip


def tenants(*, fenced: bool = True) -> list[dict[str, Any]]:
    """Return two tenants; each with a group that may edit, and, if fenced, Pod Security, a quota and no network."""
    found: list[dict[str, Any]] = []
    for name in ("a", "b"):
        space = f"team-{name}"
        labels = {
            "tenancykit.dev/tenant": name,
            **({"pod-security.kubernetes.io/enforce": "restricted"} if fenced else {}),
        }
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": labels}})
        found.append(binding(f"{name}-edit", "edit", f"Group {name}-devs", space))
        if fenced:
            deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
            found.append(_named("networking.k8s.io/v1", "NetworkPolicy", "deny", space, spec=deny))
            found.append(_named("v1", "ResourceQuota", "q", space, spec={"hard": _HARD}))
    return found


def _named(api: str, kind: str, name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def binding(name: str, role: str, to: str, namespace: str = "", kind: str = "ClusterRole") -> dict[str, Any]:
    """Return a binding of a role to ``User x``, ``Group x`` or ``ServiceAccount namespace/x``."""
    subject_kind, who = to.split(" ", 1)
    place, _, bare = who.rpartition("/")
    subject = {"kind": subject_kind, "name": bare if subject_kind == "ServiceAccount" else who}
    if subject_kind == "ServiceAccount":
        subject["namespace"] = place
    ref = {"apiGroup": RBAC, "kind": kind, "name": role}
    made = "RoleBinding" if namespace else "ClusterRoleBinding"
    return _named(f"{RBAC}/v1", made, name, namespace, roleRef=ref, subjects=[subject])


def rule(line: str) -> dict[str, Any]:
    """Return the rule written as ``verbs | groups | resources | names``."""
    verbs, groups, resources, *names = [part.split() for part in line.split("|")]
    found: dict[str, Any] = {
        "verbs": verbs,
        "apiGroups": ["" if g == "-" else g for g in groups],
        "resources": resources,
    }
    return {**found, "resourceNames": names[0]} if names else found


@dataclass(frozen=True)
class Case:
    """One input with what is expected."""

    data: dict[str, Any]

    def __str__(self) -> str:
        return str(self.data["title"])

    def added(self) -> list[dict[str, Any]]:
        """Return what the case adds to its tenants."""
        found = list(yaml.safe_load_all(self.data.get("add", "")))
        lines = self.data.get("cluster") or self.data.get("namespace")
        place = self.data.get("place", "")
        to = self.data.get("to", "Group a-devs")
        if lines:
            role = _named(f"{RBAC}/v1", "ClusterRole", "extra", rules=[rule(line) for line in lines])
            found += [role, binding("extra", "extra", to, place)]
        elif "role" in self.data:
            found.append(binding("extra", self.data["role"], to, place))
        return found

    def objects(self) -> ObjectSet:
        """Return the tenants with what the case adds."""
        base = self.data.get("base", "fenced")
        start = [] if base == "none" else tenants(fenced=base == "fenced")
        drop = set(self.data.get("drop", ()))
        kept = [item for item in start if f"{item['kind']} {item['metadata'].get('namespace', '')}" not in drop]
        return from_dicts([*kept, *(item for item in self.added() if item)])

    def report(self) -> AuditReport:
        """Return the audit."""
        return audit(self.objects())


def cases(name: str) -> list[Case]:
    """Return the cases of one file."""
    return [Case(data) for data in yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))]


def check(case: Case, report: AuditReport) -> None:
    """Assert everything the case expects."""
    _check_findings(case.data, report)
    assert {found.rule for found in report.findings} <= RULES.keys(), "a rule without a title"
    for crossing, pairs in case.data.get("open", {}).items():
        assert sorted(map(list, report.crossing(crossing).pairs())) == sorted(pairs), crossing
    for crossing, names in case.data.get("undecided", {}).items():
        assert sorted(report.crossing(crossing).undecided) == names, crossing
    for text in case.data.get("listed", ()):
        assert any(text in line for line in map(str, report.not_evaluated)), text


def _check_findings(data: dict[str, Any], report: AuditReport) -> None:
    for name in data.get("none", ()):
        assert not [f.what for f in report.findings if f.rule == name], name
    if "silent" in data:
        assert not [f.what for f in report.findings if data["silent"] in f.what + f.path]
    found = [f for f in report.findings if _meant(f, data)]
    if {"finding", "severity", "says"} & data.keys():
        assert found, [(f.rule, str(f.severity), f.what) for f in report.findings]
        assert all(f.subject and f.fix for f in found)
    if "actors" in data:
        assert set(data["actors"]) <= {tenant for f in found for tenant in f.tenants}
    if "only" in data:
        assert {f.subject for f in found} == {data["only"]}


def _meant(finding: Finding, data: dict[str, Any]) -> bool:
    return (
        finding.rule == data.get("finding", finding.rule)
        and str(finding.severity) == data.get("severity", str(finding.severity))
        and data.get("says", "") in f"{finding.what} {finding.path} {finding.fix}"
    )
