"""Ways to weaken an export: powers, admission rules, fences, references, objects of others."""

from __future__ import annotations

from collections.abc import Callable

from kubeanswers.access.powers import powers
from tests.study.weakening_tools import (
    RBAC,
    Object,
    Tree,
    Weakening,
    adding,
    bound,
    changing,
    group,
    named,
    removing,
    rules,
    to,
)
from tests.study.weakenings_listed import listed

ADMISSION = "admissionregistration.k8s.io/v1"
FENCES = (
    "Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "ClusterQueue", "LocalQueue",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "ValidatingPolicy", "ConstraintTemplate", "RuntimeClass", "StorageClass",
    "PriorityClass", "RoleBinding", "ClusterRole", "AppProject", "Kustomization", "Tenant", "MutatingPolicy", "Assign",
)  # fmt: skip


def _power(number: int) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        right = powers()[number].rights[0]
        rule = {"apiGroups": [min(right.groups)], "resources": [min(right.resources)], "verbs": sorted(right.verbs)}
        tree.add(*bound([rule], group(tree.group)))
        return True

    return apply


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
        tree.add(*bound(_EVERYTHING, subject))
        return True

    return Weakening(title, apply)


WEAKENINGS: tuple[Weakening, ...] = (
    *(Weakening(f"power {power.id}", _power(number)) for number, power in enumerate(powers())),
    _whole(
        "everything for anybody without credentials", {"kind": "User", "apiGroup": RBAC, "name": "system:anonymous"}
    ),
    _whole("everything for everybody", group("system:authenticated")),
    _whole("everything for every service account", group("system:serviceaccounts")),
    *(Weakening(f"no {kind}", removing(kind)) for kind in FENCES),
    Weakening("a policy in other groups", changing(_POLICY, rules(apiGroups=["example.com"]))),
    Weakening("a policy for other kinds", changing(_POLICY, rules(resources=["configmaps"]))),
    Weakening("a policy for other versions", changing(_POLICY, rules(apiVersions=["v9"]))),
    Weakening("a policy for deletions", changing(_POLICY, rules(operations=["DELETE"]))),
    Weakening("a policy for cluster-scoped objects", changing(_POLICY, rules(scope="Cluster"))),
    Weakening("a policy for new objects only", changing(_POLICY, rules(operations=["CREATE"]))),
    Weakening(
        "a policy for nobody's namespaces",
        changing(_POLICY, to("spec", "matchConstraints", "namespaceSelector", value=_NOBODY)),
    ),
    Weakening(
        "a policy for labelled objects",
        changing(_POLICY, to("spec", "matchConstraints", "objectSelector", value=_NOBODY)),
    ),
    Weakening(
        "a policy that never applies",
        changing(_POLICY, to("spec", "matchConditions", value=[{"name": "never", "expression": "false"}])),
    ),
    Weakening(
        "a policy that is always content",
        changing(_POLICY, to("spec", "validations", value=[{"expression": "true"}])),
    ),
    Weakening("a policy that ignores its failures", changing(_POLICY, to("spec", "failurePolicy", value="Ignore"))),
    Weakening(
        "a policy that audits", changing(("ValidatingPolicy",), to("spec", "validationActions", value=["Audit"]))
    ),
    Weakening("a binding that audits", changing(_BINDING, to("spec", "validationActions", value=["Audit"]))),
    Weakening("a binding that warns", changing(_BINDING, to("spec", "validationActions", value=["Warn"]))),
    Weakening("a binding to nothing", changing(_BINDING, to("spec", "policyName", value="nobody-made-this"))),
    Weakening(
        "a binding for nobody's namespaces",
        changing(_BINDING, to("spec", "matchResources", "namespaceSelector", value=_NOBODY)),
    ),
    Weakening("a role that is not there", changing(("RoleBinding",), _unbound)),
    Weakening("a sandbox that is none", changing(("RuntimeClass",), to("handler", value="runc"))),
    Weakening(
        "a network open to anybody", changing(("NetworkPolicy",), to("spec", "ingress", value=[{"from": _ANYBODY}]))
    ),
    Weakening("a network to anywhere", changing(("NetworkPolicy",), to("spec", "egress", value=[{}]))),
    Weakening(
        "a network policy nobody would take",
        changing(("NetworkPolicy",), to("spec", "ingress", value=[{"from": "x"}])),
    ),
    Weakening("a quota without bounds", changing(("ResourceQuota",), to("spec", "hard", value={}))),
    Weakening("a quota for some pods only", changing(("ResourceQuota",), to("spec", "scopes", value=["BestEffort"]))),
    Weakening(
        "no Pod Security",
        changing(("Namespace",), to("metadata", "labels", "pod-security.kubernetes.io/enforce", value="privileged")),
    ),
    Weakening(
        "an allowing policy of a vendor",
        adding(
            named(
                "projectcalico.org/v3", "GlobalNetworkPolicy", "x", spec={"order": 1, "ingress": [{"action": "Allow"}]}
            )
        ),
    ),
    Weakening("an object of a kind nobody knows", adding(named("example.dev/v1", "Odd", "x", spec={}))),
    Weakening(
        "a webhook that changes requests",
        adding(named(ADMISSION, "MutatingWebhookConfiguration", "x", webhooks=[_WEBHOOK])),
    ),
    Weakening(
        "a webhook that sees requests",
        adding(named(ADMISSION, "ValidatingWebhookConfiguration", "x", webhooks=[_WEBHOOK])),
    ),
    Weakening(
        "an API server of somebody's",
        adding(
            named(
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
        adding(named("v1", "ConfigMap", "aws-auth", "kube-system", data={"mapUsers": "- groups: [system:masters]"})),
    ),
    Weakening(
        "a token to join with",
        adding(named("v1", "Secret", "bootstrap-token-abcdef", "kube-system", type="bootstrap.kubernetes.io/token")),
    ),
    Weakening(
        "endpoints made by hand",
        adding(
            named(
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
        adding(
            named(
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
        adding(
            named(
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
        adding(
            named(
                "v1",
                "PersistentVolume",
                "x",
                spec={"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/"}},
            )
        ),
    ),
    Weakening(
        "a store of secrets",
        adding(
            named(
                "external-secrets.io/v1",
                "ClusterSecretStore",
                "x",
                spec={"provider": {"vault": {"server": "https://v"}}},
            )
        ),
    ),
    Weakening(
        "a policy that clones Secrets",
        adding(
            named(
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
        adding(
            named(
                "kyverno.io/v2",
                "PolicyException",
                "x",
                "TENANT",
                spec={"exceptions": [{"policyName": "p", "ruleNames": ["*"]}]},
            )
        ),
    ),
    *listed(),
)
