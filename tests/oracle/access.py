"""RBAC answers: access reviews, aggregated roles, and the escalation check."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubeanswers.access.escalation import write_answer
from kubeanswers.access.node_authorizer import NodeRules
from kubeanswers.access.rbac import AUTHENTICATED, AccessRules, Request, Rule
from kubeanswers.objects import ObjectSet, from_dicts
from tests.oracle.comparison import Comparison, load

_KINDS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


def compare_rbac(data: Mapping[str, Any], folder: Path) -> Comparison:
    result = Comparison(data["set"])
    builtin = _builtin(folder)
    for case in data["cases"]:
        rejected = {item["index"] for item in case.get("rejected_objects") or ()}
        written = [item for i, item in enumerate(case["objects"]) if i not in rejected]
        objects = from_dicts([*builtin, *written])
        rules = AccessRules(objects, with_defaults=not builtin)
        for name, expected in (case.get("aggregated_rules") or {}).items():
            if expected is not None and ("", name) in rules.rules:
                answered = {_rule_text(rule) for rule in rules.rules[("", name)]}
                wanted = {_rule_text(Rule.of(item)) for item in expected}
                result.add(case["id"], f"rules of ClusterRole {name}", sorted(wanted), sorted(answered))
        for query in case["queries"]:
            allowed, reason = _ask(rules, objects, query)
            result.add(case["id"], query, query["allowed"], allowed, reason)
    return result


def _rule_text(rule: Rule) -> str:
    parts = (rule.verbs, rule.groups, rule.resources, rule.names, rule.urls)
    return " | ".join(" ".join(sorted(part)) for part in parts)


def _ask(rules: AccessRules, objects: ObjectSet, query: Mapping[str, Any]) -> tuple[bool, str]:
    subresource = query.get("subresource", "")
    groups = frozenset(query["groups"])
    if subresource == "proxy" and AUTHENTICATED not in groups:
        # The recording distribution renames the subresource for users it has not authenticated (the recorded
        # reason says so); the question it answered is this one.
        subresource = "unsafeproxy"
    request = Request(
        query["user"],
        query["verb"],
        groups,
        query.get("group", ""),
        query.get("resource", ""),
        subresource,
        query.get("name", ""),
        query.get("namespace", ""),
        query.get("path"),
    )
    node = NodeRules(objects).can(request)
    if node is not None and node.allowed:
        return True, node.reason
    answer = rules.can(request)
    return answer.allowed, answer.reason


def compare_escalation(data: Mapping[str, Any], folder: Path) -> Comparison:
    result = Comparison(data["set"])
    builtin = _builtin(folder)
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("esc-a", "esc-b")]
    objects = from_dicts([*builtin, *spaces, *data["base"]])
    rules = AccessRules(objects, with_defaults=not builtin)
    for case in data["cases"]:
        written = from_dicts([case["object"]]).objects[0]
        old = objects.get(*written.identity) if case["verb"] == "update" else None
        answer = write_answer(rules, case["user"], case["groups"], case["verb"], written, old)
        expected = (case["code"], _kind_of_refusal(case.get("message", "")))
        answered = (answer.code, _kind_of_answer(answer.why, bool(answer.missing)))
        result.add(case["id"], f"{case['user']} {case['verb']} {written}", expected, answered, answer.why)
    return result


def _kind_of_refusal(message: str) -> str:
    if "attempting to grant" in message:
        return "escalation"
    if "cluster-admin privileges" in message:
        return "aggregation"
    return "forbidden" if "cannot " in message and "roleRef" not in message else ""


def _kind_of_answer(why: str, missing: bool) -> str:
    if missing:
        return "escalation"
    if "cluster-admin privileges" in why:
        return "aggregation"
    return "forbidden" if " cannot " in why and "roleRef" not in why else ""


def _builtin(folder: Path) -> list[Mapping[str, Any]]:
    """Return the recorded default objects, or nothing (then the library's own defaults stand in)."""
    file = next((f for f in (folder / "rbac-builtin.json", folder / "rbac-builtin.json.xz") if f.is_file()), None)
    if file is None:
        return []
    found = load(file)
    return [item for kind in _KINDS for item in found[kind]]


def compare_defaults(data: Mapping[str, Any], folder: Path) -> Comparison:  # noqa: ARG001 - one signature for all
    """Compare the library's own table of default roles with those a fresh cluster has."""
    result = Comparison("rbac-builtin")
    own = AccessRules(from_dicts([]))
    recorded = AccessRules(from_dicts([item for kind in _KINDS for item in data[kind]]), with_defaults=False)
    for key in own.roles:
        wanted = sorted({_rule_text(rule) for rule in recorded.rules.get(key, ())})
        result.add(key[1], "rules", wanted, sorted({_rule_text(rule) for rule in own.rules[key]}))
    return result
