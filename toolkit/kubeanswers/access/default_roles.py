"""The roles and bindings every fresh cluster has, as manifest objects (facts: ``default_roles.yaml``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import yaml

from kubeanswers.objects import ManifestObject, Where

DEFAULTS: Final = "<Kubernetes defaults>"
"""Where the roles and bindings of every fresh cluster are said to be read."""
_API: Final = "rbac.authorization.k8s.io/v1"
_JOIN: Final = "rbac.authorization.k8s.io/aggregate-to-"
_KINDS: Final = {"group": "Group", "user": "User", "serviceaccount": "ServiceAccount"}


@cache
def default_role_objects() -> tuple[ManifestObject, ...]:
    """Return the default ClusterRoles and ClusterRoleBindings of Kubernetes 1.36."""
    text = resources.files("kubeanswers.access").joinpath("default_roles.yaml").read_text(encoding="utf-8")
    facts = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe loader, in C where there is one
    objects = [*_roles(facts["roles"]), *_bindings(facts["bindings"])]
    return tuple(ManifestObject(data, Where(DEFAULTS, 1, i), namespaced=False) for i, data in enumerate(objects))


def _roles(roles: Mapping[str, Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for name, role in roles.items():
        labels = {f"{_JOIN}{target}": "true" for target in role.get("joins", ())}
        data: dict[str, Any] = {"apiVersion": _API, "kind": "ClusterRole", "metadata": {"name": name, "labels": labels}}
        if "gathers" in role:
            selector = {"matchLabels": {f"{_JOIN}{role['gathers']}": "true"}}
            data["aggregationRule"] = {"clusterRoleSelectors": [selector]}
        data["rules"] = [_rule(line) for line in role.get("rules", ())]
        yield data


def _rule(line: str) -> Mapping[str, Any]:
    parts = [part.split() for part in line.split(" | ")]
    if len(parts) == 2:
        return {"verbs": parts[0], "nonResourceURLs": parts[1]}
    groups = ["" if group == "-" else group for group in parts[1]]
    rule: dict[str, Any] = {"verbs": parts[0], "apiGroups": groups, "resources": parts[2]}
    return {**rule, "resourceNames": parts[3]} if len(parts) == 4 else rule


def _bindings(bindings: Mapping[str, list[str]]) -> Iterator[Mapping[str, Any]]:
    for name, subjects in bindings.items():
        yield {
            "apiVersion": _API,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [_subject(text) for text in subjects],
        }


def _subject(text: str) -> Mapping[str, Any]:
    kind, name = text.split()
    namespace, _, bare = name.rpartition("/")
    return {"kind": _KINDS[kind], "name": bare, **({"namespace": namespace} if namespace else {})}
