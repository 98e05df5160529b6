"""Ways to weaken an export: powers, admission rules, fences, references, objects of others."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubeanswers.access.powers import powers

RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io/v1"
FENCES = (
    "Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "ClusterQueue", "LocalQueue",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "ValidatingPolicy", "ConstraintTemplate", "RuntimeClass", "StorageClass",
    "PriorityClass", "RoleBinding", "ClusterRole", "AppProject", "Kustomization", "Tenant", "MutatingPolicy", "Assign",
)  # fmt: skip
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Object = dict[str, Any]


class Tree:
    """The objects of one cluster of an export, by file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: dict[Path, list[Object]] = {}
        for file in sorted(root.rglob("*.yaml")):
            if file.name != "kustomization.yaml" and not {"helm", "api-server"} & set(file.relative_to(root).parts):
                documents = list(yaml.load_all(file.read_text(encoding="utf-8"), _LOADER))
                if all(isinstance(data, dict) and "kind" in data for data in documents):
                    self.files[file] = documents

    def objects(self, *kinds: str) -> Iterator[Object]:
        """Yield the objects of some kinds; of every kind where none is named."""
        for documents in self.files.values():
            yield from (item for item in documents if not kinds or item["kind"] in kinds)

    @property
    def group(self) -> str:
        """A group of one of the tenants."""
        for item in self.objects("RoleBinding"):
            for subject in item.get("subjects", ()):
                if subject["kind"] == "Group" and subject["name"].startswith("tenant:"):
                    return str(subject["name"])
        return "system:authenticated"

    @property
    def space(self) -> str:
        """A namespace of one of the tenants."""
        spaces = [
            i["metadata"]
            for i in self.objects("Namespace")
            if "tenancykit.dev/tenant" in i["metadata"].get("labels", {})
        ]
        return str(spaces[0]["name"]) if spaces else "default"

    def add(self, *items: Object) -> None:
        """Add objects to the first file that holds any."""
        file = next(iter(self.files))
        self.files[file].extend(copy.deepcopy(list(items)))

    def remove(self, item: Object) -> None:
        """Take an object out of its file."""
        for documents in self.files.values():
            documents[:] = [other for other in documents if other is not item]

    def write(self, changed: set[Path] | None = None) -> None:
        """Write the files."""
        for file, documents in self.files.items():
            if changed is None or file in changed:
                file.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")


@dataclass(frozen=True)
class Weakening:
    """One way; ``apply`` says whether the tree has anything to weaken so."""

    title: str
    apply: Callable[[Tree], bool]


def _named(api: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def _bound(rules: list[Object], to: Object, namespace: str = "") -> list[Object]:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    ref = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "weakening"}
    return [
        _named(f"{RBAC}/v1", "ClusterRole", "weakening", rules=rules),
        _named(f"{RBAC}/v1", kind, "weakening", namespace, roleRef=ref, subjects=[to]),
    ]


def _group(name: str) -> Object:
    return {"kind": "Group", "apiGroup": RBAC, "name": name}


def _power(number: int) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        right = powers()[number].rights[0]
        rule = {"apiGroups": [min(right.groups)], "resources": [min(right.resources)], "verbs": sorted(right.verbs)}
        tree.add(*_bound([rule], _group(tree.group)))
        return True

    return apply


def _adding(*items: Object) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        for item in items:
            made = copy.deepcopy(item)
            if made["metadata"].get("namespace") == "TENANT":
                made["metadata"]["namespace"] = tree.space
            tree.add(made)
        return True

    return apply


def _removing(kind: str) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        found = next(tree.objects(kind), None)
        if kind == "Namespace":
            found = next((i for i in tree.objects(kind) if i["metadata"]["name"] == tree.space), None)
        if found is None:
            return False
        tree.remove(found)
        return True

    return apply


def _changing(kinds: tuple[str, ...], change: Callable[[Object], None]) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        for item in tree.objects(*kinds):
            before = copy.deepcopy(item)
            change(item)
            if item != before:
                return True
        return False

    return apply


def _to(*path: str, value: Any) -> Callable[[Object], None]:
    def change(item: Object) -> None:
        for key in path[:-1]:
            item = item.setdefault(key, {})
        item[path[-1]] = value

    return change


