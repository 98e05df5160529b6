"""May a user write this Role or binding, or would it hand out rights the user does not hold?

Follows the policy-based storage of Kubernetes 1.36's RBAC API:
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, Final

from kubeanswers.access.rbac import MASTERS, RBAC_GROUP, AccessRules, Request, Rule, url_covers
from kubeanswers.objects import ManifestObject, mapping, mappings
from kubeanswers.records import dataclass

WRITES: Final = {
    "Role": "roles",
    "ClusterRole": "clusterroles",
    "RoleBinding": "rolebindings",
    "ClusterRoleBinding": "clusterrolebindings",
}
"""Kinds that hand out rights, with their resources."""
_ANY_NAME: Final[frozenset[str]] = frozenset()
_EVERYTHING: Final = (
    Rule(frozenset({"*"}), frozenset({"*"}), frozenset({"*"})),
    Rule(frozenset({"*"}), urls=frozenset({"*"})),
)


@dataclass(frozen=True)
class WriteAnswer:
    """Whether the API server would take the object from that user.

    Attributes:
        code: HTTP status: 200/201 accepted, 403 refused, 404 the role does not exist, 422 a roleRef was changed.
        why: one sentence.
        missing: for an escalation, the rights the user would hand out without holding them.
    """

    code: int
    why: str
    missing: tuple[Rule, ...] = ()


def write_answer(
    rules: AccessRules,
    user: str,
    groups: Iterable[str],
    verb: str,
    obj: ManifestObject,
    old: ManifestObject | None = None,
) -> WriteAnswer:
    """Return whether ``user`` may create or update an RBAC object, escalation check included."""
    name = obj.name if verb == "update" else ""
    asking = Request(user, verb, frozenset(groups), RBAC_GROUP, WRITES[obj.kind], name=name, namespace=obj.namespace)
    if not rules.can(asking).allowed:
        return WriteAnswer(403, f"{user} cannot {verb} {asking.resource}")
    missing = _escalation(rules, asking, obj, old)
    if isinstance(missing, WriteAnswer):
        return missing
    if missing:
        return WriteAnswer(403, f"{user} would grant rights it does not hold", missing)
    if old is not None and obj.data.get("roleRef") != old.data.get("roleRef"):
        return WriteAnswer(422, "a binding's roleRef cannot be changed")
    return WriteAnswer(200 if verb == "update" else 201, "accepted")


def _escalation(
    rules: AccessRules, asking: Request, obj: ManifestObject, old: ManifestObject | None
) -> WriteAnswer | tuple[Rule, ...]:
    if MASTERS in asking.groups:
        return ()
    return _of_role(rules, asking, obj, old) if obj.kind in ("Role", "ClusterRole") else _of_binding(rules, asking, obj)


def _of_role(
    rules: AccessRules, asking: Request, obj: ManifestObject, old: ManifestObject | None
) -> WriteAnswer | tuple[Rule, ...]:
    if rules.can(replace(asking, verb="escalate")).allowed:
        return ()
    aggregates = any(item is not None and item.data.get("aggregationRule") for item in (obj, old))
    if aggregates and uncovered(rules.rules_for(asking.user, asking.groups, ""), _EVERYTHING):
        return WriteAnswer(403, "must have cluster-admin privileges to use the aggregationRule")
    wanted = tuple(map(Rule.of, mappings(obj.data.get("rules"))))
    return uncovered(rules.rules_for(asking.user, asking.groups, obj.namespace), wanted)


def _of_binding(rules: AccessRules, asking: Request, obj: ManifestObject) -> WriteAnswer | tuple[Rule, ...]:
    kind, name, key = rules.role_of(obj)
    if rules.can(_bind_request(asking, mapping(obj.data.get("roleRef")), kind, name)).allowed:
        return ()
    if key not in rules.roles:
        return WriteAnswer(404, f'{kind} "{name}" does not exist')
    return uncovered(rules.rules_for(asking.user, asking.groups, obj.namespace), rules.rules[key])


def _bind_request(asking: Request, ref: Mapping[str, Any], kind: str, name: str) -> Request:
    group = str(ref.get("apiGroup") or "")
    return replace(asking, verb="bind", group=group, resource=WRITES.get(kind, ""), name=name)


def uncovered(owned: Iterable[Rule], wanted: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the parts of ``wanted`` that no single owned rule covers; each part has one verb and one target."""
    held = list(owned)
    return tuple(part for rule in wanted for part in _parts(rule) if not any(_covers(rule, part) for rule in held))


def _parts(rule: Rule) -> Iterator[Rule]:
    one = frozenset
    for group, resource, verb in product(sorted(rule.groups), sorted(rule.resources), sorted(rule.verbs)):
        for names in [one({name}) for name in sorted(rule.names)] or [_ANY_NAME]:
            yield Rule(one({verb}), one({group}), one({resource}), names)
    for url, verb in product(sorted(rule.urls), sorted(rule.verbs)):
        yield Rule(one({verb}), urls=one({url}))


def _covers(owner: Rule, part: Rule) -> bool:
    if not ("*" in owner.verbs or part.verbs <= owner.verbs):
        return False
    if part.urls:
        return all(any(url_covers(owned, asked) for owned in owner.urls) for asked in part.urls)
    if not ("*" in owner.groups or part.groups <= owner.groups):
        return False
    names = not owner.names or (bool(part.names) and part.names <= owner.names)
    return names and _covers_resources(owner.resources, part.resources)


def _covers_resources(owner: frozenset[str], part: frozenset[str]) -> bool:
    if "*" in owner:
        return True
    return all(item in owner or ("/" in item and f"*/{item.split('/', 1)[1]}" in owner) for item in part)
