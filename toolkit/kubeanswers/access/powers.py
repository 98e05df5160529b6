"""Rights that are worth more than they look, as one table (``powers.yaml``): what each amounts to, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import yaml

from kubeanswers.access.rbac import RBAC_GROUP, Rule
from kubeanswers.kinds import KindTable
from kubeanswers.records import dataclass

_NAMELESS: Final = frozenset({"create", "deletecollection"})
"""Verbs asked before the object's name is known, so that a rule with resourceNames never allows them."""
_OWN_NAMESPACE: Final = frozenset({"get", "update", "patch", "delete"})
"""Verbs on a Namespace that are asked in that namespace, so that a RoleBinding in it gives them."""
_REVIEWS: Final = frozenset({"authentication.k8s.io", "authorization.k8s.io"})


@dataclass(frozen=True)
class Right:
    """Verbs on resources of API groups; any of each."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]

    def given_by(self, rule: Rule) -> bool:
        """Return whether a rule gives it, wildcards included."""
        if rule.urls or not ("*" in rule.groups or rule.groups & self.groups):
            return False
        found = {wanted for wanted in self.resources if _covers(rule.resources, wanted)}
        if not found:
            return False
        verbs = self.verbs if "*" in rule.verbs else self.verbs & rule.verbs
        if rule.names and not any("/" in resource for resource in found):
            verbs = verbs - _NAMELESS
        return bool(verbs)


@dataclass(frozen=True)
class Power:
    """A right that is worth more than it looks.

    Attributes:
        id: short name.
        severity: of holding it where it reaches others: ``critical``, ``high`` or ``medium``.
        rights: any of these gives it.
        means: what it amounts to.
        cluster_only: whether it is asked without a namespace, so that no RoleBinding gives it.
        platform: whether it reaches everybody when it is held in a namespace of the platform.
        own: what it lifts when it is held in the holder's own namespace; empty for nothing.
        lifts: the fences of that namespace it takes down.
        anywhere: whether it reaches others from the holder's own namespace.
        harmless: names that make it no power.
        checks: benchmark checks that its being held in one's own namespace fails.
    """

    id: str
    severity: str
    rights: tuple[Right, ...]
    means: str
    cluster_only: bool = False
    platform: bool = False
    own: str = ""
    lifts: tuple[str, ...] = ()
    anywhere: bool = False
    harmless: frozenset[str] = frozenset()
    checks: tuple[str, ...] = ()

    def given_by(self, rule: Rule, *, in_namespace: bool = False) -> bool:
        """Return whether a rule gives it, through a ClusterRoleBinding or through a RoleBinding."""
        if in_namespace and self.cluster_only:
            return False
        if rule.names and self.harmless and rule.names <= self.harmless:
            return False
        return any(right.given_by(rule) for right in self.rights)

    def served_for(self, rules: Iterable[Rule], groups: frozenset[str]) -> bool:
        """Return whether rules give it over a group they name, or a wildcard does over one that is served.

        Args:
            rules: of one role.
            groups: API groups known to be served besides the built-in ones.
        """
        given = [(right, rule) for rule in rules for right in self.rights if right.given_by(rule)]
        return any(right.groups & (rule.groups | groups | BUILT_IN) for right, rule in given)


def _covers(resources_: frozenset[str], wanted: str) -> bool:
    if "*" in resources_ or wanted in resources_ or wanted == "*":
        return True
    return "/" in wanted and f"*/{wanted.split('/', 1)[1]}" in resources_


@cache
def powers() -> tuple[Power, ...]:
    """Return the table of powers."""
    text = resources.files("kubeanswers.access").joinpath("powers.yaml").read_text(encoding="utf-8")
    return tuple(map(_power, yaml.safe_load(text)["powers"]))


def _power(data: Mapping[str, Any]) -> Power:
    return Power(
        data["id"],
        data["severity"],
        tuple(map(_right, data["rights"])),
        data["means"],
        data.get("scope") == "cluster",
        bool(data.get("platform")),
        data.get("own", ""),
        tuple(data.get("lifts", ())),
        bool(data.get("anywhere")),
        frozenset(data.get("harmless", ())),
        tuple(data.get("checks", ())),
    )


def _right(line: str) -> Right:
    verbs, groups, found = (frozenset(part.split()) for part in line.split("|"))
    return Right(verbs, frozenset("" if group == "-" else group for group in groups), found)


def powers_of(rules: Iterable[Rule], *, in_namespace: bool = False) -> list[Power]:
    """Return the powers that rules give, worst first; ``in_namespace`` for the rules of a RoleBinding."""
    held = list(rules)
    found = (p for p in powers() if any(p.given_by(rule, in_namespace=in_namespace) for rule in held))
    return sorted(found, key=lambda power: (_ORDER[power.severity], power.id))


_ORDER: Final = {"critical": 0, "high": 1, "medium": 2}


def effective(rules: Iterable[Rule], kinds: KindTable) -> tuple[Rule, ...]:
    """Return what the rules of a RoleBinding amount to in its namespace: rights over cluster-scoped kinds fall away.

    Kept are the Namespace itself (its own reads and changes are asked in it), ``bind`` on ClusterRoles (asked in the
    namespace of the binding written) and kinds nobody knows.
    """
    return tuple(kept for rule in rules if (kept := _namespaced(rule, kinds)) is not None)


def _namespaced(rule: Rule, kinds: KindTable) -> Rule | None:
    if _is_idle(rule):
        return None
    kept = frozenset(name for name in rule.resources if _lives_in_namespaces(rule, name, kinds))
    if not kept or not rule.verbs or not rule.groups:
        return None
    return rule if kept == rule.resources else Rule(rule.verbs, rule.groups, kept, rule.names)


def with_bound(rules: tuple[Rule, ...], roles: Mapping[tuple[str, str], tuple[Rule, ...]]) -> tuple[Rule, ...]:
    """Return the rules with ``bind`` on named ClusterRoles as what those give; of a role nobody knows it stays.

    Args:
        rules: of one role.
        roles: rules by namespace (empty for a ClusterRole) and name.
    """
    return tuple(part for rule in rules for part in _bound(rule, roles))


def _bound(rule: Rule, roles: Mapping[tuple[str, str], tuple[Rule, ...]]) -> Iterator[Rule]:
    named = [("", name) for name in sorted(rule.names)]
    if "bind" not in rule.verbs or rule.resources != {"clusterroles"} or not named or not roles.keys() >= set(named):
        yield rule
        return
    if rule.verbs != {"bind"}:
        yield Rule(rule.verbs - {"bind"}, rule.groups, rule.resources, rule.names)
    for key in named:
        yield from roles[key]


def _lives_in_namespaces(rule: Rule, name: str, kinds: KindTable) -> bool:
    plain, _, below = name.partition("/")
    if plain == "namespaces" and ("" in rule.groups or "*" in rule.groups):
        return bool("*" in rule.verbs or rule.verbs & _OWN_NAMESPACE) and not below
    if plain == "clusterroles" and ("bind" in rule.verbs or "*" in rule.verbs):
        return True
    if plain in ("users", "groups", "uids", "userextras") and "impersonate" in rule.verbs:
        return False
    return _is_namespaced(rule.groups, plain, kinds)


def _is_namespaced(groups: frozenset[str], plain: str, kinds: KindTable) -> bool:
    if plain == "*":
        return not groups <= BUILT_IN or any(e.namespaced and e.group in groups for e in kinds.by_kind.values())
    known = [entry for entry in kinds.served_as(plain) if _in(entry.group, groups)]
    return any(entry.namespaced for entry in known) if known else not groups <= BUILT_IN


def _in(group: str, groups: frozenset[str]) -> bool:
    return "*" in groups or group in groups


BUILT_IN: Final = frozenset({"", "apps", "batch", "autoscaling", "policy", "extensions", RBAC_GROUP, *_REVIEWS}) | {
    f"{name}.k8s.io"
    for name in (
        "admissionregistration", "apiextensions", "apiregistration", "certificates", "coordination", "discovery",
        "events", "flowcontrol.apiserver", "internal.apiserver", "networking", "node", "resource", "scheduling",
        "storage", "storagemigration",
    )
}  # fmt: skip
"""API groups whose kinds are all known here: a resource of theirs that is not is a mistake and gives nothing."""


def granting(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the rules that give somebody something over objects: no reviews, no creation restricted by name."""
    return tuple(r for r in rules if r.resources and r.verbs and not r.groups <= _REVIEWS and not _is_idle(r))


