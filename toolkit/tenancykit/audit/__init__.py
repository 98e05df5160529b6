"""Reads any Kubernetes manifests back and computes what they mean for tenants: who reaches whom, and why."""

from __future__ import annotations

from tenancykit.audit.findings import AuditReport, Check, CrossingState, Finding, Severity
from tenancykit.audit.fleet import audit_clusters, read_clusters
from tenancykit.audit.objects import ObjectSet, from_dicts
from tenancykit.audit.outputs import to_junit, to_sarif, to_text
from tenancykit.audit.questions import ReachQuestion, can_i, reach
from tenancykit.audit.rbac import AccessAnswer
from tenancykit.audit.reading import Reading, read_objects
from tenancykit.audit.tenant_matrix import AuditOptions, audit

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
