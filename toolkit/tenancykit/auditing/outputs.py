"""An audit report for machines and people: SARIF for code scanning, JUnit for pipelines, plain text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree as ET

from kubeanswers.terminal import counted, xml_text
from tenancykit.auditing.causes import Cause, causes
from tenancykit.auditing.findings import AuditReport, Finding, Severity
from tenancykit.auditing.paths import PATH_RULES

_LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORES: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}
"""GitHub's security-severity bands (https://docs.github.com/en/code-security, SARIF support): a value inside each."""

RULES: Final = {
    "rbac-cross-tenant": "A tenant's subject holds rights over another tenant's objects",
    "rbac-platform-namespace": "A tenant's subject holds rights in a namespace of the platform",
    "rbac-cluster-resources": "A tenant's subject holds rights over cluster-scoped resources",
    "rbac-own-fence": "A tenant may change what fences it in",
    "pod-security-open": "A tenant's namespace takes pods that are root of their node",
    "pod-security-workload": "A tenant's workload breaks the baseline Pod Security Standard",
    "service-external-ips": "A tenant may claim external addresses with a Service",
    "priority-open": "A tenant's pods may outrank everybody's",
    "network-cross-tenant": "Pods of one tenant reach pods of another",
    "network-metadata": "A tenant's pods reach the metadata service",
    "node-pool-open": "A tenant's pods reach nodes set aside for others",
    "gpu-shared": "Pods share a GPU by software",
    "quota-unbounded": "A tenant's namespace is not bounded on everything it can ask for",
    "runtime-open": "A tenant's pods may leave out the sandbox its workloads run in",
    "storage-class-open": "A tenant may claim volumes of another tenant's StorageClass",
    "delivery-cross-tenant": "A tenant's repository may be delivered to other tenants",
    "route-hostnames-open": "A tenant's routes may claim host names of another",
    **PATH_RULES,
    "namespace-unowned": "Somebody is bound in a namespace no tenant is known to own",
    "queue-owner-blocks": "A waiting owner keeps free quota of its cohort from everybody",
    "queue-reclaim-hits-own": "Reclaim takes jobs that started inside their own quota",
    "queue-weights-idle": "Weights of fair sharing change nothing",
    "queue-borrows-first-flavor": "A queue borrows one flavor while its own quota of another is free",
    "queue-flavor-missing": "A missing flavor stops a queue",
    "queue-held-lends": "The quota of a held queue is lent",
    "queue-crash": "Fair sharing and a queue in no cohort crash the scheduler",
    "duplicate-object": "An object is defined twice",
    "no-namespace": "An object names no namespace",
    "policy-invalid": "A policy, quota or other guard would be refused, so it guards nothing",
    "object-invalid": "An object would be refused by the API server",
    "reference-dangling": "An object refers to what is not there",
    "input": "An input cannot be read",
}
"""What each rule of the findings looks for."""