def _is_idle(rule: Rule) -> bool:
    """Return whether a rule allows nothing: names where none is known yet, or verbs in capitals."""
    if rule.verbs and all(verb != verb.lower() for verb in rule.verbs):
        return True
    return bool(rule.names) and rule.verbs <= _NAMELESS and not any("/" in name for name in rule.resources)


def writes_shared(rules: Iterable[Rule], kinds: KindTable) -> bool:
    """Return whether cluster-wide rules change cluster-scoped kinds that everybody in the cluster shares."""
    return any(_changes(rule) and _shared(rule, kinds) for rule in granting(rules))


def writes(rules: Iterable[Rule]) -> bool:
    """Return whether rules change anything at all."""
    return any(_changes(rule) for rule in granting(rules))


def _changes(rule: Rule) -> bool:
    verbs = rule.verbs - _NAMELESS if rule.names else rule.verbs
    return "*" in verbs or bool(verbs & _WRITES)


def _shared(rule: Rule, kinds: KindTable) -> bool:
    only_create = "*" not in rule.verbs and rule.verbs & _WRITES == {"create"}
    asks = _ASKS if only_create else frozenset()
    return any(name == "*" or (name not in asks and _is_shared(rule.groups, name, kinds)) for name in rule.resources)


def _is_shared(groups: frozenset[str], name: str, kinds: KindTable) -> bool:
    known = [entry for entry in kinds.served_as(name.partition("/")[0]) if _in(entry.group, groups)]
    return any(not entry.namespaced for entry in known)


_WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_ASKS: Final = frozenset({"namespaces", "certificatesigningrequests"})
"""Cluster-scoped kinds whose creation alone touches nothing that is there."""


def reaches_namespaces(rules: Iterable[Rule], kinds: KindTable) -> bool:
    """Return whether cluster-wide rules touch objects that live in namespaces."""
    return any(_touches(rule, kinds) for rule in granting(rules))


def _touches(rule: Rule, kinds: KindTable) -> bool:
    return any(
        _is_namespaced(rule.groups, name.partition("/")[0], kinds) and not _virtual(rule) for name in rule.resources
    )


def _virtual(rule: Rule) -> bool:
    """Return whether the rule gives nothing but impersonation or binding, which touch no object by themselves."""
    return rule.verbs <= {"impersonate", "bind", "escalate", "use", "approve", "sign", "attest"}


def titles(found: Iterable[Power]) -> Iterator[str]:
    """Yield what each power amounts to, in words."""
    for power in found:
        yield f"{power.id}: {power.means}"
