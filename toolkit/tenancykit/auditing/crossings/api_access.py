"""What tenants may do through the API beyond their own namespaces, and what their rights inside them amount to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kubeanswers.access.rbac import RBAC_GROUP, Grant, Rule
from kubeanswers.kinds import KindTable
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import EVERYONE, Tenancy

CROSSING: Final = "api-user-to-shared-api"
_WRITE: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_REVIEWS: Final = frozenset({"authentication.k8s.io", "authorization.k8s.io"})


@dataclass(frozen=True)
class Power:
    """A right that is worth more than it looks.

    Attributes:
        id: short name.
        severity: of holding it where it reaches others.
        verbs: any of these.
        group: API group.
        resources: any of these; subresources included.
        means: what it amounts to.
    """

    id: str
    severity: Severity
    verbs: frozenset[str]
    group: str
    resources: frozenset[str]
    means: str

    def given_by(self, rule: Rule) -> bool:
        """Return whether a rule gives it, wildcards included."""
        if rule.urls or not ("*" in rule.groups or self.group in rule.groups):
            return False
        if not ("*" in rule.verbs or rule.verbs & self.verbs):
            return False
        if "*" in rule.resources:
            return True
        return any(
            wanted in rule.resources or ("/" in wanted and f"*/{wanted.split('/', 1)[1]}" in rule.resources)
            for wanted in self.resources
        )


def _power(name: str, severity: Severity, verbs: str, group: str, resources: str, means: str) -> Power:
    return Power(name, severity, frozenset(verbs.split()), group, frozenset(resources.split()), means)


_C, _H, _M = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM
_CHANGE: Final = "create update patch"
POWERS: Final = (
    _power("read-secrets", _C, "get list watch", "", "secrets", "reads credentials"),
    _power(
        "create-pods", _C, "create", "", "pods", "runs code there, with any service account and volume of the namespace"
    ),
    _power(
        "create-workloads",
        _C,
        _CHANGE,
        "apps",
        "deployments statefulsets daemonsets replicasets",
        "runs code there through a controller",
    ),
    _power("create-jobs", _C, _CHANGE, "batch", "jobs cronjobs", "runs code there through a controller"),
    _power("exec", _C, "create get", "", "pods/exec pods/attach", "steps into running containers"),
    _power("debug", _C, "update patch", "", "pods/ephemeralcontainers", "adds a container to running pods"),
    _power(
        "port-forward",
        _H,
        "create get",
        "",
        "pods/portforward pods/proxy services/proxy",
        "reaches pods past every network policy",
    ),
    _power("tokens", _C, "create", "", "serviceaccounts/token", "takes on service accounts"),
    _power(
        "node-proxy",
        _C,
        "get create update patch delete",
        "",
        "nodes/proxy",
        "commands the kubelet: any container of the node",
    ),
    _power("escalate", _C, "escalate", RBAC_GROUP, "roles clusterroles", "gives itself any right"),
    _power("bind", _C, "bind", RBAC_GROUP, "roles clusterroles", "gives itself any role"),
    _power("bindings", _H, _CHANGE, RBAC_GROUP, "rolebindings clusterrolebindings", "hands its rights to anybody"),
    _power("impersonate", _C, "impersonate", "", "users groups serviceaccounts", "acts as somebody else"),
    _power(
        "webhooks",
        _C,
        _CHANGE,
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations validatingwebhookconfigurations mutatingadmissionpolicies",
        "sees and changes every request",
    ),
    _power(
        "csr-approve",
        _C,
        "update patch approve sign",
        "certificates.k8s.io",
        "certificatesigningrequests/approval signers",
        "issues client certificates for anybody",
    ),
    _power("volumes", _C, "create", "", "persistentvolumes", "mounts any path of a node through a hostPath volume"),
    _power(
        "nodes",
        _H,
        "update patch delete",
        "",
        "nodes nodes/status",
        "moves other tenants' pods and draws them to its node",
    ),
    _power(
        "definitions",
        _H,
        _CHANGE,
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "changes kinds every tenant uses",
    ),
    _power(
        "write",
        _H,
        "create update patch delete deletecollection",
        "",
        "configmaps services serviceaccounts persistentvolumeclaims",
        "changes objects there",
    ),
)
"""Rights worth naming. Sources: https://kubernetes.io/docs/concepts/security/rbac-good-practices/ and the verbs the
Pod Security and RBAC pages single out."""

GUARDS: Final = (
    _power(
        "network-policies",
        _M,
        " ".join(_WRITE),
        "networking.k8s.io",
        "networkpolicies",
        "takes down the policies that isolate its namespace",
    ),
    _power("quotas", _H, " ".join(_WRITE), "", "resourcequotas", "lifts its own quota"),
    _power("limits", _M, " ".join(_WRITE), "", "limitranges", "lifts its own limits"),
    _power(
        "namespace",
        _H,
        "update patch delete",
        "",
        "namespaces",
        "rewrites its namespace's labels, Pod Security level included",
    ),
)
"""Rights inside a tenant's own namespace over what fences it in."""

