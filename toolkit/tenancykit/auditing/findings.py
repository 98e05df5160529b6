"""What an audit says: findings, crossings between tenants, named checks, and the report that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import field, replace
from enum import IntEnum
from typing import Any, Final

from kubeanswers.errors import Fault
from kubeanswers.objects import ManifestObject, Where
from kubeanswers.records import dataclass
from tenancykit.drawing import Drawable


class Severity(IntEnum):
    """How bad a finding is; the order is the order of attention."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """One thing that is configured so that a tenant reaches what is not its own, or may.

    Attributes:
        rule: stable id of what was looked for.
        severity: how bad it is.
        subject: the object it is about, as text.
        where: file and line of that object.
        what: what is wrong, in one sentence.
        path: the path it opens, from the attacker to what is reached.
        fix: what to change.
        crossing: id of the isolation model's crossing it opens; empty for none.
        checks: ids of the benchmark checks and controls it fails.
        tenants: tenants that gain by it, at most a few.
    """

    rule: str
    severity: Severity
    subject: str
    where: Where
    what: str
    path: str
    fix: str
    crossing: str = ""
    checks: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[Any, ...]:
        """Sort key: worst first, then by rule and place."""
        return (-int(self.severity), self.rule, self.where, self.subject, self.what)

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return {
            "rule": self.rule,
            "severity": str(self.severity),
            "object": self.subject,
            "file": self.where.file,
            "line": self.where.line,
            "what": self.what,
            "path": self.path,
            "fix": self.fix,
            "crossing": self.crossing,
            "checks": list(self.checks),
            "tenants": list(self.tenants),
        }


def about(item: ManifestObject) -> tuple[str, Where]:
    """Return how a finding names an object, and its place."""
    return str(item), item.where


_NOBODY: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class CrossingState:
    """One crossing of the isolation model, as configured.

    Attributes:
        id: the crossing's id, the same as in the catalogue.
        title: what it is, in plain words.
        plane: plane of the isolation model.
        victims: for each tenant that can cross, the tenants it surely reaches.
        doubts: for each tenant, those it reaches unless something that is not evaluated stands in the way, or if
            something that is not evaluated opens the way.
        reasons: for a tenant, why the crossing is open, closed or undecided.
        held_by: barriers seen to refuse it, by their ids in the catalogue; empty where no refusal is looked at.
    """

    id: str
    title: str
    plane: str
    victims: Mapping[str, frozenset[str]]
    doubts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    held_by: frozenset[str] = frozenset()

    @classmethod
    def split(
        cls,
        crossing: str,
        title: str,
        plane: str,
        reached: Mapping[str, frozenset[str]],
        unsure: AbstractSet[str] = frozenset(),
        reasons: Mapping[str, str] | None = None,
    ) -> CrossingState:
        """Return the crossing with what the unsure tenants reach as doubts, and what the others reach as victims."""
        sure = {tenant: found for tenant, found in reached.items() if tenant not in unsure}
        doubts = {tenant: found for tenant, found in reached.items() if tenant in unsure}
        return cls(crossing, title, plane, sure, doubts, reasons or {})

    def with_pairs(self, more: Mapping[str, frozenset[str]], why: str, *, sure: bool) -> CrossingState:
        """Return the crossing with further pairs, open or undecided."""
        if not sure:
            return self.doubted(more, why)
        victims, reasons = dict(self.victims), dict(self.reasons)
        doubts = {tenant: found - more.get(tenant, _NOBODY) for tenant, found in self.doubts.items()}
        for tenant, found in more.items():
            if found - {tenant}:
                victims[tenant] = victims.get(tenant, _NOBODY) | found
                reasons.setdefault(tenant, why)
        doubts = {tenant: found for tenant, found in doubts.items() if found}
        return replace(self, victims=victims, doubts=doubts, reasons=reasons)

    def doubted(self, more: Mapping[str, frozenset[str]], why: str) -> CrossingState:
        """Return the crossing with further pairs undecided, unless they are open anyway."""
        doubts = dict(self.doubts)
        reasons = dict(self.reasons)
        for tenant, found in more.items():
            rest = found - self.victims.get(tenant, _NOBODY) - {tenant}
            if rest:
                doubts[tenant] = doubts.get(tenant, _NOBODY) | rest
                reasons[tenant] = f"{reasons[tenant]}; {why}" if tenant in reasons else why
        return replace(self, doubts=doubts, reasons=reasons)

    @property
    def undecided(self) -> frozenset[str]:
        """Tenants for which something is undecided."""
        return frozenset(self.doubts)

    @property
    def doubtful(self) -> int:
        """Number of undecided pairs."""
        return sum(len(found) - (attacker in found) for attacker, found in self.doubts.items())

    def is_open(self, attacker: str, victim: str) -> bool:
        """Return whether the attacker can cross to the victim."""
        return attacker != victim and victim in self.victims.get(attacker, frozenset())

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield (attacker, victim) for every open pair, in alphabetical order."""
        for attacker in sorted(self.victims):
            for victim in sorted(self.victims[attacker]):
                if victim != attacker:
                    yield attacker, victim

    @property
    def count(self) -> int:
        """Number of open pairs."""
        return sum(len(found) - (attacker in found) for attacker, found in self.victims.items())


