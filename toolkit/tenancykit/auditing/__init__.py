"""Reads any Kubernetes manifests back and computes what they mean for tenants: who reaches whom, and why."""

from __future__ import annotations

from kubeanswers.access.rbac import AccessAnswer
from kubeanswers.objects import ObjectSet, from_dicts
from kubeanswers.questions import ReachQuestion, can_i, reach
from kubeanswers.reading import Reading, read_objects
from tenancykit.auditing.findings import AuditReport, Check, CrossingState, Finding, Severity
from tenancykit.auditing.fleet import audit_clusters, read_clusters
from tenancykit.auditing.outputs import to_junit, to_sarif, to_text
from tenancykit.auditing.tenant_matrix import AuditOptions, audit

__all__ = [
    "AccessAnswer",
    "AuditOptions",
    "AuditReport",
    "Check",
    "CrossingState",
    "Finding",
    "ObjectSet",
    "ReachQuestion",
    "Reading",
    "Severity",
    "audit",
    "audit_clusters",
    "can_i",
    "from_dicts",
    "reach",
    "read_clusters",
    "read_objects",
    "to_junit",
    "to_sarif",
    "to_text",
]