_GUARD_CHECKS: Final = {
    "network-policies": ("MTB-PL1-BC-CPI-2",),
    "quotas": ("MTB-PL1-CC-TI-1", "MTB-PL1-BC-CPI-2"),
    "limits": ("MTB-PL1-BC-CPI-2",),
    "namespace": ("MTB-PL1-CC-CPI-1",),
}


@dataclass(frozen=True)
class ApiReach:
    """Who reaches whose objects through the API.

    Attributes:
        victims: for each tenant, the tenants whose objects it can read or change.
        findings: why.
    """

    victims: Mapping[str, frozenset[str]]
    findings: tuple[Finding, ...]


def api_reach(tenancy: Tenancy, kinds: KindTable) -> ApiReach:
    """Return which tenants reach others' objects through the API, binding by binding."""
    ledger = _Ledger(frozenset(tenancy.tenants))
    findings: list[Finding] = []
    for grant in tenancy.access.grants:
        holders = tenancy.tenants_of(grant)
        if not holders or not grant.rules:
            continue
        actors = ledger.everybody if holders is EVERYONE else holders
        owner = tenancy.by_namespace.get(grant.namespace)
        if grant.namespace and owner:
            if _useful(grant.rules) and (len(actors) > 1 or owner not in actors):
                ledger.add(grant, actors, frozenset({owner}))
        elif grant.namespace:
            findings.extend(_platform_findings(grant, actors))
        elif _reaches_namespaces(grant.rules, kinds) and len(ledger.everybody) > 1:
            ledger.add(grant, actors, ledger.everybody)
        else:
            findings.extend(_cluster_findings(grant, actors))
    findings.extend(ledger.findings())
    findings.extend(_guard_findings(tenancy))
    return ApiReach(ledger.victims(), tuple(findings))


class _Ledger:
    """Grants that cross, by subject: a group shared by a thousand tenants is one finding, not a million pairs."""

    def __init__(self, everybody: frozenset[str]) -> None:
        self.everybody = everybody
        self.entries: dict[tuple[str, str, str], tuple[Grant, frozenset[str], set[str]]] = {}

    def add(self, grant: Grant, actors: frozenset[str], owners: frozenset[str]) -> None:
        role = f"{grant.role_kind}/{grant.role_name}"
        key = (str(grant.subject), role, "namespaces" if grant.namespace else "cluster")
        self.entries.setdefault(key, (grant, actors, set()))[2].update(owners)

    def victims(self) -> dict[str, frozenset[str]]:
        """Return the victims of each tenant; equal sets are one object, so that memory stays linear."""
        parts: dict[str, set[frozenset[str]]] = {}
        for _, actors, owners in self.entries.values():
            whole = frozenset(owners)
            for actor in actors:
                parts.setdefault(actor, set()).add(whole)
        unions: dict[frozenset[frozenset[str]], frozenset[str]] = {}
        return {
            actor: unions.setdefault(key, frozenset().union(*key))
            for actor, found in parts.items()
            if (key := frozenset(found)) and not (len(key) == 1 and next(iter(key)) == {actor})
        }

    def findings(self) -> Iterator[Finding]:
        for grant, actors, owners in self.entries.values():
            victims = frozenset(owners)
            if len(actors | victims) > 1:
                yield _crossing_finding(grant, actors, victims)


def _useful(rules: Iterable[Rule]) -> bool:
    return any(rule.verbs and rule.resources for rule in rules)


def _reaches_namespaces(rules: Iterable[Rule], kinds: KindTable) -> bool:
    """Return whether cluster-wide rules touch objects that live in namespaces."""
    return any(_namespaced(rule, kinds) for rule in rules if rule.resources and not rule.groups <= _REVIEWS)


def _namespaced(rule: Rule, kinds: KindTable) -> bool:
    if "*" in rule.resources:
        return True
    for group in rule.groups:
        for resource in rule.resources:
            entry = kinds.by_resource.get((group, resource.partition("/")[0]))
            if entry is None or entry.namespaced:
                return True
    return False


