"""What tenants may do through the API beyond their own namespaces, and what their rights inside them amount to.

Rights are read binding by binding against one table of powers (:mod:`kubeanswers.access.powers`): a power over the
whole cluster, or in a namespace of the platform, reaches every tenant the cluster serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Final

from kubeanswers.access.default_roles import DEFAULTS
from kubeanswers.access.powers import (
    Power,
    effective,
    granting,
    powers_of,
    reaches_namespaces,
    with_bound,
    writes,
    writes_shared,
)
from kubeanswers.access.rbac import Grant, Rule
from kubeanswers.kinds import KindTable
from kubeanswers.objects import scalar_text
from kubeanswers.records import dataclass
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import EVERYONE, Tenancy, is_platform_namespace

CROSSING: Final = "api-user-to-shared-api"
_READER: Final = "extension-apiserver-authentication-reader"
"""A Role of every cluster's kube-system that reads one ConfigMap of public certificates."""
_DEFINITIONS: Final = "apiextensions.k8s.io"
_DEFINITION: Final = "CustomResourceDefinition"


@dataclass(frozen=True)
class ApiReach:
    """Who reaches whose objects through the API.

    Attributes:
        victims: for each tenant, the tenants whose objects it can read or change.
        doubts: for each tenant, those it may reach, where what is given does not say whose a namespace is.
        reasons: why, by tenant.
        lifted: fences each tenant may take down in its own namespaces, with the binding that lets it.
        findings: what is wrong, binding by binding.
    """

    victims: Mapping[str, frozenset[str]]
    doubts: Mapping[str, frozenset[str]]
    reasons: Mapping[str, str]
    lifted: Mapping[str, Mapping[str, str]]
    findings: tuple[Finding, ...]


def api_reach(tenancy: Tenancy, kinds: KindTable) -> ApiReach:
    """Return which tenants reach others' objects through the API, binding by binding."""
    reading = _Reading(tenancy, kinds)
    for grant in tenancy.access.grants:
        reading.read(grant)
    return reading.result()


@dataclass
class _Amounts:
    """What the rules of one role amount to, worked out once for all its bindings."""

    rules: tuple[Rule, ...]
    in_namespace: bool
    powers: list[Power]

    @classmethod
    def of(cls, rules: tuple[Rule, ...], kinds: KindTable, *, in_namespace: bool) -> _Amounts:
        found = effective(rules, kinds) if in_namespace else rules
        return cls(found, in_namespace, powers_of(found, in_namespace=in_namespace))


