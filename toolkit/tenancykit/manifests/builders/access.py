"""Who may call the API: RBAC for the identity provider's groups, and accounts that hold no token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kubeanswers.source import dump_yaml
from tenancykit.manifests.builds import KUBERNETES, OptionBuild
from tenancykit.manifests.model import Manifest, PlainFile, Requirement, manifest
from tenancykit.manifests.scope import ClusterScope, TenantScope

RBAC: Final = "rbac.authorization.k8s.io/v1"
MEMBER_ROLE: Final = "tenancykit-tenant-member"
RECONCILER_ROLE: Final = "tenancykit-tenant-reconciler"
WORKLOAD_ACCOUNT: Final = "workload"

_PORTAL: Final = "tenancykit-portal-impersonator"
_READ: Final = ["get", "list", "watch"]
_RBAC_GROUP: Final = "rbac.authorization.k8s.io"
WRITE: Final = ["create", "delete", "get", "list", "patch", "update", "watch"]


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _workload_rules() -> list[dict[str, Any]]:
    return [
        _rule("", ["configmaps", "persistentvolumeclaims", "pods", "secrets", "services"], WRITE),
        _rule("apps", ["deployments", "statefulsets"], WRITE),
        _rule("batch", ["cronjobs", "jobs"], WRITE),
        _rule("autoscaling", ["horizontalpodautoscalers"], WRITE),
        _rule("policy", ["poddisruptionbudgets"], WRITE),
        _rule("gateway.networking.k8s.io", ["httproutes"], WRITE),
        _rule("", ["serviceaccounts"], _READ),
    ]


def _fence_rules() -> list[dict[str, Any]]:
    """Return read rights on what fences a tenant in; writing it stays with the platform."""
    return [
        _rule("", ["endpoints", "events", "limitranges", "pods/log", "pods/status", "resourcequotas"], _READ),
        _rule("apps", ["replicasets"], _READ),
        _rule("discovery.k8s.io", ["endpointslices"], _READ),
        _rule("networking.k8s.io", ["networkpolicies"], _READ),
        _rule("rbac.authorization.k8s.io", ["rolebindings", "roles"], _READ),
        _rule("", ["namespaces"], ["get"]),
    ]


def _queue_rules(options: frozenset[str]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    if "sch_kueue" in options:
        rules.append(_rule("kueue.x-k8s.io", ["localqueues", "workloads"], _READ))
    if "sch_volcano" in options:
        rules.append(_rule("scheduling.volcano.sh", ["podgroups"], WRITE))
        rules.append(_rule("batch.volcano.sh", ["jobs"], WRITE))
    if "sch_kai" in options:
        rules.append(_rule("scheduling.run.ai", ["podgroups"], _READ))
    if "gpu_dra" in options:
        rules.append(_rule("resource.k8s.io", ["resourceclaims", "resourceclaimtemplates"], WRITE))
    if "rt_kubevirt" in options:
        rules.append(_rule("kubevirt.io", ["virtualmachineinstances", "virtualmachines"], WRITE))
    return rules


def cluster_roles(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the role every tenant's group is bound to inside its namespace, never cluster-wide.

    Members run workloads; they read but cannot write quotas, limits, network policies, roles and namespaces.
    """
    rules = [*_workload_rules(), *_fence_rules(), *_queue_rules(scope.options)]
    if any(cls.has_api_access for cls in scope.classes):
        interactive = [_rule("", ["pods/exec", "pods/portforward"], ["create"])]
        yield manifest(
            "id_oidc_rbac", "identity", "access", RBAC, "ClusterRole", MEMBER_ROLE, rules=[*rules, *interactive]
        )


def reconciler_rules(options: frozenset[str]) -> list[dict[str, Any]]:
    """Return what a delivery may do in a tenant's namespace: what its members may, except reach into running pods."""
    return [*_workload_rules(), *_fence_rules(), *_queue_rules(options)]