def powers_of(rules: Iterable[Rule]) -> list[Power]:
    """Return the named powers that rules give, worst first."""
    held = list(rules)
    return sorted((p for p in POWERS if any(p.given_by(rule) for rule in held)), key=lambda p: (-int(p.severity), p.id))


def _crossing_finding(grant: Grant, actors: Iterable[str], victims: frozenset[str]) -> Finding:
    powers = powers_of(grant.rules)
    worst = powers[0].severity if powers else Severity.HIGH
    means = powers[0].means if powers else "sees or changes objects that are not its own"
    subject, where = about(grant.binding)
    names = sorted(actors)
    target = f"tenant {next(iter(victims))}" if len(victims) == 1 else f"all {len(victims)} tenants' namespaces"
    listed = _ids(powers) or "other rights"
    return Finding(
        "rbac-cross-tenant",
        worst,
        subject,
        where,
        f"{grant.subject} holds {grant.role_kind} {grant.role_name} over {target} ({listed})",
        f"{_some(names)} -> {grant.subject} -> {subject} -> {target}: {means}",
        "bind the role only in the tenant's own namespace, to a group only that tenant is in",
        CROSSING,
        ("MTB-PL1-CC-TI-2",),
        tuple(names[:5]),
    )


def _platform_findings(grant: Grant, actors: frozenset[str]) -> Iterator[Finding]:
    powers = powers_of(grant.rules)
    if powers and actors:
        subject, where = about(grant.binding)
        yield Finding(
            "rbac-platform-namespace",
            min(powers[0].severity, Severity.HIGH),
            subject,
            where,
            f"{grant.subject} holds {_ids(powers)} in the platform's namespace {grant.namespace}",
            f"{_some(sorted(actors))} -> {grant.subject} -> {grant.namespace}: {powers[0].means}",
            "take the tenant's subject out of the binding",
            CROSSING,
            ("MTB-PL1-CC-TI-2",),
            tuple(sorted(actors)[:5]),
        )


def _cluster_findings(grant: Grant, actors: frozenset[str]) -> Iterator[Finding]:
    """Cluster-wide rights over cluster-scoped kinds alone: some are root, reading is only untidy."""
    if grant.binding.where.file.startswith("<"):
        return
    powers = powers_of(grant.rules)
    writes = any(
        (rule.verbs & _WRITE or "*" in rule.verbs) and not rule.groups <= _REVIEWS
        for rule in grant.rules
        if rule.resources
    )
    if not powers and not any(rule.resources and not rule.groups <= _REVIEWS for rule in grant.rules):
        return
    subject, where = about(grant.binding)
    severity = powers[0].severity if powers else (Severity.HIGH if writes else Severity.LOW)
    means = (
        powers[0].means if powers else ("changes what all tenants share" if writes else "sees what all tenants share")
    )
    yield Finding(
        "rbac-cluster-resources",
        severity,
        subject,
        where,
        f"{grant.subject} holds {grant.role_kind} {grant.role_name} over cluster-scoped resources",
        f"{_some(sorted(actors))} -> {grant.subject} -> cluster scope: {means}",
        "give tenants no ClusterRoleBinding; what they must see, publish in their namespace",
        CROSSING if severity >= Severity.HIGH else "",
        ("MTB-PL1-CC-CPI-1",),
        tuple(sorted(actors)[:5]),
    )


def _guard_findings(tenancy: Tenancy) -> Iterator[Finding]:
    """What tenants may do in their own namespace to what fences them in."""
    for grant in tenancy.access.grants:
        owner = tenancy.by_namespace.get(grant.namespace)
        if not owner or owner not in tenancy.tenants_of(grant):
            continue
        held = [guard for guard in GUARDS if any(guard.given_by(rule) for rule in grant.rules)]
        if held:
            subject, where = about(grant.binding)
            worst = max(held, key=lambda guard: guard.severity)
            yield Finding(
                "rbac-own-fence",
                worst.severity,
                subject,
                where,
                f"{grant.subject} may change {_ids(held)} of its own namespace {grant.namespace}",
                f"{owner} -> {subject} -> {grant.namespace}: {'; '.join(guard.means for guard in held)}",
                "leave quotas, limits, network policies and the namespace to the platform, or fence them by admission",
                "",
                tuple(dict.fromkeys(check for guard in held for check in _GUARD_CHECKS[guard.id])),
                (owner,),
            )


def _ids(powers: list[Power]) -> str:
    return ", ".join(power.id for power in powers[:6])


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more tenants" if len(names) > 3 else "")
