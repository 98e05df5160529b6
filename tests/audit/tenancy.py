"""Two well-fenced tenants in one cluster, as plain objects: the audit must find nothing, and any gap made in them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

RBAC = "rbac.authorization.k8s.io"
MEMBER_RULES = [
    {
        "apiGroups": [""],
        "resources": ["pods", "services", "configmaps", "secrets"],
        "verbs": ["get", "list", "create", "update", "delete"],
    },
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "create", "update", "delete"]},
]
OWN_POOL = "'t-' + namespaceObject.metadata.labels['tenancykit.dev/tenant']"
NODES = (
    "!has(object.spec.nodeName) && has(object.spec.nodeSelector) && 'tenancykit.dev/pool' in object.spec.nodeSelector "
    f"&& object.spec.nodeSelector['tenancykit.dev/pool'] == {OWN_POOL}"
)
TOLERATIONS = (
    "!has(object.spec.tolerations) || object.spec.tolerations.all(t, has(t.key) && "
    "(t.key.startsWith('node.kubernetes.io/') || "
    f"(t.key == 'tenancykit.dev/pool' && has(t.value) && t.value == {OWN_POOL})))"
)
HARD = {
    "requests.cpu": "10",
    "requests.memory": "20Gi",
    "requests.storage": "1Ti",
    "requests.ephemeral-storage": "1Ti",
    "persistentvolumeclaims": "9",
    "pods": "50",
    "services": "9",
    "services.loadbalancers": "0",
    "services.nodeports": "0",
    "secrets": "50",
    "configmaps": "50",
}


def named(api: str, kind: str, name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def network_policy(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    return named("networking.k8s.io/v1", "NetworkPolicy", name, namespace, spec={"podSelector": {}, **spec})


def tenant(name: str) -> list[dict[str, Any]]:
    space = f"t-{name}"
    labels = {"tenancykit.dev/tenant": name, "pod-security.kubernetes.io/enforce": "restricted"}
    dns = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    own: list[dict[str, Any]] = [{"podSelector": {}}]
    return [
        named("v1", "Namespace", space, metadata={"labels": labels}),
        named("v1", "ResourceQuota", "all", space, spec={"hard": HARD}),
        named(
            f"{RBAC}/v1",
            "RoleBinding",
            "members",
            space,
            roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": "member"},
            subjects=[{"kind": "Group", "apiGroup": RBAC, "name": f"team-{name}"}],
        ),
        network_policy("deny", space, policyTypes=["Ingress", "Egress"]),
        network_policy("same", space, policyTypes=["Ingress", "Egress"], ingress=[{"from": own}], egress=[{"to": own}]),
        network_policy(
            "dns", space, policyTypes=["Egress"], egress=[{"to": [dns], "ports": [{"protocol": "UDP", "port": 53}]}]
        ),
    ]


def vap(name: str, resource: str, *expressions: str) -> list[dict[str, Any]]:
    group = "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}
    selector = {"matchExpressions": [{"key": "tenancykit.dev/tenant", "operator": "Exists"}]}
    validations = [{"expression": text, "message": f"refused by {name}"} for text in expressions]
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule], "namespaceSelector": selector},
        "validations": validations,
    }
    return [
        named(group, "ValidatingAdmissionPolicy", name, spec=spec),
        named(
            group, "ValidatingAdmissionPolicyBinding", name, spec={"policyName": name, "validationActions": ["Deny"]}
        ),
    ]


def cluster(*names: str) -> list[dict[str, Any]]:
    """Return a fenced cluster with these tenants."""
    objects = [named(f"{RBAC}/v1", "ClusterRole", "member", rules=MEMBER_RULES)]
    objects += vap("placement", "pods", NODES, TOLERATIONS)
    objects += vap("priority", "pods", "!has(object.spec.priorityClassName) || object.spec.priorityClassName == ''")
    objects += vap("services", "services", "!has(object.spec.externalIPs) || size(object.spec.externalIPs) == 0")
    for name in names:
        objects += tenant(name)
    return copy.deepcopy(objects)


def changed(
    objects: list[dict[str, Any]], kind: str, name: str, change: Callable[[dict[str, Any]], None]
) -> list[dict[str, Any]]:
    """Return a copy with one object changed."""
    made = copy.deepcopy(objects)
    found = [item for item in made if item["kind"] == kind and item["metadata"]["name"] == name]
    assert found, f"no {kind} {name}"
    change(found[0])
    return made


def without(objects: list[dict[str, Any]], kind: str, name: str, namespace: str = "") -> list[dict[str, Any]]:
    """Return a copy with one object left out."""
    made = [
        item
        for item in objects
        if not (
            item["kind"] == kind
            and item["metadata"]["name"] == name
            and item["metadata"].get("namespace", "") == namespace
        )
    ]
    assert len(made) == len(objects) - 1
    return made