def _rules(**fields: Any) -> Callable[[Object], None]:
    def change(item: Object) -> None:
        for rule in item["spec"]["matchConstraints"]["resourceRules"]:
            rule.update(fields)

    return change


_POLICY = ("ValidatingAdmissionPolicy", "ValidatingPolicy")
_BINDING = ("ValidatingAdmissionPolicyBinding",)
_NOBODY = {"matchLabels": {"nobody": "there"}}
_ANYBODY: list[Object] = [{"namespaceSelector": {}}]
_WEBHOOK = {
    "name": "w.example.com", "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
    "clientConfig": {"url": "https://w.example.com"},
    "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}],
}  # fmt: skip
_POD = {"containers": [{"name": "c", "image": "i"}]}
_EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]


def _unbound(item: Object) -> None:
    item["roleRef"]["name"] = "nobody-made-this"


def _whole(title: str, subject: Object) -> Weakening:
    def apply(tree: Tree) -> bool:
        tree.add(*_bound(_EVERYTHING, subject))
        return True

    return Weakening(title, apply)


WEAKENINGS: tuple[Weakening, ...] = (
    *(Weakening(f"power {power.id}", _power(number)) for number, power in enumerate(powers())),
    _whole(
        "everything for anybody without credentials", {"kind": "User", "apiGroup": RBAC, "name": "system:anonymous"}
    ),
    _whole("everything for everybody", _group("system:authenticated")),
    _whole("everything for every service account", _group("system:serviceaccounts")),
    *(Weakening(f"no {kind}", _removing(kind)) for kind in FENCES),
    Weakening("a policy in other groups", _changing(_POLICY, _rules(apiGroups=["example.com"]))),
    Weakening("a policy for other kinds", _changing(_POLICY, _rules(resources=["configmaps"]))),
    Weakening("a policy for other versions", _changing(_POLICY, _rules(apiVersions=["v9"]))),
    Weakening("a policy for deletions", _changing(_POLICY, _rules(operations=["DELETE"]))),
    Weakening("a policy for cluster-scoped objects", _changing(_POLICY, _rules(scope="Cluster"))),
    Weakening("a policy for new objects only", _changing(_POLICY, _rules(operations=["CREATE"]))),
    Weakening(
        "a policy for nobody's namespaces",
        _changing(_POLICY, _to("spec", "matchConstraints", "namespaceSelector", value=_NOBODY)),
    ),
    Weakening(
        "a policy for labelled objects",
        _changing(_POLICY, _to("spec", "matchConstraints", "objectSelector", value=_NOBODY)),
    ),
    Weakening(
        "a policy that never applies",
        _changing(_POLICY, _to("spec", "matchConditions", value=[{"name": "never", "expression": "false"}])),
    ),
    Weakening(
        "a policy that is always content",
        _changing(_POLICY, _to("spec", "validations", value=[{"expression": "true"}])),
    ),
    Weakening("a policy that ignores its failures", _changing(_POLICY, _to("spec", "failurePolicy", value="Ignore"))),
    Weakening(
        "a policy that audits", _changing(("ValidatingPolicy",), _to("spec", "validationActions", value=["Audit"]))
    ),
    Weakening("a binding that audits", _changing(_BINDING, _to("spec", "validationActions", value=["Audit"]))),
    Weakening("a binding that warns", _changing(_BINDING, _to("spec", "validationActions", value=["Warn"]))),
    Weakening("a binding to nothing", _changing(_BINDING, _to("spec", "policyName", value="nobody-made-this"))),
    Weakening(
        "a binding for nobody's namespaces",
        _changing(_BINDING, _to("spec", "matchResources", "namespaceSelector", value=_NOBODY)),
    ),
    Weakening("a role that is not there", _changing(("RoleBinding",), _unbound)),
    Weakening("a sandbox that is none", _changing(("RuntimeClass",), _to("handler", value="runc"))),
    Weakening(
        "a network open to anybody", _changing(("NetworkPolicy",), _to("spec", "ingress", value=[{"from": _ANYBODY}]))
    ),
    Weakening("a network to anywhere", _changing(("NetworkPolicy",), _to("spec", "egress", value=[{}]))),
    Weakening(
        "a network policy nobody would take",
        _changing(("NetworkPolicy",), _to("spec", "ingress", value=[{"from": "x"}])),
    ),
    Weakening("a quota without bounds", _changing(("ResourceQuota",), _to("spec", "hard", value={}))),
    Weakening("a quota for some pods only", _changing(("ResourceQuota",), _to("spec", "scopes", value=["BestEffort"]))),
    Weakening(
        "no Pod Security",
        _changing(("Namespace",), _to("metadata", "labels", "pod-security.kubernetes.io/enforce", value="privileged")),
    ),
    Weakening(
        "an allowing policy of a vendor",
        _adding(
            _named(
                "projectcalico.org/v3", "GlobalNetworkPolicy", "x", spec={"order": 1, "ingress": [{"action": "Allow"}]}
            )
        ),
    ),
    Weakening("an object of a kind nobody knows", _adding(_named("example.dev/v1", "Odd", "x", spec={}))),
    Weakening(
        "a webhook that changes requests",
        _adding(_named(ADMISSION, "MutatingWebhookConfiguration", "x", webhooks=[_WEBHOOK])),
    ),
    Weakening(
        "a webhook that sees requests",
        _adding(_named(ADMISSION, "ValidatingWebhookConfiguration", "x", webhooks=[_WEBHOOK])),
    ),
    Weakening(
        "an API server of somebody's",
        _adding(
            _named(
                "apiregistration.k8s.io/v1",
                "APIService",
                "v1.example.com",
                spec={
                    "group": "example.com",
                    "version": "v1",
                    "groupPriorityMinimum": 1,
                    "versionPriority": 1,
                    "service": {"name": "s", "namespace": "x"},
                },
            )
        ),
    ),
    Weakening(
        "identities mapped to groups",
        _adding(_named("v1", "ConfigMap", "aws-auth", "kube-system", data={"mapUsers": "- groups: [system:masters]"})),
    ),
    Weakening(
        "a token to join with",
        _adding(_named("v1", "Secret", "bootstrap-token-abcdef", "kube-system", type="bootstrap.kubernetes.io/token")),
    ),
    Weakening(
        "endpoints made by hand",
        _adding(
            _named(
                "discovery.k8s.io/v1",
                "EndpointSlice",
                "x",
                "TENANT",
                addressType="IPv4",
                endpoints=[{"addresses": ["10.0.0.9"]}],
            )
        ),
    ),
    Weakening(
        "pods of somebody's in the platform",
        _adding(
            _named(
                "apps/v1",
                "DaemonSet",
                "x",
                "kube-system",
                spec={
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {"metadata": {"labels": {"a": "b"}}, "spec": _POD},
                },
            )
        ),
    ),
    Weakening(
        "an allow-all policy",
        _adding(
            _named(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                "x",
                "TENANT",
                spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
            )
        ),
    ),
    Weakening(
        "a directory of a node",
        _adding(
            _named(
                "v1",
                "PersistentVolume",
                "x",
                spec={"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/"}},
            )
        ),
    ),
    Weakening(
        "a store of secrets",
        _adding(
            _named(
                "external-secrets.io/v1",
                "ClusterSecretStore",
                "x",
                spec={"provider": {"vault": {"server": "https://v"}}},
            )
        ),
    ),
    Weakening(
        "a policy that clones Secrets",
        _adding(
            _named(
                "kyverno.io/v1",
                "ClusterPolicy",
                "x",
                spec={
                    "rules": [
                        {
                            "name": "r",
                            "match": {"any": [{"resources": {"kinds": ["Namespace"]}}]},
                            "generate": {"kind": "Secret"},
                        }
                    ]
                },
            )
        ),
    ),
    Weakening(
        "exceptions from policies",
        _adding(
            _named(
                "kyverno.io/v2",
                "PolicyException",
                "x",
                "TENANT",
                spec={"exceptions": [{"policyName": "p", "ruleNames": ["*"]}]},
            )
        ),
    ),
)
