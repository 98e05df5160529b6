"""The audits of an export's clusters, counted by crossing and pairs of tenant classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Final

from kubeanswers.errors import Fault
from kubeanswers.records import dataclass
from tenancykit.auditing import AuditOptions, CrossingState, Finding, Reading, audit
from tenancykit.auditing.crossings.hostile_pods import pod_makers
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.manifests.plan import Role, common_clusters, is_per_tenant, own_cluster
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import class_tenants
from tenancykit.study.proof_validity import ValidityNotes

_EXAMPLES: Final = 5
"""Pairs of tenants, findings and reasons kept as examples of an open crossing."""
_PLATFORM_ROLES: Final[frozenset[Role]] = frozenset({"hub", "logical"})
"""Clusters that run or define tenants' clusters, and no pods that tenants make."""

Key = tuple[str, str, str]
"""Crossing, class of the attacker, class of the victim; an empty class for tenants the scenario does not know."""


@dataclass(frozen=True)
class Seen:
    """What the audits observed of one crossing between two classes.

    Attributes:
        pairs: pairs of tenants of the two classes.
        open_pairs: pairs for which the crossing stands open.
        undecided_pairs: pairs for which something that is not evaluated may still stand in the way.
        examples: open or undecided pairs, at most a few.
        reasons: why, at most a few.
        findings: findings that name the path, with object, place and fix, at most a few.
        held_by: barriers seen to refuse the crossing, by id; empty where no refusal is looked at.
    """

    pairs: int
    open_pairs: int
    undecided_pairs: int
    examples: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    held_by: frozenset[str] = frozenset()


@dataclass
class _Tally:
    open_pairs: int = 0
    undecided_pairs: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def note(self, reasons: Iterable[str]) -> None:
        """Keep further reasons while there is room."""
        for why in reasons:
            if why and why not in self.reasons and len(self.reasons) < _EXAMPLES:
                self.reasons.append(why)


class Observations:
    """Audits of clusters, one after the other; memory does not grow with their number.

    Args:
        resolved: the design the clusters are meant to be.
        scenario: what it was resolved for.
        by_own_hand: crossings that take pods or objects a tenant makes itself; they do not count in clusters of the
            platform where nobody of the tenant may make any.
    """

    def __init__(self, resolved: ResolvedDesign, scenario: Scenario, by_own_hand: frozenset[str]) -> None:
        self.by_own_hand = by_own_hand
        self.faults: list[Fault] = []
        self.unread: list[str] = []
        self.validity = ValidityNotes()
        self._kubernetes = scenario.kubernetes
        self.present: set[str] = set()
        self.objects = 0
        self.titles: dict[str, str] = {}
        self._classes: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._roles: dict[str, Role] = {plan.name: plan.role for plan in common_clusters(resolved)}
        self._homes: dict[str, str] = {}
        self._tallies: dict[Key, _Tally] = {}
        self._findings: dict[str, list[Finding]] = {}
        self._held: dict[str, frozenset[str]] = {}
        for found in resolved.classes:
            self._expect(found, scenario)

    def _expect(self, found: ClassDesign, scenario: Scenario) -> None:
        for tenant in class_tenants(scenario, found.tenant_class):
            self._classes[tenant.kubernetes_name] = found.tenant_class.id
            self._sizes[found.tenant_class.id] = self._sizes.get(found.tenant_class.id, 0) + 1
            own = own_cluster(found, tenant)
            if own is not None:
                self._roles[own.name] = own.role
            self._homes[tenant.kubernetes_name] = own.name if own and is_per_tenant(found) else ""

    def read(self, cluster: str, reading: Reading) -> None:
        """Audit one cluster and add what it shows."""
        report = audit(reading, AuditOptions(kubernetes=self._kubernetes))
        self.validity.note(cluster, reading, report)
        role = self._roles.get(cluster, "shared")
        self.objects += report.objects
        self.unread.extend(report.unread)
        self.faults.extend(report.faults)
        self.present.update(t for t in report.tenants if self._is_home(t, cluster, role))
        idle = frozenset[str]()
        if role in _PLATFORM_ROLES:
            idle = frozenset(report.tenants) - pod_makers(reading.objects).keys()
        for item in report.crossings:
            self.titles.setdefault(item.id, item.title)
            self._count(item, idle if item.id in self.by_own_hand else frozenset())
            self._held[item.id] = self._held.get(item.id, frozenset()) | item.held_by
        for finding in report.findings:
            if finding.crossing:
                self._findings.setdefault(finding.crossing, []).append(finding)

    def _is_home(self, tenant: str, cluster: str, role: Role) -> bool:
        """Return whether finding the tenant in a cluster says that it is there at all; strangers are noted anywhere."""
        home = self._homes.get(tenant)
        return home is None or (home == cluster if home else role == "shared")

    def _count(self, item: CrossingState, skipped: frozenset[str]) -> None:
        self._pairs(item, item.victims, skipped, sure=True)
        self._pairs(item, item.doubts, skipped, sure=False)

    def _pairs(
        self, item: CrossingState, pairs: Mapping[str, frozenset[str]], skipped: frozenset[str], *, sure: bool
    ) -> None:
        sizes: dict[int, Mapping[str, int]] = {}  # tenants with equal reach share one set: each is counted once
        for attacker, reached in pairs.items():
            if attacker in skipped:
                continue
            if id(reached) not in sizes:
                sizes[id(reached)] = self._by_class(reached)
            near = self._classes.get(attacker, "")
            for far, count in sizes[id(reached)].items():
                others = count - (far == near and attacker in reached)
                if others:
                    tally = self._tallies.setdefault((item.id, near, far), _Tally())
                    if sure:
                        tally.open_pairs += others
                    else:
                        tally.undecided_pairs += others
                    tally.note([item.reasons.get(attacker, "")])
                    if len(tally.examples) < _EXAMPLES:
                        victim = min(t for t in reached if t != attacker and self._classes.get(t, "") == far)
                        tally.examples.append((attacker, victim))

    def _by_class(self, tenants: Iterable[str]) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for tenant in tenants:
            name = self._classes.get(tenant, "")
            found[name] = found.get(name, 0) + 1
        return found

    def strangers(self) -> Iterator[Fault]:
        """Yield a fault per tenant of the scenario that is in no cluster, and per tenant that is not the scenario's."""
        for tenant, home in sorted(self._homes.items()):
            if tenant not in self.present:
                place = f"its cluster {home}" if home else "a cluster where it could run pods"
                yield Fault(f"tenant {tenant}", f"its namespace is not in {place}", cure="export again")
        for tenant in sorted(self.present - self._classes.keys()):
            yield Fault(
                f"tenant {tenant}", "is not in the scenario", cure="remove its namespaces, or add it to the scenario"
            )

    def seen(self, crossing: str, attacker: str, victim: str) -> Seen:
        """Return what was observed of a crossing between two classes."""
        tally = self._tallies.get((crossing, attacker, victim), _Tally())
        findings = [f for f in self._findings.get(crossing, []) if self._concerns(f, attacker)]
        return Seen(
            self._sizes[attacker] * (self._sizes[victim] - (attacker == victim)),
            tally.open_pairs,
            tally.undecided_pairs,
            tuple(tally.examples),
            tuple(tally.reasons),
            tuple(findings[:_EXAMPLES]),
            self._held.get(crossing, frozenset()),
        )

    def _concerns(self, finding: Finding, attacker: str) -> bool:
        return not finding.tenants or attacker in {self._classes.get(t, "") for t in finding.tenants}