@dataclass
class _Reading:
    tenancy: Tenancy
    kinds: KindTable
    findings: list[Finding] = field(default_factory=list)
    lifted: dict[str, dict[str, str]] = field(default_factory=dict)
    amounts: dict[tuple[int, bool], _Amounts] = field(default_factory=dict)
    cluster: dict[int, tuple[bool, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = _Ledger(frozenset(self.tenancy.tenants))

    def read(self, grant: Grant) -> None:
        holders = self.tenancy.tenants_of(grant)
        if not holders:
            return
        actors = self.ledger.everybody if holders is EVERYONE else holders
        if grant.role is None and grant.role_name != _READER:
            self._unknown(grant, actors)
        if not grant.rules:
            return
        if not grant.namespace:
            self._cluster(grant, actors)
            return
        held = self._amounts(grant, in_namespace=True)
        if not held.rules:
            return
        owner = self.tenancy.by_namespace.get(grant.namespace)
        if owner is None:
            self._platform(grant, actors, held)
            return
        if len(actors) > 1 or owner not in actors:
            self.ledger.add(grant, actors, frozenset({owner}), held.powers)
        if owner in actors:
            self._own(grant, owner, held)

    def _unknown(self, grant: Grant, actors: frozenset[str]) -> None:
        """Note whom a role that is not among these objects may reach: nobody knows what it gives."""
        owner = self.tenancy.by_namespace.get(grant.namespace)
        victims = frozenset({owner}) if owner is not None else self.ledger.everybody
        if not victims - actors and len(actors) < 2:
            return
        why = f"{grant}, a role whose rules are not among these objects"
        self.ledger.note(actors, victims, sure=False, why=why)
        if grant.role_name.startswith("system:"):  # taken to be part of every cluster, so not told as missing
            self.findings.append(_unknown_finding(grant, actors))

    def _amounts(self, grant: Grant, *, in_namespace: bool) -> _Amounts:
        key = (id(grant.rules), in_namespace)
        if key not in self.amounts:
            rules = with_bound(grant.rules, self.tenancy.access.rules)
            self.amounts[key] = _Amounts.of(rules, self.kinds, in_namespace=in_namespace)
        return self.amounts[key]

    def _cluster(self, grant: Grant, actors: frozenset[str]) -> None:
        held = self._amounts(grant, in_namespace=False)
        if id(grant.rules) not in self.cluster:
            shared = writes_shared(held.rules, self.kinds) or bool(held.powers)
            self.cluster[id(grant.rules)] = (reaches_namespaces(held.rules, self.kinds), shared)
        inside, shared = self.cluster[id(grant.rules)]
        many = len(self.ledger.everybody) > 1
        if many and (inside or (shared and not _is_default(grant))):
            self.ledger.add(grant, actors, self.ledger.everybody, held.powers, title="" if inside else _SHARED)
        elif inside or not _is_default(grant):
            self.findings.extend(_cluster_findings(grant, actors, held.powers, writes=shared))

    def _platform(self, grant: Grant, actors: frozenset[str], held: _Amounts) -> None:
        reaching = [power for power in held.powers if power.platform]
        if not reaching and not writes(held.rules):
            return
        labels = self.tenancy.objects.namespaces.get(grant.namespace, {})
        known = is_platform_namespace(grant.namespace, labels) or grant.namespace in self._ruling
        self.findings.append(_platform_finding(grant, actors, reaching, known=known))
        if len(self.ledger.everybody) > 1:
            sure = known and bool(reaching)
            self.ledger.note(actors, self.ledger.everybody, sure=sure, why=self.findings[-1].what)

    @cached_property
    def _groups(self) -> frozenset[str]:
        """API groups that objects of the set are of, definitions included."""
        names = {scalar_text(i.spec.get("group")) for i in self.tenancy.objects.of(_DEFINITIONS, _DEFINITION)}
        return frozenset({item.group for item in self.tenancy.objects} | names)

    @cached_property
    def _ruling(self) -> frozenset[str]:
        """Namespaces that rule the cluster however they are called: by their accounts' powers, or as Argo CD's own."""
        found = {item.namespace for item in self.tenancy.objects.of("argoproj.io", "AppProject")}
        for grant in self.tenancy.access.grants:
            if not grant.namespace and grant.subject.kind == "ServiceAccount" and grant.subject.namespace not in found:
                held = self._amounts(grant, in_namespace=False).powers
                if any(power.severity == "critical" for power in held):
                    found.add(grant.subject.namespace)
        return frozenset(found)

    def _own(self, grant: Grant, owner: str, held: _Amounts) -> None:
        anywhere = [power for power in held.powers if power.anywhere]
        sure = [power for power in anywhere if power.served_for(held.rules, self._groups)]
        for found in (sure, [power for power in anywhere if power not in sure]):
            if found:
                self.findings.append(_anywhere_finding(grant, owner, found, sure=found is sure))
                why = self.findings[-1].what
                self.ledger.note(frozenset({owner}), self.ledger.everybody, sure=found is sure, why=why)
        own = [power for power in held.powers if power.own]
        if own:
            for power in own:
                for fence in power.lifts:
                    self.lifted.setdefault(owner, {}).setdefault(fence, f"{grant.subject} may: {power.own} ({grant})")
            self.findings.append(_guard_finding(grant, owner, own))

    def result(self) -> ApiReach:
        sure, unsure = self.ledger.reached(sure=True), self.ledger.reached(sure=False)
        doubts = {tenant: found - sure.get(tenant, frozenset()) for tenant, found in unsure.items()}
        return ApiReach(
            sure,
            {tenant: found for tenant, found in doubts.items() if found},
            self.ledger.reasons,
            self.lifted,
            (*self.findings, *self.ledger.findings()),
        )


_SHARED: Final = "cluster-scoped objects all tenants share"


class _Ledger:
    """Grants that cross, by subject: a group shared by a thousand tenants is one finding, not a million pairs."""

    def __init__(self, everybody: frozenset[str]) -> None:
        self.everybody = everybody
        self.entries: dict[tuple[str, str, str], tuple[Grant, frozenset[str], set[str], list[Power], str]] = {}
        self.notes: dict[tuple[frozenset[str], frozenset[str], bool], None] = {}
        self.reasons: dict[str, str] = {}

    def add(
        self, grant: Grant, actors: frozenset[str], owners: frozenset[str], found: list[Power], title: str = ""
    ) -> None:
        role = f"{grant.role_kind}/{grant.role_name}"
        key = (str(grant.subject), role, "namespaces" if grant.namespace else "cluster")
        self.entries.setdefault(key, (grant, actors, set(), found, title))[2].update(owners)

    def note(self, actors: frozenset[str], owners: frozenset[str], *, sure: bool, why: str) -> None:
        """Note what a finding of its own already says."""
        self.notes[(actors, owners, sure)] = None
        for actor in actors if len(actors) < len(self.everybody) or not self.reasons else ():
            self.reasons.setdefault(actor, why)

    def reached(self, *, sure: bool) -> dict[str, frozenset[str]]:
        """Return the victims of each tenant; equal sets are one object, so that memory stays linear."""
        parts: dict[str, set[frozenset[str]]] = {}
        for grant, actors, owners, _, _ in self.entries.values() if sure else ():
            whole = frozenset(owners)
            for actor in actors:
                parts.setdefault(actor, set()).add(whole)
                self.reasons.setdefault(actor, str(grant))
        for actors, whole, is_sure in self.notes:
            for actor in actors if is_sure is sure else ():
                parts.setdefault(actor, set()).add(whole)
        unions: dict[frozenset[frozenset[str]], frozenset[str]] = {}
        return {
            actor: unions.setdefault(key, frozenset().union(*key))
            for actor, found in parts.items()
            if (key := frozenset(found)) and not (len(key) == 1 and next(iter(key)) == {actor})
        }

    def findings(self) -> Iterator[Finding]:
        for grant, actors, owners, found, title in self.entries.values():
            victims = frozenset(owners)
            if len(actors | victims) > 1:
                yield _crossing_finding(grant, actors, victims, found, title)


def _is_default(grant: Grant) -> bool:
    return grant.binding.where.file == DEFAULTS


def severity_of(power: Power) -> Severity:
    """Return the severity of holding a power where it reaches others."""
    return Severity[power.severity.upper()]


def _crossing_finding(
    grant: Grant, actors: Iterable[str], victims: frozenset[str], found: list[Power], title: str
) -> Finding:
    worst = severity_of(found[0]) if found else Severity.HIGH
    means = found[0].means if found else "sees or changes objects that are not its own"
    subject, where = about(grant.binding)
    names = sorted(actors)
    target = f"tenant {next(iter(victims))}" if len(victims) == 1 else f"all {len(victims)} tenants' namespaces"
    target = title or target
    return Finding(
        "rbac-cluster-resources" if title else "rbac-cross-tenant",
        worst,
        subject,
        where,
        f"{_who(grant)} holds {grant.role_kind} {grant.role_name} over {target} ({_ids(found) or 'other rights'})",
        f"{_some(names)} -> {grant.subject} -> {subject} -> {target}: {means}",
        "give tenants no ClusterRoleBinding; what they must see, publish in their namespace"
        if title
        else "bind the role only in the tenant's own namespace, to a group only that tenant is in",
        CROSSING,
        ("MTB-PL1-CC-CPI-1",) if title else ("MTB-PL1-CC-TI-2",),
        tuple(names[:5]),
    )


def _unknown_finding(grant: Grant, actors: Iterable[str]) -> Finding:
    subject, where = about(grant.binding)
    names = sorted(actors)
    return Finding(
        "rbac-cross-tenant" if grant.namespace else "rbac-cluster-resources",
        Severity.MEDIUM,
        subject,
        where,
        f"{_who(grant)} holds {grant.role_kind} {grant.role_name}, whose rules are not among these objects",
        f"{_some(names)} -> {grant.subject} -> {subject} -> {grant.role_name}: what it gives is not known",
        "give tenants roles of their own, or add the role to what is audited",
        CROSSING,
        (),
        tuple(names[:5]),
    )


def _platform_finding(grant: Grant, actors: frozenset[str], found: list[Power], *, known: bool) -> Finding:
    subject, where = about(grant.binding)
    place = f"the platform's namespace {grant.namespace}"
    fix = "take the tenant's subject out of the binding"
    if not known:
        place = f"namespace {grant.namespace}, which no tenant is known to own"
        fix = f"say whose it is (--tenant {grant.namespace}=TENANT), or take the tenant's subject out of the binding"
    worst = severity_of(found[0]) if found else Severity.MEDIUM
    means = found[0].means if found else "changes what serves everybody there"
    return Finding(
        "rbac-platform-namespace",
        worst if known else min(worst, Severity.MEDIUM),
        subject,
        where,
        f"{_who(grant)} holds {_ids(found) or 'other rights to change objects'} in {place}",
        f"{_some(sorted(actors))} -> {grant.subject} -> {grant.namespace}: {means} -> every tenant it serves",
        fix,
        CROSSING,
        ("MTB-PL1-CC-TI-2",),
        tuple(sorted(actors)[:5]),
    )


def _cluster_findings(grant: Grant, actors: frozenset[str], found: list[Power], *, writes: bool) -> Iterator[Finding]:
    """Cluster-wide rights that reach no second tenant: some are root of the cluster, reading is only untidy."""
    if not found and not granting(grant.rules):
        return
    subject, where = about(grant.binding)
    severity = severity_of(found[0]) if found else (Severity.HIGH if writes else Severity.LOW)
    means = found[0].means if found else ("changes what all tenants share" if writes else "sees what all tenants share")
    yield Finding(
        "rbac-cluster-resources",
        severity,
        subject,
        where,
        f"{_who(grant)} holds {grant.role_kind} {grant.role_name} over cluster-scoped resources"
        + (f" ({_ids(found)})" if found else ""),
        f"{_some(sorted(actors)) or 'everybody'} -> {grant.subject} -> cluster scope: {means}",
        "give tenants no ClusterRoleBinding; what they must see, publish in their namespace",
        CROSSING if severity >= Severity.HIGH else "",
        ("MTB-PL1-CC-CPI-1",),
        tuple(sorted(actors)[:5]),
    )


def _anywhere_finding(grant: Grant, owner: str, found: list[Power], *, sure: bool) -> Finding:
    subject, where = about(grant.binding)
    doubt = "" if sure else ", where the cluster runs one"
    return Finding(
        "rbac-own-fence",
        severity_of(found[0]) if sure else Severity.LOW,
        subject,
        where,
        f"{grant.subject} may write {_ids(found)} in its own namespace {grant.namespace}: {found[0].means}{doubt}",
        f"{owner} -> {subject} -> {found[0].means} -> every other tenant",
        "take the right out of the role; controllers of the platform do what it is for",
        CROSSING,
        ("MTB-PL1-CC-TI-2",),
        (owner,),
    )


def _guard_finding(grant: Grant, owner: str, held: list[Power]) -> Finding:
    """What a tenant may do in its own namespace to what fences it in."""
    subject, where = about(grant.binding)
    worst = max(held, key=severity_of)
    checks = tuple(dict.fromkeys(check for power in held for check in power.checks))
    return Finding(
        "rbac-own-fence",
        min(severity_of(worst), Severity.HIGH),
        subject,
        where,
        f"{grant.subject} holds {_ids(held)} over its own namespace {grant.namespace}",
        f"{owner} -> {subject} -> {grant.namespace}: {'; '.join(power.own for power in held)}",
        "leave quotas, limits, network policies and the namespace to the platform, or fence them by admission",
        "",
        checks,
        (owner,),
    )


def _who(grant: Grant) -> str:
    name = grant.subject.name
    anonymous = name in ("system:anonymous", "system:unauthenticated")
    return f"{grant.subject}, everybody without credentials," if anonymous else str(grant.subject)


def _ids(found: list[Power]) -> str:
    return ", ".join(power.id for power in found[:6])


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more tenants" if len(names) > 3 else "")