def to_sarif(report: AuditReport, version: str = "") -> str:
    """Return the report as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""
    driver: dict[str, Any] = {
        "name": "tenancykit audit",
        "informationUri": "https://kubernetes.io/docs/concepts/security/multi-tenancy/",
        "rules": [{"id": rule, "shortDescription": {"text": text}} for rule, text in RULES.items()],
    }
    if version:
        driver["version"] = version
    results = [_sarif_result(finding) for finding in report.findings]
    notes = [{"level": "error", "message": {"text": str(fault)}} for fault in report.faults]
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": not report.faults, "toolExecutionNotifications": notes}],
        "results": results,
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _sarif_result(finding: Finding) -> dict[str, Any]:
    uri = finding.where.file.replace("\\", "/")
    text = f"{finding.subject}: {finding.what}."
    if finding.path:
        text += f" Path: {finding.path}."
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{text} Fix: {finding.fix}."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    "region": {"startLine": finding.where.line},
                },
                "logicalLocations": [{"fullyQualifiedName": finding.subject}],
            }
        ],
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "severity": str(finding.severity),
            "crossing": finding.crossing,
            "checks": list(finding.checks),
            "tenants": list(finding.tenants),
        },
    }


def to_junit(report: AuditReport) -> str:
    """Return the report as JUnit XML: a suite of the named checks, one of the findings, one of the inputs."""
    root = ET.Element("testsuites", name="tenancykit audit")
    checks = ET.SubElement(root, "testsuite", name="checks")
    for check in report.checks:
        case = ET.SubElement(checks, "testcase", classname=check.source, name=f"{check.id} {check.title}")
        if check.status == "fail":
            failure = ET.SubElement(case, "failure", message=check.detail or check.title)
            failure.text = "\n".join(check.failing)
        elif check.status != "pass":
            ET.SubElement(case, "skipped", message=f"{check.status}: {check.detail}")
    findings = ET.SubElement(root, "testsuite", name="findings")
    for finding in report.findings:
        case = ET.SubElement(findings, "testcase", classname=finding.rule, name=f"{finding.subject} ({finding.where})")
        if finding.severity >= Severity.MEDIUM:
            failure = ET.SubElement(case, "failure", message=finding.what, type=str(finding.severity))
            failure.text = f"path: {finding.path}\nfix: {finding.fix}"
    inputs = ET.SubElement(root, "testsuite", name="inputs")
    for fault in report.faults:
        case = ET.SubElement(inputs, "testcase", classname="input", name=fault.where)
        ET.SubElement(case, "error", message=str(fault))
    for suite in root:
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", str(len(suite.findall("testcase/error"))))
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml_text(ET.tostring(root, encoding="unicode")) + "\n"


def to_text(report: AuditReport, *, most: int = 50) -> str:
    """Return the report for people: what to fix first, the matrix, causes worst first, what was not read last."""
    return "\n".join(_lines(report, most)) + "\n"


def _lines(report: AuditReport, most: int) -> Iterator[str]:
    if not report.tenants:
        yield from report.told
    yield f"{counted(report.objects, 'object')}, {counted(len(report.tenants), 'tenant')}"
    if report.tenants:
        yield from report.told
    if report.sets:
        more = f" and {len(report.sets) - _SETS} more" if len(report.sets) > _SETS else ""
        yield f"read apart: {', '.join(name or 'the rest' for name in report.sets[:_SETS])}{more}"
    yield from (f"! not read: {fault}" for fault in report.faults[:_FIRST])
    if len(report.faults) > _FIRST:
        yield f"! and {len(report.faults) - _FIRST} more that could not be read: see the end"
    found = causes(report)
    serious = (cause for cause in found if cause.severity >= Severity.MEDIUM)
    worst = list(dict.fromkeys(f"{cause.title}: {cause.fix}" for cause in serious))[:3]
    if worst:
        yield "Fix these three first:" if len(worst) == 3 else "Fix first:"
    yield from (f"  {number}. {line}" for number, line in enumerate(worst, 1))
    yield from _crossing_lines(report)
    yield from _cause_lines(report, found, most)
    yield from _check_lines(report)
    yield from (f"Not known: {count} x {kind}" for kind, count in report.unknown_kinds.items())
    yield from (f"Not evaluated: {text}" for text in report.not_evaluated)
    yield from (f"Not read: {text}" for text in (*report.faults[_FIRST:], *report.unread))
    yield from _skipped_lines(report.skipped)


def _crossing_lines(report: AuditReport) -> Iterator[str]:
    if not report.tenants:
        return
    yield "Crossings as configured (open tenant pairs):"
    for item in report.crossings:
        if item.count or item.doubtful:
            extra = (
                f", undecided: {counted(item.doubtful, 'pair')} of {counted(len(item.undecided), 'tenant')}"
                if item.doubtful
                else ""
            )
            yield f"  {item.id:26} {item.count:>8}  {item.title}{extra}"
    closed = [item.id for item in report.crossings if not item.count and not item.doubtful]
    if closed:
        yield f"  closed for every pair: {', '.join(closed)}"


def _cause_lines(report: AuditReport, found: list[Cause], most: int) -> Iterator[str]:
    yield f"Findings: {len(report.findings):,} of {counted(len(found), 'cause')}"
    for cause in found[:most]:
        first = cause.findings[0]
        yield f"  [{cause.severity}] {cause.title}"
        yield f"      {first.where}: {first.what}"
        yield from (f"      {word} {text}" for word, text in (("path:", first.path), ("fix: ", first.fix)) if text)
        for other in cause.findings[1:3]:
            yield f"      also {other.where} {other.subject}"
        if len(cause.findings) > 3:
            yield f"      and {len(cause.findings) - 3} more"
    if len(found) > most:
        yield f"  ... and {counted(len(found) - most, 'cause')} more"


_FIRST: Final = 3
_SETS: Final = 8
"""Sets named in one line; --json has all of them."""
"""Faults told before everything else; further ones are told last."""


def _skipped_lines(skipped: tuple[str, ...]) -> Iterator[str]:
    """Yield what was left out on purpose, a line a reason."""
    reasons: dict[str, list[str]] = {}
    for text in skipped:
        place, _, why = text.partition(": ")
        reasons.setdefault(why, []).append(place)
    for why, places in reasons.items():
        more = f" and {len(places) - 2} more" if len(places) > 2 else ""
        yield f"Skipped: {', '.join(places[:2])}{more}: {why}"


def _check_lines(report: AuditReport) -> Iterator[str]:
    counts = Counter(check.status for check in report.checks)
    order = ("pass", "fail", "undecided", "not-applicable")
    yield f"Checks: {', '.join(f'{counts[status]} {status}' for status in order if counts[status])}"
    for check in report.checks:
        if check.status == "fail":
            yield f"  fail {check.id} {check.title}: {check.detail}"