def tenant_bindings(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the bindings of a tenant's groups, in the API the tenant uses."""
    if not scope.cls.has_api_access:
        return
    because: tuple[str, Requirement] = ("id_oidc_rbac", "identity")
    if scope.cls.owns_cluster_api:
        yield bound(because, "tenancykit-tenant-admins", "cluster-admin", groups(scope))
    else:
        yield bound(because, "tenant-members", MEMBER_ROLE, groups(scope), scope.namespace)


def groups(scope: TenantScope) -> list[dict[str, str]]:
    """Return a tenant's groups as subjects of a binding."""
    return [{"kind": "Group", "apiGroup": _RBAC_GROUP, "name": name} for name in scope.tenant.groups]


def bound(
    because: tuple[str, Requirement], name: str, role: str, subjects: Sequence[Mapping[str, str]], namespace: str = ""
) -> Manifest:
    """Return the binding of a cluster role to subjects: in a namespace, or in the whole cluster where none is named.

    Args:
        because: option and concern that ask for it.
        name: its name.
        role: the ClusterRole's name.
        subjects: who gets it.
        namespace: where.
    """
    return manifest(
        *because,
        "access",
        RBAC,
        "RoleBinding" if namespace else "ClusterRoleBinding",
        name,
        namespace=namespace,
        roleRef={"apiGroup": _RBAC_GROUP, "kind": "ClusterRole", "name": role},
        subjects=list(subjects),
    )


def workload_accounts(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the accounts pods run as; neither mounts a token, so a taken-over container cannot call the API."""
    because = scope.cls.found.choice.options[0]
    for name in ("default", WORKLOAD_ACCOUNT):
        yield manifest(
            because,
            "isolation.control-plane",
            "access",
            "v1",
            "ServiceAccount",
            name,
            namespace=scope.namespace,
            automountServiceAccountToken=False,
        )


def api_fairness(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield a fair queue of API requests per namespace, so that one tenant's client cannot starve the others.

    It matches after the built-in flows of nodes, controllers and service accounts (precedence up to 9000) and before
    the catch-all ones (9900): https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
    """
    because = tuple(dict.fromkeys(cls.found.choice.options[0] for cls in scope.classes))
    flow = "flowcontrol.apiserver.k8s.io/v1"
    yield manifest(
        because,
        "isolation.control-plane",
        "access",
        flow,
        "PriorityLevelConfiguration",
        "tenancykit-tenants",
        spec={
            "type": "Limited",
            "limited": {
                "nominalConcurrencyShares": 20,
                "limitResponse": {
                    "type": "Queue",
                    "queuing": {"queues": 64, "handSize": 6, "queueLengthLimit": 50},
                },
            },
        },
    )
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "namespaces": ["*"], "clusterScope": True}
    yield manifest(
        because,
        "isolation.control-plane",
        "access",
        flow,
        "FlowSchema",
        "tenancykit-tenants",
        spec={
            "priorityLevelConfiguration": {"name": "tenancykit-tenants"},
            "matchingPrecedence": 9500,
            "distinguisherMethod": {"type": "ByNamespace"},
            "rules": [
                {
                    "subjects": [{"kind": "Group", "group": {"name": "system:authenticated"}}],
                    "resourceRules": [rule],
                }
            ],
        },
    )


def impersonation_role(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield the rights of an impersonating portal: it may become tenants' users and groups, never a system identity.

    RBAC cannot exclude names, so the portal is told apart by account; constrained impersonation (beta in 1.36) narrows
    it further: https://github.com/kubernetes/enhancements/tree/master/keps/sig-auth/5284-constrained-impersonation
    """
    name = "tenancykit-portal"
    yield manifest(
        "id_impersonation",
        "identity",
        "access",
        "v1",
        "ServiceAccount",
        name,
        namespace="tenancykit-system",
        automountServiceAccountToken=False,
    )
    yield manifest(
        "id_impersonation",
        "identity",
        "access",
        RBAC,
        "ClusterRole",
        _PORTAL,
        rules=[_rule("", ["groups", "users"], ["impersonate"])],
    )
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "tenancykit-system"}
    yield bound(("id_impersonation", "identity"), _PORTAL, _PORTAL, [subject])


def authentication_file(because: str) -> PlainFile:
    """Return the structured authentication configuration of the API server (GA in Kubernetes 1.34).

    It is handed to the API server by file, or through the provider's own OIDC setting, never with kubectl.
    """
    configuration = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [
            {
                "issuer": {"url": "https://identity.example.com", "audiences": ["kubernetes"]},
                "claimMappings": {
                    "username": {"claim": "sub", "prefix": "oidc:"},
                    "groups": {"claim": "groups", "prefix": ""},
                },
                "userValidationRules": [
                    {
                        "expression": "user.groups.all(g, !g.startsWith('system:'))",
                        "message": "a token must not claim a group of the system",
                    },
                    {
                        "expression": "!user.username.startsWith('system:')",
                        "message": "a token must not claim a user of the system",
                    },
                ],
            }
        ],
    }
    return PlainFile(
        "api-server/authentication.yaml",
        dump_yaml(configuration),
        "start the API server with --authentication-config=authentication.yaml (replace the issuer), or set the same "
        "issuer and claims in the provider's OIDC settings",
        (because,),
    )


BUILDS: Final[dict[str, OptionBuild]] = {
    "id_oidc_rbac": OptionBuild(
        (("api", cluster_roles),),
        (("api", tenant_bindings),),
        files=("api", authentication_file),
        upstream="Kubernetes 1.34 (structured authentication)",
    ),
    "id_impersonation": OptionBuild(
        (("api", cluster_roles), ("api", impersonation_role)),
        (("api", tenant_bindings),),
        upstream=KUBERNETES,
    ),
}
"""What is built for each option that only this module serves."""