@dataclass(frozen=True)
class Check:
    """One named check of a benchmark or standard.

    Attributes:
        id: the benchmark's own id.
        title: what it demands.
        source: which benchmark.
        status: ``pass``, ``fail``, ``not-applicable`` or ``undecided``.
        detail: why.
        failing: tenants or objects that fail it.
    """

    id: str
    title: str
    source: str
    status: str
    detail: str = ""
    failing: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuditReport(Drawable):
    """What a set of manifests means for its tenants.

    Attributes:
        tenants: tenants found, with their namespaces.
        crossings: the tenant-to-tenant matrix, one entry per crossing.
        findings: worst first.
        checks: benchmark checks and Pod Security controls.
        faults: what could not be read.
        unknown_kinds: kinds that are neither built in nor defined, with how many objects; listed, not ignored.
        not_evaluated: objects whose meaning is not modelled here (vendors' policies, webhooks).
        skipped: files left out on purpose.
        objects: number of objects read.
        unread: what holds objects that could not be read here.
        told: how tenants were found, or how to name them; namespaces that belong to none.
        sets: clusters or overlays that were read apart, where there are several.
    """

    tenants: Mapping[str, tuple[str, ...]]
    crossings: tuple[CrossingState, ...]
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    faults: tuple[Fault, ...] = ()
    unknown_kinds: Mapping[str, int] = field(default_factory=dict)
    not_evaluated: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    objects: int = 0
    unread: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """2 for bad input, 1 for findings of medium severity or worse and for what is undecided, else 0."""
        if self.faults:
            return 2
        found = any(finding.severity >= Severity.MEDIUM for finding in self.findings)
        return 1 if found or any(item.doubtful for item in self.crossings) else 0

    def crossing(self, crossing: str) -> CrossingState:
        """Return one crossing.

        Raises:
            KeyError: the crossing is not one the audit looks at.
        """
        found = next((item for item in self.crossings if item.id == crossing), None)
        if found is None:
            raise KeyError(f"{crossing!r} is not one of {', '.join(item.id for item in self.crossings)}")
        return found

    def open_crossings(self) -> dict[str, int]:
        """Return the number of open tenant pairs of each crossing that is open for any."""
        return {item.id: item.count for item in self.crossings if item.count}

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, pairs spelled out for up to 50 tenants and counted beyond."""
        spell = len(self.tenants) <= 50
        return {
            "objects": self.objects,
            "tenants": {tenant: list(names) for tenant, names in self.tenants.items()},
            "crossings": [
                {
                    "id": item.id,
                    "title": item.title,
                    "plane": item.plane,
                    "open_pairs": item.count,
                    "undecided_pairs": item.doubtful,
                    **({"pairs": [list(pair) for pair in item.pairs()]} if spell else {}),
                    "undecided": sorted(item.undecided),
                }
                for item in self.crossings
            ],
            "findings": [finding.as_dict() for finding in self.findings],
            "checks": [
                {
                    "id": c.id,
                    "title": c.title,
                    "source": c.source,
                    "status": c.status,
                    "detail": c.detail,
                    "failing": list(c.failing),
                }
                for c in self.checks
            ],
            "faults": [str(fault) for fault in self.faults],
            "unknown_kinds": dict(self.unknown_kinds),
            "not_evaluated": list(self.not_evaluated),
            "skipped": list(self.skipped),
            "unread": list(self.unread),
            "told": list(self.told),
            "sets": list(self.sets),
        }
