"""Findings by what causes them: one quota forgotten in forty namespaces is one thing to mend, not forty."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.auditing.findings import AuditReport, Finding, Severity

_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]*")


@dataclass(frozen=True)
class Cause:
    """Findings that differ only in whose namespaces and objects they are about.

    Attributes:
        findings: at least one, worst and first read first.
    """

    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """The severity all of them have."""
        return self.findings[0].severity

    @cached_property
    def tenants(self) -> frozenset[str]:
        """The tenants that gain by it, as far as the findings name them."""
        return frozenset(tenant for finding in self.findings for tenant in finding.tenants)

    @property
    def title(self) -> str:
        """The cause in one line, tenants counted."""
        finding = self.findings[0]
        count = len(self.tenants)
        whose = f"{count} tenant{'s' if count != 1 else ''}" if count else "no single tenant"
        objects = f", {len(self.findings)} objects" if len(self.findings) > 1 else ""
        return f"{finding.rule} ({whose}{objects}): {finding.subject}"

    @property
    def fix(self) -> str:
        """What to change."""
        return self.findings[0].fix


def causes(report: AuditReport) -> list[Cause]:
    """Return the causes of a report's findings: the worst first, then those of most tenants, then of most objects."""
    names = frozenset(report.tenants) | {name for spaces in report.tenants.values() for name in spaces}
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in report.findings:
        own = names | {finding.subject.rpartition(" ")[2].rpartition("/")[2]}

        def masked(text: str, own: frozenset[str] = own) -> str:
            return _WORD.sub(lambda word: "*" if word[0].rstrip(".") in own else word[0], text)

        key = (finding.rule, str(finding.severity), masked(finding.subject), masked(finding.what))
        groups.setdefault(key, []).append(finding)
    found = [Cause(tuple(group)) for group in groups.values()]
    return sorted(found, key=lambda cause: (-int(cause.severity), -len(cause.tenants), -len(cause.findings)))
